"""Each claim of notebook 09 must fail when its method is broken: here each one is broken."""

from replay import Sabotage, broken

AS_FOUND = ("One picture", "An image network on a sequence")
SOURCE = ("One picture", "Draw the source")
RECORD = ("What the record says",)
NO_LABEL = (*SOURCE, "Without a single label")
ROWS = [
    Sabotage(
        "A rule of two letters, which saw no label",
        "torch.where(gt, 0, torch.where(ag, 1, 2))",
        "torch.where(ag, 1, torch.where(gt, 0, 2))",
        ("One picture",),
    ),
    Sabotage(
        "Both networks, trained on thirty labels a class",
        "small = mtl.SequenceCNN(3, width=8)",
        "small = mtl.load_splice_cnn(quiet=True)",
        AS_FOUND,
    ),
    Sabotage(
        "Who only remembers is right on test sequences",
        "copies=True, quiet=True",
        "quiet=True",
        ("One picture", "The same sequence twice"),
    ),
    Sabotage(
        "A convolution with log-odds as its filter",
        "weights = torch.log(f / 0.25)",
        "weights = f",
        ("One picture", "A filter is a matrix that scans"),
    ),
    Sabotage(
        "The published frequencies hold here",
        "counts = mtl.position_weights(splice.train.x",
        "counts = mtl.position_weights(mtl.reverse_complement(splice.train.x)",
        SOURCE,
    ),
    Sabotage(
        "Without a label, the published table and the network",
        "drawn = mtl.load_splice_cnn()",
        'drawn = mtl.load_splice_cnn(weights="random")',
        NO_LABEL,
    ),
    Sabotage(
        "On the drawn twin the network is ahead of the table",
        '("drawn sites, zero-shot", "published table")',
        '("published table", "drawn sites, zero-shot")',
        NO_LABEL,
    ),
    Sabotage(
        "With five labels a class, what was brought along decides",
        "model = mtl.load_splice_cnn(quiet=True)",
        'model = mtl.load_splice_cnn(weights="random", quiet=True)',
        (*NO_LABEL, "Five labels a class"),
    ),
    Sabotage(
        "A hidden base can hardly be guessed",
        "mtl.pretrain_masked(masked, splice.train.x,",
        "mtl.pretrain_masked(masked, splice.train.x[..., :1].repeat(1, 1, 60),",
        ("One picture", "Real sequences without labels"),
    ),
    Sabotage(
        "Four filters resemble parts of the published tables",
        'mtl.load_splice_cnn(weights="random", quiet=True)',
        "mtl.load_splice_cnn(quiet=True)",
        (*NO_LABEL, "What the filters look for"),
    ),
    Sabotage(
        "A splice site that is read from the other strand is none",
        "turned = mtl.reverse_complement(splice.test.x)",
        "turned = splice.test.x",
        (*NO_LABEL, *RECORD, "The other strand"),
    ),
    Sabotage(
        "A network from a source with 30 % GC loses",
        "seed=1, gc=0.3",
        "seed=1",
        (*NO_LABEL, "Where it fails"),
    ),
    Sabotage(
        "A source without acceptors finds donors",
        "trained_on(x, 2 * y)",
        "trained_on(*mtl.draw_splice_sites(4000, seed=1))",
        (*NO_LABEL, *RECORD, "Where it fails"),
    ),
    Sabotage(
        "With five labels ten seeds do not settle that drawn sites beat two letters",
        'second["published table"].interval.high <',
        'second["position weights"].interval.high <',
        RECORD,
        recorded=True,
    ),
    Sabotage(
        "It is more than 0.05 ahead of all that learns from the five labels alone",
        'second["position weights"].settled == 1',
        'second["published table"].settled == 1',
        RECORD,
        recorded=True,
    ),
    Sabotage(
        "As labels grow in number, a kernel that learned from them alone",
        '"fine-tuned", "weighted-degree kernel", labels',
        '"fine-tuned", "k-mers", labels',
        RECORD,
        recorded=True,
    ),
    Sabotage(
        "Still it helps: with five labels a probe on it",
        'labels.paired("masked bases, probe", "from scratch", labels=n)',
        'labels.paired("random features", "from scratch", labels=n)',
        (*RECORD, "Real sequences without labels"),
    ),
    Sabotage(
        "Reverse complements that keep their label make the fine-tuned network worse",
        'second["reversed"].settled == -1',
        'second["drawn sites, zero-shot"].settled == -1',
        (*NO_LABEL, *RECORD, "The other strand"),
    ),
    Sabotage(
        "On drawn sites with 65 % GC the embedded network",
        'second["gc"].interval.low',
        'second["reversed"].interval.low',
        (*NO_LABEL, *RECORD, "Where it fails"),
    ),
    Sabotage(
        "At the gentle settings of the full source, five labels",
        'labels.mean("fine-tuned, donors only", "acceptors found", labels=5)',
        'labels.mean("fine-tuned", "acceptors found", labels=5)',
        (*NO_LABEL, *RECORD, "Where it fails"),
    ),
]

outcomes, test_live_claims, test_recorded_claims, test_each_cell_runs_again = broken("09_biological_sequences", ROWS)
