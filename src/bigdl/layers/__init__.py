"""Keras 1.2.2's layers as torch modules, one family a file."""

from bigdl.layers.convolution import Convolution2D as Convolution2D
from bigdl.layers.core import Activation as Activation
from bigdl.layers.core import Dense as Dense
from bigdl.layers.core import Flatten as Flatten
from bigdl.layers.core import Permute as Permute
from bigdl.layers.core import RepeatVector as RepeatVector
from bigdl.layers.core import Reshape as Reshape
from bigdl.layers.noise import Dropout as Dropout
from bigdl.layers.pooling import AveragePooling2D as AveragePooling2D
from bigdl.layers.pooling import MaxPooling2D as MaxPooling2D
