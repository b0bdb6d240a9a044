"""Lessons: per topic the experiment, the figures and the answers; a lesson imports no other lesson."""
