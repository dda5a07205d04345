"""BigDL's helpers for its LeNet example."""
