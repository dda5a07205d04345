"""BigDL's ``bigdl.util``."""
