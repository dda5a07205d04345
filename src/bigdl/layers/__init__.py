"""Keras 1.2.2's layers as torch modules, one family a file."""

from bigdl.layers.advanced_activations import ELU as ELU
from bigdl.layers.advanced_activations import LeakyReLU as LeakyReLU
from bigdl.layers.advanced_activations import ParametricSoftplus as ParametricSoftplus
from bigdl.layers.advanced_activations import PReLU as PReLU
from bigdl.layers.advanced_activations import SReLU as SReLU
from bigdl.layers.advanced_activations import ThresholdedReLU as ThresholdedReLU
from bigdl.layers.convolution import Convolution2D as Convolution2D
from bigdl.layers.core import Activation as Activation
from bigdl.layers.core import Dense as Dense
from bigdl.layers.core import Flatten as Flatten
from bigdl.layers.core import Permute as Permute
from bigdl.layers.core import RepeatVector as RepeatVector
from bigdl.layers.core import Reshape as Reshape
from bigdl.layers.dense_variants import Highway as Highway
from bigdl.layers.dense_variants import MaxoutDense as MaxoutDense
from bigdl.layers.noise import Dropout as Dropout
from bigdl.layers.pooling import AveragePooling2D as AveragePooling2D
from bigdl.layers.pooling import MaxPooling2D as MaxPooling2D
from bigdl.layers.regularization import ActivityRegularization as ActivityRegularization
