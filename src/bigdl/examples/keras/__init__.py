"""BigDL's ``bigdl.examples.keras``: helpers that its example scripts import."""
