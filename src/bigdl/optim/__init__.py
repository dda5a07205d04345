"""BigDL's ``bigdl.optim``."""
