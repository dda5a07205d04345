"""Pictures: reading, changing at random, and batches of them; as Keras 1.2.2's ``preprocessing.image``."""

from bigdl.data.images.affine import apply_transform as apply_transform
from bigdl.data.images.affine import flip_axis as flip_axis
from bigdl.data.images.affine import transform_matrix_offset_center as transform_matrix_offset_center
from bigdl.data.images.generator import ImageDataGenerator as ImageDataGenerator
from bigdl.data.images.iterators import DirectoryIterator as DirectoryIterator
from bigdl.data.images.iterators import Iterator as Iterator
from bigdl.data.images.iterators import NumpyArrayIterator as NumpyArrayIterator
from bigdl.data.images.pictures import array_to_img as array_to_img
from bigdl.data.images.pictures import img_to_array as img_to_array
from bigdl.data.images.pictures import list_pictures as list_pictures
from bigdl.data.images.pictures import load_img as load_img
from bigdl.data.images.transforms import random_channel_shift as random_channel_shift
from bigdl.data.images.transforms import random_rotation as random_rotation
from bigdl.data.images.transforms import random_shear as random_shear
from bigdl.data.images.transforms import random_shift as random_shift
from bigdl.data.images.transforms import random_zoom as random_zoom
