"""Data sets and their preparation, as NumPy arrays."""
