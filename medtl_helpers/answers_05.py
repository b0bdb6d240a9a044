"""The answers to the exercises of notebook 05."""

EXERCISES = {}
