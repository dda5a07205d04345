"""The data sets of Keras 1.2.2, in its form, from files that are there."""
