"""BigDL's ``bigdl.nn``."""
