"""Keras 1.2.2's layers as torch modules, one family a file."""

from bigdl.layers import direct_lookup as _direct_lookup  # noqa: F401
from bigdl.layers import lowering as _lowering  # noqa: F401 - what the layers are in programs
from bigdl.layers import spatial_lowering as _spatial_lowering  # noqa: F401
from bigdl.layers.advanced_activations import ELU as ELU
from bigdl.layers.advanced_activations import LeakyReLU as LeakyReLU
from bigdl.layers.advanced_activations import ParametricSoftplus as ParametricSoftplus
from bigdl.layers.advanced_activations import PReLU as PReLU
from bigdl.layers.advanced_activations import SReLU as SReLU
from bigdl.layers.advanced_activations import ThresholdedReLU as ThresholdedReLU
from bigdl.layers.atrous import AtrousConv1D as AtrousConv1D
from bigdl.layers.atrous import AtrousConv2D as AtrousConv2D
from bigdl.layers.atrous import AtrousConvolution1D as AtrousConvolution1D
from bigdl.layers.atrous import AtrousConvolution2D as AtrousConvolution2D
from bigdl.layers.convolution import Conv1D as Conv1D
from bigdl.layers.convolution import Conv2D as Conv2D
from bigdl.layers.convolution import Conv3D as Conv3D
from bigdl.layers.convolution import Convolution1D as Convolution1D
from bigdl.layers.convolution import Convolution2D as Convolution2D
from bigdl.layers.convolution import Convolution3D as Convolution3D
from bigdl.layers.convolutional_recurrent import ConvLSTM2D as ConvLSTM2D
from bigdl.layers.core import Activation as Activation
from bigdl.layers.core import Dense as Dense
from bigdl.layers.core import Flatten as Flatten
from bigdl.layers.core import Permute as Permute
from bigdl.layers.core import RepeatVector as RepeatVector
from bigdl.layers.core import Reshape as Reshape
from bigdl.layers.cropping import Cropping1D as Cropping1D
from bigdl.layers.cropping import Cropping2D as Cropping2D
from bigdl.layers.cropping import Cropping3D as Cropping3D
from bigdl.layers.deconvolution import Deconv2D as Deconv2D
from bigdl.layers.deconvolution import Deconvolution2D as Deconvolution2D
from bigdl.layers.dense_variants import Highway as Highway
from bigdl.layers.dense_variants import MaxoutDense as MaxoutDense
from bigdl.layers.embeddings import Embedding as Embedding
from bigdl.layers.global_pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from bigdl.layers.global_pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from bigdl.layers.global_pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
from bigdl.layers.global_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from bigdl.layers.global_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from bigdl.layers.global_pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
from bigdl.layers.lambda_layer import Lambda as Lambda
from bigdl.layers.local import LocallyConnected1D as LocallyConnected1D
from bigdl.layers.local import LocallyConnected2D as LocallyConnected2D
from bigdl.layers.masking import Masking as Masking
from bigdl.layers.merge import Merge as Merge
from bigdl.layers.merge import merge as merge
from bigdl.layers.noise import Dropout as Dropout
from bigdl.layers.noise import GaussianDropout as GaussianDropout
from bigdl.layers.noise import GaussianNoise as GaussianNoise
from bigdl.layers.noise import SpatialDropout1D as SpatialDropout1D
from bigdl.layers.noise import SpatialDropout2D as SpatialDropout2D
from bigdl.layers.noise import SpatialDropout3D as SpatialDropout3D
from bigdl.layers.normalization import BatchNormalization as BatchNormalization
from bigdl.layers.padding import ZeroPadding1D as ZeroPadding1D
from bigdl.layers.padding import ZeroPadding2D as ZeroPadding2D
from bigdl.layers.padding import ZeroPadding3D as ZeroPadding3D
from bigdl.layers.pooling import AveragePooling1D as AveragePooling1D
from bigdl.layers.pooling import AveragePooling2D as AveragePooling2D
from bigdl.layers.pooling import AveragePooling3D as AveragePooling3D
from bigdl.layers.pooling import MaxPooling1D as MaxPooling1D
from bigdl.layers.pooling import MaxPooling2D as MaxPooling2D
from bigdl.layers.pooling import MaxPooling3D as MaxPooling3D
from bigdl.layers.recurrent import GRU as GRU
from bigdl.layers.recurrent import LSTM as LSTM
from bigdl.layers.recurrent import SimpleRNN as SimpleRNN
from bigdl.layers.recurrent import lowering as _recurrent_lowering  # noqa: F401
from bigdl.layers.recurrent.kernels import direct as _direct  # noqa: F401
from bigdl.layers.regularization import ActivityRegularization as ActivityRegularization
from bigdl.layers.separable import SeparableConv2D as SeparableConv2D
from bigdl.layers.separable import SeparableConvolution2D as SeparableConvolution2D
from bigdl.layers.time_distributed_dense import TimeDistributedDense as TimeDistributedDense
from bigdl.layers.upsampling import UpSampling1D as UpSampling1D
from bigdl.layers.upsampling import UpSampling2D as UpSampling2D
from bigdl.layers.upsampling import UpSampling3D as UpSampling3D
from bigdl.layers.wrappers import Bidirectional as Bidirectional
from bigdl.layers.wrappers import TimeDistributed as TimeDistributed
