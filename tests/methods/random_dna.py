"""Random sequences for the tests, as letters and as the float32 N×4×L that the methods take."""

import random

import torch


def letters(n=12, length=20, seed=0) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choices("ACGT", k=length)) for _ in range(n)]


def one_hot_of(words: list[str]) -> torch.Tensor:
    """Letter by letter; N is 1/4 each."""
    x = torch.zeros(len(words), 4, len(words[0]))
    for row, word in enumerate(words):
        for position, letter in enumerate(word):
            if letter == "N":
                x[row, :, position] = 0.25
            else:
                x[row, "ACGT".index(letter), position] = 1
    return x
