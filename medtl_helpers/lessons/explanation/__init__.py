"""Lesson 13: what a saliency map shows of a network whose reason is known, and what it does not."""
