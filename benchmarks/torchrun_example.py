"""The course's network on several processors or graphics cards, with nothing but torch's own tools.

    python benchmarks/torchrun_example.py                                              # one process
    torchrun --standalone --nproc-per-node 2 benchmarks/torchrun_example.py            # two, on one machine

``DistributedDataParallel`` averages the gradients of the processes after each backward pass. Every process draws the
same order of the images and takes its own share of each batch, all shares equally large; the mean of the shares'
gradients is then the gradient of the whole batch, and a step is that of one process up to rounding (which grows from
step to step, as between any two machines). That holds for group norm. Batch norm would normalise every share by itself:
wrap it with ``SyncBatchNorm`` first, or it is another network. ``mtl.fit`` knows nothing of all this.

On graphics cards the forward pass runs in bfloat16 (mixed precision); weights and gradients stay float32.
"""

import argparse
import os

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

import medtl_helpers as mtl


def train(task, *, epochs: int, batch_size: int, lr: float = 0.05):
    """A ``CourseCNN`` trained by all processes of the group together; every process returns the same weights."""
    rank, world = dist.get_rank(), dist.get_world_size()
    if batch_size % world:
        raise ValueError(f"A batch of {batch_size} images has no equal shares for {world} processes: take a multiple.")
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    mtl.seed_everything(0)  # the same start everywhere
    model = mtl.CourseCNN(task.train.x.shape[1], len(task.classes)).to(device)
    shared = DistributedDataParallel(model, device_ids=[device.index] if cuda else None)
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    for epoch in range(epochs):
        order = torch.randperm(len(task.train.y), generator=torch.Generator().manual_seed(epoch))  # the same everywhere
        for batch in order[: len(order) // batch_size * batch_size].split(batch_size):
            share = batch[rank::world]
            x, y = mtl.to_float(task.train.x[share].to(device)), task.train.y[share].to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
                loss = F.cross_entropy(shared(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--save", help="file for the weights, written by the first process")
    args = parser.parse_args()
    if "RANK" not in os.environ:  # started without torchrun
        os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="localhost", MASTER_PORT="0")
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        task = mtl.load("blood", quiet=dist.get_rank() > 0)
        model = train(task, epochs=args.epochs, batch_size=args.batch_size)
        if dist.get_rank() == 0:
            right = mtl.predict(model, task.val.x).argmax(1) == task.val.y
            print(f"{dist.get_world_size()} processes: validation accuracy {right.float().mean():.3f}")
            if args.save:
                torch.save(model.state_dict(), args.save)
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
