"""What lesson 10 and its benchmark share: every way to read a finding in a sentence, with no label or with few.

All ways answer with probabilities N×2, the second of the class that is asked for ("negated", "historical"). All decide
at one half, and all weigh the two classes alike (``class_weight="balanced"``), because balanced accuracy is the score.
"""

import copy
import re
from collections.abc import Callable, Iterable
from math import inf

import numpy as np
import torch
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from ...data.tasks import Split, Task
from ...data.tokens import report_pieces, texts
from ...data.word_pieces import LENGTH
from ...devices import seed_everything
from ...methods.adapters import adapters, bitfit, soft_prompt
from ...methods.finetune import probe
from ...methods.intervals import Interval, holm
from ...methods.lora import lora
from ...methods.margins import BesideMargin, p_beyond
from ...methods.predict import predict
from ...methods.text_weights import load_report_encoder
from ...methods.train import fit
from ...methods.transformer import TextPool, TextTransformer
from ...teaching.records import Record

LABELS = (20, 100, 500)  # in all
BATCH = 32
MASKED = {  # how masked words of the target's training rows are learnt, from nothing and from drawn sentences
    "masked words": {"epochs": 25, "batch_size": 32},
    "grammar and masked words": {"epochs": 10, "batch_size": 32, "lr": 3e-4},
}
# by question, way and labels in all; chosen on seeds that are not reported
SETTINGS: dict[str, dict[str, dict[int, dict]]] = {
    "negated": {
        "TF-IDF": {20: {"window": 24, "c": 100.0}, 100: {"window": 5, "c": 0.1}},
        "TF-IDF, sides": {20: {"window": 5, "c": 0.1}, 100: {"window": 5, "c": 1.0}},
        "TF-IDF, sides, LSA": {20: {"window": 5, "c": 1.0, "axes": 100}, 100: {"window": 5, "c": 100.0, "axes": 20}},
        "from scratch": {20: {"lr": 0.003, "steps": 120}, 100: {"lr": 0.003, "steps": 60}},
        "from scratch, 4 × as long": {20: {"lr": 0.003, "steps": 480}},
        "grammar and masked words, full": {20: {"lr": 0.0001, "steps": 120}},
        "grammar, BitFit": {20: {"lr": 0.01, "steps": 120}},
        "grammar, LoRA": {20: {"lr": 0.0003, "steps": 120}, 100: {"lr": 0.0003, "steps": 240}},
        "grammar, adapters": {20: {"lr": 0.001, "steps": 30}},
        "grammar, full": {20: {"lr": 0.0001, "steps": 120}, 100: {"lr": 0.001, "steps": 240}},
        "grammar, probe": {20: {"lr": 0.001, "steps": 120}, 100: {"lr": 0.01, "steps": 60}},
        "grammar, soft prompt": {20: {"lr": 0.003, "steps": 30}},
        "masked words, fine-tuned": {20: {"lr": 0.0003, "steps": 120}, 100: {"lr": 0.0001, "steps": 240}},
        "masked words, probe": {20: {"lr": 0.01, "steps": 120}, 100: {"lr": 0.03, "steps": 60}},
        "random features": {20: {"lr": 0.03, "steps": 120}, 100: {"lr": 0.001, "steps": 240}},
        "small, from scratch": {20: {"lr": 0.003, "steps": 120}, 100: {"lr": 0.001, "steps": 240}},
    },
    "historical": {
        "TF-IDF": {100: {"window": 24, "c": 1.0}},
        "TF-IDF, sides": {100: {"window": 24, "c": 100.0}},
        "from scratch": {100: {"lr": 0.003, "steps": 60}},
        "grammar, BitFit": {100: {"lr": 0.01, "steps": 60}},
        "grammar, LoRA": {100: {"lr": 0.003, "steps": 60}},
        "grammar, full": {100: {"lr": 0.001, "steps": 240}},
        "grammar, probe": {100: {"lr": 0.03, "steps": 240}},
    },
    "abstracts": {
        "TF-IDF": {100: {"window": 128, "c": 0.1}},
        "from scratch": {100: {"lr": 0.001, "steps": 240}},
        "grammar, full": {100: {"lr": 0.0003, "steps": 240}},
    },
}

# --- without a label -------------------------------------------------------------------------------------------------

