"""Lesson 11: does pre-training beat eight descriptors? Molecules as graphs, scaffolds, and a screen for rare hits."""
