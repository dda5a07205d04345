"""BigDL's ``bigdl.nn.keras``, its Keras-style API: Keras 1.2.2's models and layers, with Keras's defaults."""