# The phrases of NegEx, the algorithm of Chapman et al., J Biomed Inform 34 (2001), 301, doi 10.1006/jbin.2001.1029, in
# the list that its authors publish, which has the words that end a scope, too. "Possible" counts as affirmed. Written
# down once, from that list, before a real sentence was scored with it.
BEFORE = (
    r"no|not|cannot|without|den(?:ied|ies|ying)|declin(?:ed|es)|absence of|free of|(?:negative|unremarkable) for|"
    r"resolved|never (?:had|developed)|rather than|fails to reveal|to exclude|(?:checked|test|evaluate) for|"
    r"(?:rule[sd]|(?:can|did|(?:adequate|sufficient) to) rule) (?:him |her |the patient )?out"
)
AFTER = r"unlikely|free|(?:is|are|was|has been|have been) ruled out"
PSEUDO = (
    r"no (?:(?:significant |suspicious |interval |definite )*change|increase)|gram negative|without difficulty|"
    r"not (?:extend|cause|drain|certain if|certain whether|necessarily|only|(?:been )?ruled? out)|be ruled out"
)
ENDS = (
    r"but|however|nevertheless|yet|(?:al)?though|still|except|(?:aside|apart) from|secondary to|"
    r"(?<!no )(?:causes?|sources?|reasons?|etiology|origins?|trigger event) (?:of|for)|other possibilities of"
)


def negation_rule(text: str) -> bool:
    """Whether ``[finding]`` is negated in a text of ``mtl.texts``: a phrase before it in its scope, or close after."""
    text = re.sub(rf"\b(?:{PSEUDO})\b", "but", text.lower())  # looks like a negation, and ends the one before it
    before, _, after = text.partition("[finding]")
    scope = re.split(rf"\b(?:{ENDS})\b|\w{{3}} ?\. ", before)[-1]
    near = " ".join(after.split()[:5])
    return bool(re.search(rf"\b(?:{BEFORE})\b", scope) or re.search(rf"\b(?:{AFTER})\b", near))


# The same for "is it historical?", from ConText: Harkema et al., J Biomed Inform 42 (2009), 839, doi
# 10.1016/j.jbi.2009.05.002.
HISTORY = r"history|known to have|experiences|in the past for|pre ?- ?existing"
NO_HISTORY = (
    r"history ?,? (?:and|physical|taking|from|of chief complaint|of present illness)|day history of|know if|"
    r"if negative|(?:social|clinical|patient|poor|detailed) history"
)
NOW = (
    r"sudden onset of|present(?:ed|s|ing)|complain(?:s|ing)|com(?:ing|es) in with|was found|states|report(?:s|ed)|"
    r"currently|today|noted|consistent with|ed|emergency department|recent"
)


def history_rule(text: str) -> bool:
    """Whether ``[finding]`` is historical: "history" before it in its scope, or "status post", "prior" right before."""
    before = re.sub(rf"\b(?:{NO_HISTORY})\b", "today", text.lower()).partition("[finding]")[0]
    scope = re.split(rf"\b(?:{NOW})\b|\w{{3}} ?\. ", before)[-1]
    return bool(
        re.search(rf"\b(?:{HISTORY})\b", scope) or re.search(r"\b(?:status post|s ?/ ?p|prior|previous) $", before)
    )


RULES = {"negated": negation_rule, "historical": history_rule}


def as_answers(yes: Iterable[bool]) -> np.ndarray:
    """Probabilities N×2 of a rule, which has none: 0.9 for its answer."""
    p = np.where(np.fromiter(yes, bool), 0.9, 0.1)
    return np.stack([1 - p, p], 1)


# --- with few labels, and no network ---------------------------------------------------------------------------------


