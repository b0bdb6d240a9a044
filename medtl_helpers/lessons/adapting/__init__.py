"""Lesson 08: adapting to a target without its labels, and who may choose the way."""
