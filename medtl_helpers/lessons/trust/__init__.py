"""Lesson 06: what a number is worth: for new patients, sites and groups."""
