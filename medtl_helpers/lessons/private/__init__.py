"""Lesson 14: what federation, noise and attacks cost, and what a private probe on public drawn features reaches."""
