"""Open Keras 1.x models on PyTorch."""
