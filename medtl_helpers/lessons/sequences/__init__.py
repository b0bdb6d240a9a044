"""Lesson 09: what drawn biology knows of real DNA."""
