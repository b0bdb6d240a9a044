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
from scipy.stats import t
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from ...data.tasks import Split, Task
from ...devices import seed_everything
from ...methods.intervals import BesideMargin, Interval, holm
from ...teaching.records import Record

LABELS = (20, 100, 500)  # in all
BATCH = 32

# --- without a label -------------------------------------------------------------------------------------------------

# The phrases of NegEx, the algorithm of Chapman et al., J Biomed Inform 34 (2001), 301, doi 10.1006/jbin.2001.1029, in
# the list that its authors publish, which has the words that end a scope, too. "Possible" counts as affirmed. Written
# down once, from that list, before a real sentence was scored with it.
BEFORE = (
    r"no|not|cannot|without|den(?:ied|ies|ying)|declin(?:ed|es)|absence of|free of|(?:negative|unremarkable) for|resolved|"
    r"never (?:had|developed)|rather than|fails to reveal|to exclude|(?:checked|test|evaluate) for|"
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


# The same for "is it historical?": ConText, Harkema et al., J Biomed Inform 42 (2009), 839, doi 10.1016/j.jbi.2009.05.002.
HISTORY = r"history|known to have|experiences|in the past for|pre ?- ?existing"
NO_HISTORY = (
    r"history ?,? (?:and|physical|taking|from|of chief complaint|of present illness)|day history of|know if|if negative|"
    r"(?:social|clinical|patient|poor|detailed) history"
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
