"""What ``test_distributed.py`` runs in one process, and in two: several trainings, and what each process ends with."""

import sys
from pathlib import Path

import torch
from networks import QUIET, data, network

import medtl_helpers as mtl
from medtl_helpers.console import say
from medtl_helpers.methods import distributed
from medtl_helpers.methods.losses import L2SP, snapshot


def sgd(model):
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.02, momentum=0.9)


def results(folder: str) -> dict:
    train, val, found = data(43), data(19, seed=1), {}  # batches of 16, 16 and 11, whose shares are 8 and 8, 6 and 5
    one_left = data(33, seed=2)  # and one whose last batch is a single example
    options = {"epochs": 3, "batch_size": 16, "seed": 5, **QUIET}

    def keep(name, model, history):
        found[name] = {"state": model.state_dict(), "history": (history.train_loss, history.val_loss)}

    model = network("CourseCNN")
    keep("fit", model, mtl.fit(model, train, val, optimizer=sgd(model), **options))
    start, model = snapshot(model), network("CourseCNN", 1)
    everything = {
        "augment": mtl.augment,
        "class_weight": torch.tensor([1.0, 5.0, 0.2]),
        "schedule": lambda progress: 1 - progress,
        "penalty": lambda model: 0.1 * L2SP(start)(model),
        "patience": 1,
    }
    keep("every option", model, mtl.fit(model, one_left, val, optimizer=sgd(model), **everything, **options))
    model = network("small_resnet")
    keep("probe", model, mtl.probe(model, train, val, **options))
    model = network("CourseCNN", 4)
    keep(
        "fine-tuned behind frozen stages", model, mtl.fine_tune(model, train, frozen_upto="stage1", lr=1e-4, **options)
    )
    model = network("CourseCNN", 2)
    keep("lp_ft", model, mtl.lp_ft(model, train, val, probe_epochs=2, lr=1e-4, **options))
    task = mtl.load_folder(folder, size=16, channels=3, stream=True)
    model = network("CourseCNN", 3)
    keep("streamed", model, mtl.fit(model, task.train, task.val, optimizer=sgd(model), **options))
    found["predictions"] = mtl.predict(model, task.test.x)
    for name in ("batch norm", "batch norm again"):  # which is told once
        model = network("CourseCNN, batch norm")
        keep(name, model, mtl.fit(model, train, val, **options))
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    with distributed.started():
        found = results(sys.argv[1])
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        found["rank"] = rank, distributed.is_main(), distributed.agree(f"said by {rank}")
        say("said once")
        torch.save(found, Path(sys.argv[2]) / f"{rank}.pt")
