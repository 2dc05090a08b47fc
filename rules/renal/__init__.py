"""Kidney function: the starting dose it asks for, and what changes of it mean."""
