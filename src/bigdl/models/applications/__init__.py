"""The networks of Keras 1.2.2's ``applications``: architectures, with weights from files."""

from bigdl.models.applications.inception_v3 import InceptionV3 as InceptionV3
from bigdl.models.applications.music_tagger_crnn import MusicTaggerCRNN as MusicTaggerCRNN
from bigdl.models.applications.resnet50 import ResNet50 as ResNet50
from bigdl.models.applications.vgg import VGG16 as VGG16
from bigdl.models.applications.vgg import VGG19 as VGG19
from bigdl.models.applications.xception import Xception as Xception
