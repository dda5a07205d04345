"""BigDL's ``bigdl.dataset``: data sets and their preparation."""
