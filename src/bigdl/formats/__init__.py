"""Model files to the neutral form and back."""
