"""The networks of ``nets`` in each framework: a builder has a method for each kind of layer, on tensors of its own."""
