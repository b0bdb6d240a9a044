"""The answers to the exercises of notebook 04."""

EXERCISES = {}