def few_labels(task: Task, n: int, seed: int) -> Split:
    """``n`` training rows, half of each class as ``few_shot`` draws them, or all of a class that has fewer."""
    order = torch.randperm(len(task.train.y), generator=torch.Generator().manual_seed(seed))
    rows = [order[task.train.y[order] == k] for k in range(2)]
    rarer = min(n // 2, *map(len, rows))
    at = torch.cat([part[: rarer if len(part) <= n // 2 else n - rarer] for part in rows])
    return Split(task.train.x[at], task.train.y[at])


WORDS = r"[a-z0]+"  # as tokens writes them: no upper case, and every number is 0


def near(text: str, window: int) -> str:
    """``window`` words on either side of ``[finding]``, in their order."""
    before, _, after = text.partition("[finding]")
    return " ".join([*re.findall(WORDS, before)[-window:], "finding", *re.findall(WORDS, after)[:window]])


def by_side(text: str, window: int) -> str:
    """The same words, each marked with the side on which it stands: "no" before the finding is not "no" after it."""
    before, _, after = text.partition("[finding]")
    left, right = re.findall(WORDS, before)[-window:], re.findall(WORDS, after)[:window]
    return " ".join([f"{word}_before" for word in left] + [f"{word}_after" for word in right])


CLASSICAL: dict[str, Callable[[str, int], str]] = {
    "TF-IDF": near,
    "TF-IDF, sides": by_side,
    "TF-IDF, sides, LSA": by_side,
}


def word_regression(
    way: str, few: tuple[list[str], np.ndarray], unlabelled: list[str], *, window: int, c: float, axes: int = 0
) -> Callable[[list[str]], np.ndarray]:
    """Logistic regression on TF-IDF of words and pairs of words, as a function from texts to probabilities N×2.

    The words and their weights come from all ``unlabelled`` texts, as a pre-training would. With ``axes`` the
    regression sees so many singular vectors of these in place of the words (latent semantic analysis).
    """
    shown = lambda texts: [CLASSICAL[way](text, window) for text in texts]  # noqa: E731
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", sublinear_tf=True, min_df=2)
    counted = words.fit_transform(shown(unlabelled))
    if axes:
        axes = min(axes, counted.shape[1] - 1)
        semantic = TruncatedSVD(axes, random_state=0).fit(counted)
        features = lambda texts: semantic.transform(words.transform(shown(texts)))  # noqa: E731
    else:
        features = lambda texts: words.transform(shown(texts))  # noqa: E731
    texts, y = few
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=2000).fit(features(texts), y)
    return lambda new: model.predict_proba(features(new))


# --- with few labels, and a network ----------------------------------------------------------------------------------

NETWORKS = {  # way -> where its weights come from, and what trains
    "from scratch": ("random", "full"),
    "small, from scratch": ("small", "full"),
    "from scratch, 4 × as long": ("random", "full"),
    "random features": ("random", "probe"),
    "masked words, fine-tuned": ("masked words", "full"),
    "masked words, probe": ("masked words", "probe"),
    "grammar, probe": ("grammar", "probe"),
    "grammar, full": ("grammar", "full"),
    "grammar, LoRA": ("grammar", "LoRA"),
    "grammar, BitFit": ("grammar", "BitFit"),
    "grammar, adapters": ("grammar", "adapters"),
    "grammar, soft prompt": ("grammar", "soft prompt"),
    "grammar and masked words, full": ("grammar and masked words", "full"),
}
SECONDARY = {  # ours, theirs, labels, (question,) margin
    "TF-IDF": ("masked words, fine-tuned", "TF-IDF, sides", 20, 0.05),
    "rule": ("grammar, zero-shot", "rule", 20, 0.02),
    **{f"LoRA − full, {n}": ("grammar, LoRA", "grammar, full", n, 0.02) for n in LABELS},
    **{f"LoRA − frozen, {n}": ("grammar, LoRA", "grammar, probe", n, 0.02) for n in LABELS},
    "both": ("grammar and masked words, full", "grammar, full", 20, 0.02),
    "historical": ("grammar, full", "TF-IDF", 100, "historical", 0.05),
    "historical, scratch": ("grammar, full", "from scratch", 100, "historical", 0.05),
}
LONGER = ", 4 × as long"
FEW_WEIGHTS = {"LoRA": lora, "BitFit": bitfit, "adapters": adapters, "soft prompt": soft_prompt}


def untrained(seed: int, small: bool = False) -> TextTransformer:
    """The network of the lesson, or one of a quarter of its width and one block, with the embedded vocabulary."""
    seed_everything(seed)
    return TextTransformer(2, len(report_pieces()), **({"width": 16, "depth": 1} if small else {}))


def text_network(start: str, seed: int, known: Callable[[str], TextTransformer], new_head: bool) -> TextTransformer:
    """A network to be trained: ``known`` has those that were pre-trained, by the name of their ``start``.

    ``new_head`` gives what knows another question an untrained head.
    """
    model = untrained(seed, start == "small") if start in ("random", "small") else copy.deepcopy(known(start))
    if new_head or start == "masked words":
        seed_everything(seed)
        model.head = nn.Linear(model.width, 2)
    return model


def train_on_texts(
    model: TextTransformer, trains: str, few: Split, seed: int, *, lr: float, steps: int
) -> TextTransformer:
    """``model`` after ``steps`` steps on ``few`` of the weights that train, in place."""
    epochs = -(-steps // -(-len(few.y) // BATCH))
    how = {"epochs": epochs, "batch_size": BATCH, "seed": seed, "class_weight": "balanced", "progress": False}
    if trains == "probe":
        probe(model, few, lr=lr, **how)
        return model
    if trains in FEW_WEIGHTS:
        seed_everything(seed)
        FEW_WEIGHTS[trains](model)
    fit(model, few, lr=lr, **how)
    return model


def text_answers(
    way: str, few: Split, unlabelled: Tensor, x: Tensor, seed: int, how: dict, known, new_head: bool = False
) -> np.ndarray:
    """Probabilities N×2 for ``x`` of a ``way`` with few labels, by the settings ``how``."""
    if way in CLASSICAL:
        learnt = word_regression(way, (texts(few.x), few.y.numpy()), texts(unlabelled), **how)
        return learnt(texts(x))
    start, trains = NETWORKS[way]
    model = train_on_texts(text_network(start, seed, known, new_head), trains, few, seed, **how)
    return predict(model, x).double().numpy()


def text_scores(p: np.ndarray, y) -> dict[str, float]:
    """Balanced accuracy of the most probable class, AUROC (of many classes their mean), accuracy, log loss (nats).

    Of two classes sensitivity and specificity, too.
    """
    y, answer = np.asarray(y), p.argmax(1)
    found = [(answer[y == k] == k).mean() for k in range(p.shape[1])]
    scores = {
        "balanced accuracy": np.mean(found),
        "auroc": roc_auc_score(np.eye(p.shape[1])[y], p, average="macro"),
        "accuracy": (answer == y).mean(),
        "log loss": -np.log(p[np.arange(len(y)), y].clip(1e-7)).mean(),
    }
    return scores | ({"sensitivity": found[1], "specificity": found[0]} if len(found) == 2 else {})


# --- where the encoder is out of its depth ---------------------------------------------------------------------------


def abstract_answers(way: str, few: Split, unlabelled: Tensor, x: Tensor, seed: int, how: dict) -> np.ndarray:
    """Probabilities N×5 for abstracts of 128 tokens, in which no finding is asked for, so that the pool is the mean.

    From the grammar comes the encoder of sentences; it reads the first 48 tokens.
    """
    if way in CLASSICAL:
        return word_regression(way, (texts(few.x), few.y.numpy()), texts(unlabelled), **how)(texts(x))
    classes = int(few.y.max()) + 1
    seed_everything(seed)
    if way == "from scratch":
        model = TextTransformer(classes, len(report_pieces()), x.shape[1], pool="mean")
    else:
        model = load_report_encoder(classes, quiet=True)
        model.pool = TextPool("mean", 0)
        few, x = Split(few.x[:, :LENGTH].contiguous(), few.y), x[:, :LENGTH].contiguous()
    return predict(train_on_texts(model, "full", few, seed, **how), x).double().numpy()


def text_settings(question: str, way: str, n: int) -> dict:
    """How a way learns from ``n`` labels: as was chosen for twenty, or for a hundred, where both were tried."""
    chosen = SETTINGS[question][way]
    return chosen[20 if (n < 100 and 20 in chosen) or 100 not in chosen else 100]


# --- the record ------------------------------------------------------------------------------------------------------


def text_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The secondary comparisons of ``benchmarks/text.py``, in its order, from ``Record("text", stage="report")``."""

    def beside(ours: str, theirs: str, labels: int, question: str = "negated") -> tuple[Interval, float]:
        where = {"data": "real", "kind": "labels", "question": question, "labels": labels}
        return record.over_cases(ours, theirs, **where), inf

    found = {name: (*beside(*asked), margin) for name, (*asked, margin) in SECONDARY.items()}
    where = {"data": "real", "kind": "forgetting"}
    forgotten = record.paired("grammar, LoRA", "grammar, full", **where)
    found["forgetting"] = (forgotten, forgotten.n - 1, 0.05)
    raw = [p_beyond(interval, margin, df) for interval, df, margin in found.values()]
    return {
        name: BesideMargin(interval, margin, p, before)
        for (name, (interval, _, margin)), p, before in zip(found.items(), holm(raw), raw, strict=True)
    }
