"""Lessons 01 and 01b: what is minimised, and what it brings between four hospitals' tables."""
