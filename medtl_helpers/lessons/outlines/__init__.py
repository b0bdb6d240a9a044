"""Lesson 12: outlines that carry from one modality to another, and those that do not."""
