"""Lesson 10: what a few labels, drawn sentences and a rule are worth on real medical text."""
