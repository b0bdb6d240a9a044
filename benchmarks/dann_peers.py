"""Our DANN beside a bare loop and two other public implementations: target accuracy, and seconds per step.

    pip install skada skorch pytorch-adapt "setuptools<80"      # not part of the course
    python benchmarks/dann_peers.py

The same network (``CourseCNN`` with batch norm), images, epochs, batches and rate (Adam, 1e-3); all else is each
library's own default (reversal weight 1, their domain classifier, their loader). Seconds are measured in turns, in one
process on one thread: each round trains every implementation for one epoch. The accuracies are resumable, each a line
of ``_run/dann_peers.jsonl``.
"""

import argparse
import time
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from record import Log, fill, header, tidy, total_seconds, write
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.data import domains
from medtl_helpers.methods import dann

LOG = Log("dann_peers")
SHIFT, SEEDS, EPOCHS, BATCH, ROUNDS = ("texture", 0.6), range(100, 110), 15, 64, 5


def start(seed: int):
    """The same initial network for everybody."""
    mtl.seed_everything(seed)
    return mtl.CourseCNN(3, 0, norm="batch"), nn.Linear(64, 8)


def ours(source, target, seed: int, epochs: int, lam_max: float = 0.3):
    features, head = start(seed)
    model = dann.DANN(features, 64, 8)
    model.head = head
    model.fit(
        *source.train, target.train.x, epochs=epochs, batch_size=BATCH, lam_max=lam_max, seed=seed, progress=False
    )
    return lambda x: mtl.predict(model, x).argmax(1)


def bare_loop(source, target, seed: int, epochs: int):
    """What ``DANN.fit`` does, with nothing around it: no checks, no report, no validation."""
    features, head = start(seed)
    domain = dann.domain_classifier(64)
    parameters = [p for part in (features, head, domain) for p in part.parameters()]
    optimizer = torch.optim.AdamW(parameters, 1e-3, weight_decay=0.0)
    generator, steps, step = torch.Generator().manual_seed(seed), epochs * -(-len(source.train.y) // BATCH), 0
    for _ in range(epochs):
        for batch in torch.randperm(len(source.train.y), generator=generator).split(BATCH):
            p = step / steps
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * dann.rate_schedule(p)
            other = torch.randint(len(target.train.x), (BATCH,), generator=generator)
            x = mtl.to_float(torch.cat([source.train.x[batch], target.train.x[other]]))
            f = features(x)
            d = domain(dann.reverse_gradient(f, dann.lambda_schedule(p, 0.3)))
            loss = F.cross_entropy(head(f[: len(batch)]), source.train.y[batch])
            loss = loss + dann.domain_loss(d[: len(batch)], d[len(batch) :])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
    model = nn.Sequential(features, head)
    return lambda x: mtl.predict(model, x).argmax(1)


def skada(source, target, seed: int, epochs: int):
    from skada.deep import DANN

    features, head = start(seed)
    features.head = head
    net = DANN(
        features,
        layer_name="pool",
        num_features=64,
        batch_size=2 * BATCH,
        max_epochs=epochs,
        train_split=None,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        verbose=0,
    )
    x = torch.cat([source.train.x, target.train.x])
    y = torch.cat([source.train.y, torch.full((len(target.train.x),), -1)])  # −1: no label
    domain = torch.cat([torch.full((len(source.train.x),), 1), torch.full((len(target.train.x),), -2)])
    net.fit(mtl.to_float(x).numpy(), y.numpy(), domain.numpy())
    return lambda x: mtl.predict(features, x).argmax(1)


def pytorch_adapt(source, target, seed: int, epochs: int):
    from pytorch_adapt.hooks import DANNHook
    from pytorch_adapt.models import Discriminator

    features, head = start(seed)
    models = {"G": features, "C": head, "D": Discriminator(in_size=64, h=64)}
    optimizers = [torch.optim.Adam(model.parameters(), 1e-3) for model in models.values()]
    hook, generator = DANNHook(optimizers), torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in torch.randperm(len(source.train.y), generator=generator).split(BATCH):
            other = torch.randint(len(target.train.x), (len(batch),), generator=generator)
            data = {
                "src_imgs": mtl.to_float(source.train.x[batch]),
                "src_labels": source.train.y[batch],
                "target_imgs": mtl.to_float(target.train.x[other]),
                "src_domain": torch.zeros(len(batch)),
                "target_domain": torch.ones(len(batch)),
            }
            hook({**models, **data})
    model = nn.Sequential(features, head)
    return lambda x: mtl.predict(model, x).argmax(1)


def ours_at_one(source, target, seed: int, epochs: int):
    return ours(source, target, seed, epochs, lam_max=1.0)  # the others' default


IMPLEMENTATIONS = {
    "DANN.fit": ours,
    "DANN.fit, λ 1": ours_at_one,
    "bare loop": bare_loop,
    "skada": skada,
    "pytorch-adapt": pytorch_adapt,
}


CELLS = [{"way": way, "seed": seed} for seed in SEEDS for way in IMPLEMENTATIONS]


@lru_cache(1)  # all implementations of a seed see the same images
def domains_of(seed: int):
    return domains.smear_domains(SHIFT[0], seed, strength=SHIFT[1])


def compute(way: str, seed: int) -> list[dict]:
    """Accuracy of one implementation on both domains."""
    source, target = domains_of(seed)
    predict = IMPLEMENTATIONS[way](source, target, seed, EPOCHS)
    scores = {
        name: round((predict(d.test.x) == d.test.y).float().mean().item(), 4)
        for name, d in (("accuracy", target), ("accuracy on source", source))
    }
    return [{"scores": scores}]


def seconds_per_step() -> dict[str, np.ndarray]:
    """Of every implementation, one value per round."""
    source, target = domains_of(0)
    seconds = {way: [] for way in IMPLEMENTATIONS}
    steps = -(-len(source.train.y) // BATCH)
    for _ in range(ROUNDS):
        for way, train in IMPLEMENTATIONS.items():
            clock = time.perf_counter()
            train(source, target, 0, 1)
            seconds[way].append((time.perf_counter() - clock) / steps)
    return {way: np.array(values) for way, values in seconds.items()}


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    begin = time.perf_counter()
    seconds = seconds_per_step()
    clocked = time.perf_counter() - begin
    fill(LOG, CELLS, compute)
    runs = LOG.runs()
    rows = tidy(runs, CELLS)
    for row in rows:
        mine = seconds[row["way"]]
        row["seconds per step"] = round(float(np.median(mine)), 4)
        row["times the bare loop"] = [round(float(ratio), 3) for ratio in mine / seconds["bare loop"]]
        print(row["way"], row["seconds per step"], row["times the bare loop"])
    result = header(seeds=list(SEEDS), seconds=clocked + total_seconds(runs)) | {
        "score": "accuracy",
        "data": "twin",
        "shift": SHIFT,
        "epochs": EPOCHS,
        "rows": rows,
    }
    write("dann_peers", result)


if __name__ == "__main__":
    main()
