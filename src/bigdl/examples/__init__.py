"""BigDL's ``bigdl.examples``: helpers that its example scripts import."""
