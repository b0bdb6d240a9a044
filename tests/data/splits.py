"""The three splits of a task by name."""


def splits(task):
    return {"train": task.train, "val": task.val, "test": task.test}
