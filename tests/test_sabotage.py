"""Each claim of the course must fail when its method is broken: here each one is broken.

A notebook's cells are executed in this process with one line changed, up to the check that should notice. All runs
are on twins, so that they are the same everywhere.
"""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F

import medtl_helpers as mtl
from medtl_helpers import hospitals

FOLDER = Path(__file__).parent.parent / "notebooks"


@pytest.fixture(autouse=True)
def twins(monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    monkeypatch.delenv("MEDTL_VGG16", raising=False)


FEATURES = {}  # of notebook 03: what the untouched VGG16 makes of the images takes most of its time


@pytest.fixture(autouse=True)
def features_only_once(request, monkeypatch):
    """For notebook 03: remember the features of an image, by weights and pixels."""
    if request.node.name.split("[")[-1].startswith("03"):
        from medtl_helpers import keras_recipes

        compute = keras_recipes.features

        def remembered(below, x, **options):
            key = (*(w.tobytes()[:4096] for w in below.get_weights()), below.output_shape, x.numpy().tobytes())
            key = hash(key)
            if key not in FEATURES:
                FEATURES[key] = compute(below, x, **options)
            return FEATURES[key]

        monkeypatch.setattr(keras_recipes, "features", remembered)


@pytest.fixture(autouse=True)
def source_target_comes_back():
    """What the rows of notebook 04 break in the module is whole again for the next one."""
    from medtl_helpers import source_target

    whole = dict(vars(source_target))
    yield
    vars(source_target).update(whole)


def run_until(notebook: str, claim: str, old: str, new: str, sections: tuple[str, ...]) -> dict:
    """Execute the imports and the cells under the headings ``sections``, with ``old`` replaced, up to ``claim``.

    Returns the notebook's names at that point.
    """
    namespace, replaced, heading = {}, 0, "imports"
    for cell in nbformat.read(FOLDER / f"{notebook}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            titles = re.findall(r"^#{2,3} (.*)$", cell.source, re.MULTILINE)
            heading = titles[-1] if titles else heading
        elif heading == "imports" or heading.startswith(sections):
            replaced += cell.source.count(old)
            with mtl.plots.not_shown():
                exec(cell.source.replace(old, new), namespace)
            if claim in cell.source:
                assert replaced, f"{old!r} stands nowhere before {claim!r}: adapt this test to the notebook"
                return namespace
    raise LookupError(f"{notebook} makes no claim {claim!r}: adapt this test to the notebook")


# the λ that only the test patients could tell
ORACLE = 'min(real.lambdas, key=lambda lam: real.scores("hungary", 10, "L2-SP", lam, "log loss").mean())'
# the sections of notebook 03 up to its trained network
VGG_TRAINED = ("The data", "The right", "The trunk", "Phase", "A modern")
# the sections of notebook 04 up to its live run, and one network in place of all that its later sections do not need
LIVE = ("One picture", "Seven ways")
SOURCE_ALONE = "st.all_ways = lambda here, there, seed, n: dict.fromkeys(st.WAYS, st.train_source(here, seed))"


def live_run(broken: str) -> tuple[str, str]:
    """In notebook 04, something broken before the networks of the live run train."""
    old = "    source, target = make(0)"
    return old, f"{old}\n    {broken}"


# notebook, claim, what stands there, what breaks it, headings of the cells that are needed
SABOTAGE = [
    ("00", "Networks that are accurate on their own scanner",
     "scanner_b(blood.test.x, strength) for", "blood.test.x for",  # no shift
     ("One picture", "The data", "The words", "Move", "The result")),
    ("00", "The network beats guessing in balanced accuracy",
     "mtl.fit(chest_network, pneumonia.train,",
     "mtl.fit(chest_network, (pneumonia.train.x, pneumonia.train.y.flip(0)),",  # labels of other images
     ("One picture", "The data", "The words", "How to read")),
    ("00", "Always answering 'pneumonia'", "always = torch.ones_like(truth)", "always = truth",  # it knows the truth
     ("One picture", "The data", "The words")),
    ("00", "a quarter of the test cases means", "for task in (breast, pneumonia))", "for task in (breast, breast))",
     ("One picture", "The data", "The words", "How to read")),
    ("00", "Two points on BreastMNIST are three cases", "cases = 3 ", "cases = 9 ", ("One picture", "The data", "The words", "How to read")),
    ("01", "Large λ gives the source weights back", "lam / 2 *", "0 *", ("One picture",)),  # λ does nothing
    ("01", "The recipe as found stops", 'target_model.load_weights("source_model_weights")',
     "target_model.set_weights(source_model.get_weights())", ("The recipe",)),  # as if the file were there
    ("01", "With a name that Keras 3 accepts", 'target_model.load_weights("source_model.weights.h5")', "pass",
     ("The recipe",)),
    ("01", "Source and target are the same patients",
     "y_target_train, y_test = train_test_split(\n    x, y, test_size=0.2, random_state=42",
     "y_target_train, y_test = train_test_split(\n    x, y, test_size=0.2, random_state=7", ("The recipe",)),
    ("01", "the recipe shows no gain", "longer.fit(rows, truth, epochs=10",
     "longer.fit(rows, 1 - truth, epochs=10", ("The recipe",)),  # learns the opposite
    ("01", "fine-tuning is ahead of training from scratch", "tuned.load_weights(file)", "pass",  # nothing is transferred
     ("The recipe", "The same recipe")),
    ("01", "A scratch model trained ten times longer", "scratch.fit(few, y_few, epochs=360", "scratch.fit(few, 1 - y_few, epochs=360",
     ("The recipe", "The same recipe")),
    ("01", "The gradient of {loss.__name__}", "binary_log_loss: lambda z, y: z.sigmoid() - y",
     "binary_log_loss: lambda z, y: y - z.sigmoid()", ("The losses",)),
    ("01", "The gradient of the mean cross-entropy", "F.one_hot(labels, 3)) / len(labels)",
     "F.one_hot(labels, 3))", ("The losses",)),  # the sum, not the mean
    ("01", "Where the model is surely wrong", "torch.tensor([-6.0]", "torch.tensor([6.0]", ("The losses",)),
    ("01", "Gradient descent by hand", "theta -= 0.5 *", "theta += 0.5 *", ("One picture", "Gradient")),  # ascent
    ("01", "L2-SP in one line", "sum(0.5 * (p", "sum(1.0 * (p", ("One picture", "Gradient", "Four")),
    ("01", "Its gradient pulls every weight back", 'model.weight - theta_0["weight"])', "model.weight)",
     ("One picture", "Gradient", "Four")),  # plain L2 would pull to zero
    ("01", "The model's Fisher agrees", "(p * (1 - p)).T", "(p * p).T", ("One picture", "Gradient", "Four")),
    ("01", "The empirical Fisher is another", "source.model, source.x, source.y)", "source.model, source.x)",
     ("One picture", "Gradient", "Four")),
    ("01", "No Swiss cholesterol was measured", "cholesterol = switzerland", "cholesterol = cleveland",
     ("One picture", "The hospitals")),
    ("01", "L2-SP from Cleveland beats Hungary alone", 'real.gain("hungary", 10, "L2-SP"',
     'real.gain("hungary", 10, hospitals.SCRATCH', ("One picture", "Gradient", "The hospitals", "The exp", "What it")),
    ("01", "adapting costs balanced accuracy at Hungary", 'real.paired("hungary", 10,', 'real.paired("hungary", 80,',
     ("One picture", "Gradient", "The hospitals", "The exp", "What it", "Choosing")),
    ("01", "adapting lowers the log loss at both", "real.paired(site, 80,", "real.paired(site, 10,", ("One picture", "Gradient", "The hospitals", "The exp", "What it", "Choosing")),
    ("01", "choosing λ by cross-validation costs", '"L2-SP", "chosen", "log loss"', '"L2-SP", ORACLE, "log loss"'.replace("ORACLE", ORACLE),
     ("One picture", "Gradient", "The hospitals", "The exp", "What it", "Choosing")),
    ("01", "the useful λ shrinks as n grows", "slope.high for", "-slope.low for", ("λ and n",)),
    ("01", "Weight 3 and showing a case three times", "[:, 0]] * 2", "[:, 0]] * 3",
     ("One picture", "Gradient", "Four", "The hospitals", "The exp", "How far", "Imbalance")),
    ("01", "Weights buy recall with precision", "heart_report(3.0)", "heart_report(1.0)",
     ("One picture", "Gradient", "Four", "The hospitals", "The exp", "How far", "Imbalance")),
    ("02", "The target's classes and scanners", '{"D", "B"} & set', '{"D", "C"} & set', ("One picture",)),
    ("02", "The last stage holds most", 'c["layer4"] / c["all"]', 'c["layer1"] / c["all"]', ("One picture", "Named")),
    ("02", "requires_grad = False holds the weights", "model.to(mtl.device()).train()", "model.to(mtl.device()).eval()",
     ("One picture", "The recipe", "What is wrong")),
    ("02", "mtl.freeze holds weights, statistics", "mtl.freeze(really_frozen)", "really_frozen.stages.requires_grad_(False)",
     ("One picture", "The recipe", "What is wrong")),
    ("02", "Ten steps at rate 1e-3", "moved_features(random_head, lr=1e-4)", "moved_features(random_head)",
     ("One picture", "The recipe", "The second")),
    ("02", "Training on cached features gives", "mtl.fit_cached, epochs=12", "mtl.fit_cached, epochs=11", ("One picture", "What is frozen")),
    ("02", "With ten labels per class, L2-SP", "record.paired(10, method, SCRATCH) for", "record.paired(10, SCRATCH, method) for",
     ("One picture", "What the record")),
    ("02", "On the scanner without labels", 'SCRATCH, "shifted accuracy"', 'method, "shifted accuracy"', ("A second",)),
    ("02", "The probe is behind scratch on the labelled", "record.paired(10, method, SCRATCH) for",
     'record.paired(10, method, SCRATCH, "shifted accuracy") for', ("What the record", "A second")),
    ("02", "With 500 labels per class the probe is behind", "record.paired(500, method, SCRATCH) for",
     "record.paired(500, SCRATCH, method) for", ("One picture", "What the record")),
    ("02", "With 500 labels per class LP-FT beats scratch on both", 'record.paired(500, method, SCRATCH, "shifted accuracy")',
     'record.paired(500, SCRATCH, method, "shifted accuracy")', ("What the record", "A second")),
    ("02", "Recorded: on real X-rays VGG16's", "mtl.Interval(**gain)", 'mtl.Interval(**gain | {"low": -1.0})', ("All images, recorded",)),
    ("02", "With ten labels per class, trained weights rank", "auroc(*loaded_features, draw)", "auroc(*random_features, draw)",
     ("X-rays",)),
    ("02", "A probe on cached features takes", "record.seconds(PROBE, n) <", "record.seconds(FULL, n) <", ("A table",)),
    ("03", "Keras 3 has no ImageDataGenerator", "keras.optimizers.Adam(lr=1e-3)", "keras.optimizers.Adam(learning_rate=1e-3)",
     ("What stops",)),
    ("03", "After two epochs as found, both networks", "Adam(learning_rate=1e-3)", "Adam(learning_rate=0.0)",  # nothing moves
     ("The data", "What runs")),
    ("03", "With rescale=1/255 different images", "trunk.predict(rescaled(raw)", "trunk.predict(recipes.preprocess(raw)",
     ("The data", "The right")),
    ("03", "Keras' preprocess_input changes a float array", "before = images.copy()", "before = images", ("The data", "The right")),
    ("03", "Images that were preprocessed or rescaled", "recipes.preprocess(attempt.transpose(0, 3, 1, 2))",
     "recipes.preprocess(raw)", ("The data", "The right")),
    ("03", "Two halves, one after the other", "block5.predict(maps,", "block5.predict(2 * maps,", ("The data", "The right", "The trunk")),
    ("03", "Head training on cached features", 'timed_fit(recipes.train_only(head, "head", lr=1e-4), maps,',
     'timed_fit(recipes.train_only(model, "head", lr=1e-4), prepared,', ("The data", "What it saves")),  # no cache
    ("03", "Even three epochs are faster in total", "building = time.perf_counter() - start", "building = sum(slow)",
     ("The data", "What it saves")),
    ("03", "The frozen trunk is the same to the last bit", "phase1 = train(head,",
     "trunk.layers[1].set_weights([w * 1.001 for w in trunk.layers[1].get_weights()]); phase1 = train(head,",
     ("The data", "The right", "The trunk", "Phase 1")),
    ("03", "the frozen trunk ranks the validation images better", 'small.fit(pool5["train"][:32], few_labels,',
     'small.fit(pool5["train"][:32], 1 - few_labels,', ("The data", "What runs", "The right", "The trunk", "Phase 1", "Was it")),
    ("02", "All stages of a frozen VGG16 say more", 'large["vgg16, random, all stages"]', 'all_stages',
     ("And a larger network",)),
    ("02", "Frozen VGG16, all stages read, beats VGG16 from scratch", 'large["vgg16, from scratch"]',
     'large["small network, from scratch"]', ("And a larger network",)),
    ("03", "A layer thawed after training", "trainable = True  # thawed, and not compiled",
     'trainable = True; tiny.compile("adam", "mse")', ("When compile",)),
    ("03", "Blocks 1 to 4 did not move", 'recipes.train_only(top, "block5", "head"', 'recipes.train_only(top, "head"',
     VGG_TRAINED),
    ("03", "On the validation images the kept network", 'top.predict(block4["val"],', 'top.predict(block4["val"][::-1].copy(),',
     VGG_TRAINED),  # answers to other images
    ("03", "The loaded network gives the same", "keras.models.load_model(file)",
     "recipes.join(recipes.vgg16_trunk(64, quiet=True), recipes.gap_head(2))",  # another head
     ("The data", "The right", "The trunk", "Phase 1", "Saving")),
    ("03", "At 224 px Flatten brings", '"Flatten": recipes.flatten_head}', '"Flatten": recipes.gap_head}', ("GAP or",)),
    ("03", "At 64 px Flatten's many weights earn less", "head.fit(x, y, epochs=12",
     "head.fit(x, y if head_of is recipes.flatten_head else 1 - y, epochs=12",  # GAP learns the opposite
     ("The data", "The right", "The trunk", "Phase 1", "GAP or")),
    ("03", "What comes back from the folder", "Image.fromarray(image[0].numpy())", "Image.fromarray(255 - image[0].numpy())",
     ("The data", "The right", "The trunk", "Phase 1", "Your own")),
    ("03", "In the record, training the top block", 'aurocs(data, "top block")', 'aurocs(data, "full")', ("All images",)),
    ("03", "In the record, three seeds on PneumoniaMNIST", 'aurocs("pneumonia", "top block")',
     'aurocs("breast", "top block")', ("All images",)),
    ("03", "In the record, fine-tuning all of VGG16", 'for method in ("full", "top block")', 'for method in ("top block", "full")', ("All images",)),
    ("03", "Hiding the warmest quarter", "plain - confidence(quarter(heat))", "plain - confidence(quarter(-heat))",
     (*VGG_TRAINED, "The test split", "Where does")),
    ("03", "The recipe done right finds malignant", "top.predict(test_block4, verbose=0)[:, breast.positive]",
     "top.predict(test_block4, verbose=0)[:, 1 - breast.positive]",  # the other label is taken for the disease
     (*VGG_TRAINED, "The test split", "Where does")),
    ("05", "Trained on the source alone", "strength=0.6)", "strength=0.0)", ("One picture",)),  # no shift
    ("05", "A softmax over one logit", "nn.Softmax(dim=1)", "nn.Sigmoid()", ("One picture", "Recipes", "What is wrong")),
    ("05", "Features tell source and target apart", "for d in (source, target)]", "for d in (source, source)]",
     ("One picture", "The idea")),
    ("05", "The gradient comes back times −λ", "return -ctx.lam * gradient", "return ctx.lam * gradient", ("Gradient",)),
    ("05", "With DANN the same network is much better", "    target.train.x,", "    source.train.x,",  # nothing to adapt to
     ("One picture", "Train it")),
    ("05", "DANN has brought the two centres", "f_after = features_of(model)", "f_after = features_of(source_only)",
     ("One picture", "The idea", "Train it")),
    ("05", "Its domain classifier is often wrong", "proxy_a_distance(*f_after)", "proxy_a_distance(f_after[0], f_after[0])",
     ("One picture", "The idea", "Train it")),
    ("05", "Recorded: DANN beats source-only on the target", '"smear", main, "DANN", "source only"',
     '"smear", main, "source only", "source only"', ("What the record",)),
    ("05", "Recorded: on textured slides DANN beats AdaBN", 'waves, "DANN", "AdaBN").low', 'waves, "λ = 0", "AdaBN").low',
     ("What the record",)),
    ("05", "Recorded: the stronger the waves", "for strength in (0.3, 0.6, 0.9)", "for strength in (0.9, 0.6, 0.3)", ("From weak",)),
    ("05", "Recorded: on four shifts the last epoch", 'record.paired("smear", shift, "DANN", other)',
     'record.paired("smear", shift, other, "DANN")', ("The rules",)),
    ("05", "Recorded: under pure label shift", '"1: AdaBN − source only": record.paired("smear", pure, "AdaBN",',
     '"1: AdaBN − source only": record.paired("smear", pure, "DANN",', ("Where it fails",)),
    ("05", "Recorded: with another colour DANN ends", 'record.paired("smear", colour, "DANN", "ceiling")',
     'record.paired("smear", colour, "ceiling", "ceiling")', ("Where it fails",)),
    ("05", "Recorded, worse than expected: with waves", '"smear", both, "DANN, λ 1", "DANN"',
     '"smear", both, "λ = 0", "DANN"', ("Where it fails",)),
    ("05", "Recorded: on the digits DANN beats", '"digits", None, "DANN", other', '"digits", None, "source only", other',
     ("Something else",)),
    ("05", "Recorded: DANN.fit does as well", 'peers["times the bare loop"].items()', '{"DANN.fit": [1.2]}.items()', ("Beside",)),
    ("05", "Recorded: on five other pairs", '[name, amount], "DANN", "source only")', '[name, amount], "source only", "ceiling")', ("Other data",)),
    ("05", "Recorded: DANN brings no hospital", 'record.paired("hospitals", shift, "DANN", "source only")',
     'record.mean("hospitals", shift, "DANN")', ("The real thing",)),
    ("04", "A perfect answer that goes through", "perfect = torch.eye(8)", "perfect = 20 * torch.eye(8)", ("Softmax twice",)),
    ("04", "The second softmax shrinks the gradient", "F.cross_entropy(z.softmax(1),", "F.cross_entropy(z,", ("Softmax twice",)),
    ("04", "With the softmax once, the same epochs", "{AS_FOUND: True, RIGHT: False}", "{AS_FOUND: False, RIGHT: True}",
     ("One picture", "The recipe as found", "Softmax twice")),
    ("04", "On its own training images the network looks", "st.balanced_accuracy(model, few.train)",
     "st.balanced_accuracy(model, cells_there.val)", ("One picture", "The recipe as found", "A test set")),
    ("04", "mtl.adapt_batch_norm does for the first layer", "images = cells_there.train.x[:200]\nnetwork_there = st.adapted(network, images)",
     "images = cells_there.train.x[:200]\nnetwork_there = st.adapted(network, cells.train.x)", ("One picture", "AdaBN in four")),
    ("04", "Recorded: on another device", '"at home", st.SOURCE_ONLY)', 'st.SOURCE_ONLY, "at home")', ("One picture", "What ten")),
    ("04", "Recorded: target images without labels", "name, st.ADABN, st.SOURCE_ONLY)", "name, st.SOURCE_ONLY, st.ADABN)",
     ("One picture", "What ten")),
    ("04", "Recorded: on cells, fine-tuning", '"blood cells", name, st.TARGET_ONLY)', '"blood cells", st.TARGET_ONLY, name)',
     ("One picture", "What ten")),
    ("04", "Recorded: on cells, augmentation", "st.ADABN, st.AUGMENTED).low", "st.AUGMENTED, st.ADABN).low", ("One picture", "What ten")),
    ("04", "Live: on cells AdaBN", *live_run("st.adapted = lambda model, images: model"), (*LIVE, "What your")),
    ("04", "With as many images, AdaBN from one class", *live_run(f"{SOURCE_ALONE}; st.adapted = lambda model, images: model"),
     (*LIVE, "When AdaBN")),
    ("04", "Recorded: near the source", "rows[way].T, rows[st.TARGET_ONLY].T", "rows[st.TARGET_ONLY].T, rows[way].T", ("How far",)),
    ("04", "Recorded: the source of the same kind", 'f"{st.KIN}: gain", f"{other}: gain")', 'f"{other}: gain", f"{st.KIN}: gain")',
     ("The scores",)),
    ("04", "Recorded: on real X-rays neither", "way, st.TARGET_ONLY) for way", "way, st.SOURCE_ONLY) for way", ("On real",)),
    ("04", "Recorded: waves as a source", '"texture: gain")', 'f"{st.KIN}: gain")', ("The scores",)),
    ("04", "Recorded: the proxy A-distance", 'f"{source}: proxy A-distance"', 'f"{source}: gain"', ("The scores",)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("notebook", "claim", "old", "new", "sections"), SABOTAGE, ids=[f"{row[0]} {row[1]}" for row in SABOTAGE]
)
def test_claim_fails_when_its_method_is_broken(notebook, claim, old, new, sections):
    (path,) = FOLDER.glob(f"{notebook}_*.ipynb")
    with pytest.raises(AssertionError, match="✗"):
        run_until(path.stem, claim, old, new, sections)


def test_every_claim_of_the_course_is_in_the_table():
    for path in sorted(FOLDER.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and "mtl.check(" in cell.source:
                known = [row for row in SABOTAGE if path.stem.startswith(row[0]) and row[1] in cell.source]
                assert len(known) >= cell.source.count("mtl.check("), f"add a sabotage for: {cell.source[:80]}"


def test_in_notebook_05_shuffled_target_labels_change_no_row_but_the_oracles():
    data = 'source, target = domains.smear_domains("texture", seed=0, strength=0.6)'
    shuffle = (
        "; from dataclasses import replace; order = torch.randperm(200, generator=torch.Generator().manual_seed(1))"
        "; target = replace(target, train=mtl.Split(target.train.x, target.train.y.flip(0)), "
        "val=mtl.Split(target.val.x, target.val.y[order]))"
    )
    sections = ("One picture", "The idea", "Train it", "Which epoch")
    as_is, shuffled = (run_until("05_dann", 'rules["oracle', data, new, sections) for new in (data, data + shuffle))
    assert not torch.equal(as_is["target"].train.y, shuffled["target"].train.y)
    for row in ("last epoch", "source validation"):
        assert as_is["rules"][row] == shuffled["rules"][row]
    assert as_is["before"] == shuffled["before"]
    assert as_is["history"].val_accuracy == shuffled["history"].val_accuracy


# --- the recorded claims: break the method itself and run a few cells of the benchmark again --------------------------


def gain_of_l2_sp(source, target, seeds=range(4)) -> np.ndarray:
    gains = []
    for seed in seeds:
        rows = {r["method"]: r["balanced accuracy"] for r in hospitals.sweep(source, target, 10, seed) if r["chosen"]}
        gains.append(rows["L2-SP"] - rows[hospitals.SCRATCH])
    return np.array(gains)


def test_a_source_with_shuffled_labels_brings_no_gain():
    task, target = mtl.load("heart", site="cleveland"), mtl.load("heart", site="hungary")
    shuffled = hospitals.train_source(task)
    order = torch.randperm(len(shuffled.y), generator=torch.Generator().manual_seed(0))
    shuffled.y, shuffled.model = shuffled.y[order], hospitals.new_model()
    mtl.minimise(lambda: F.cross_entropy(shuffled.model(shuffled.x), shuffled.y), shuffled.model.parameters())
    with_shuffled, with_true = gain_of_l2_sp(shuffled, target), gain_of_l2_sp(hospitals.train_source(task), target)
    assert mtl.t_interval(with_shuffled).low < 0.01
    assert with_true.mean() > with_shuffled.mean() + 0.02


def test_with_the_sum_instead_of_the_mean_the_useful_lambda_no_longer_shrinks(monkeypatch):
    """If L were the sum over patients, the best λ would be n times as large: its slope against n is larger by one."""
    source = hospitals.train_source(mtl.load("heart", site="cleveland"))
    target = mtl.load("heart", site="va")

    def best_lambda(n, seed):
        drawn = mtl.split_table(target, seed=seed, n_train=n, val=0.05)
        x, y, test_x = source.prepare(drawn.train.x), torch.as_tensor(drawn.train.y), source.prepare(drawn.test.x)
        test_y, penalty = torch.as_tensor(drawn.test.y), mtl.L2SP(mtl.losses.snapshot(source.model))
        models = [hospitals.fit_target(source, penalty, x, y, lam) for lam in hospitals.LAMBDAS]
        return hospitals.LAMBDAS[int(np.argmin([hospitals.log_loss(model, test_x, test_y) for model in models]))]

    def slope():
        small, large = (np.mean([np.log(best_lambda(n, seed)) for seed in range(4)]) for n in (10, 80))
        return (large - small) / np.log(80 / 10)

    with_mean = slope()
    monkeypatch.setattr(
        hospitals,
        "transfer_loss",
        lambda model, x, y, penalty, lam: F.cross_entropy(model(x), y, reduction="sum") + lam * penalty(model),
    )
    assert slope() - with_mean > 0.5
