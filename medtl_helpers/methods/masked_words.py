"""Pre-training on texts without labels: hide some words and let the network say what they were.

Devlin et al., BERT, NAACL 2019, section 3.1 (doi 10.18653/v1/N19-1423): of the words that are asked for, 80 in 100 are
hidden, 10 are replaced by another and 10 stay, so that every state must say what stands there. That a second
pre-training on the unlabelled texts of the target helps is of Gururangan et al., ACL 2020, doi
10.18653/v1/2020.acl-main.740. ``masked_bases.py`` does the same with DNA.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..labels import as_share
from .history import History
from .nets import check_staged
from .transformer import TextTransformer, as_tokens
from .unlabelled import check_unlabelled, train_without_labels

MASK, WORDS = 2, 5  # the token that hides a word, and the first that is a word: those below it are special


def hide_words(x: Tensor, vocabulary: int, generator: torch.Generator, share: float = 0.15) -> tuple[Tensor, Tensor]:
    """int32 N×L with some words hidden, and bool N×L, true at those that are asked for.

    Each token from ``WORDS`` on is asked for with probability ``share``: padding, unknown words and the finding never.
    """
    asked = (torch.rand(x.shape, generator=generator) < share).to(x.device) & (x >= WORDS)
    fate = torch.rand(x.shape, generator=generator).to(x.device)
    other = torch.randint(WORDS, vocabulary, x.shape, generator=generator, dtype=x.dtype).to(x.device)
    hidden = torch.where(fate < 0.8, MASK, torch.where(fate < 0.9, other, x))
    return torch.where(asked, hidden, x), asked


def masked_word_loss(
    model: Callable[[Tensor], Tensor],
    decoder: Callable[[Tensor], Tensor],
    x: Tensor,
    vocabulary: int,
    generator: torch.Generator,
    share: float = 0.15,
) -> Tensor:
    """The mean cross-entropy (nats) of the words that are asked for; knowing nothing it is log ``vocabulary``.

    ``model`` maps int32 N×L to states N×L×D, and ``decoder`` the M×D states of the M words that are asked for to their
    logits M×``vocabulary``. Where no word was asked for it is 0.
    """
    hidden, asked = hide_words(x, vocabulary, generator, share)
    logits = decoder(model(hidden)[asked])
    return F.cross_entropy(logits, x[asked].long(), reduction="sum") / asked.sum().clamp_min(1)


def pretrain_masked_words(
    model: TextTransformer,
    x,
    *,
    epochs: int = 30,
    batch_size: int = 64,
    lr: float = 1e-3,
    share: float = 0.15,
    seed: int = 0,
    device=None,
) -> History:
    """Train the stages of ``model`` on texts, int32 N×L, without labels, in place; its head is left as it is.

    The words are named by the vectors of the embedding, which is so used twice, and a bias of their own, thrown away
    afterwards. Returns the mean loss of each epoch as ``train_loss``. Raises ValueError for texts that are none, and
    settings with which nothing can be trained; TypeError for another network.
    """
    check_staged(model)
    if not isinstance(model, TextTransformer):
        raise TypeError(f"The model is a {type(model).__name__}: give a TextTransformer, which says what each word is.")
    epochs, batch_size, generator, device = check_unlabelled(epochs, batch_size, lr, seed, device)
    x, share = as_tokens(x).to(device), as_share(share, "share")
    token = model.to(device).get_parameter("stages.embed.token.weight")
    bias = nn.Parameter(torch.zeros(len(token), device=device))

    def loss(part: Tensor, generator: torch.Generator) -> Tensor:
        return masked_word_loss(model.states, lambda s: F.linear(s, token, bias), part, len(bias), generator, share)

    weights = [*model.stages.parameters(), bias]
    return train_without_labels(
        model, x, weights, loss, epochs=epochs, batch_size=batch_size, lr=lr, generator=generator
    )
