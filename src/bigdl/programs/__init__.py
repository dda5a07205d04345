"""Models as flat lists of tensor operations, joined where that computes the same in less time.

A graph's plan walks layers, each a module with a shape to restore and a mask to pass on. A program walks operations:
what layers say they compute (``lowers``) is written down once, and neighbours are joined. The plan stays the reference:
where a program cannot know what a layer does, it calls the layer; where masks travel in training, or in prediction to
layers that do with them what no rule tells, there is no program.
"""

from bigdl.programs.direct import DirectNetwork as DirectNetwork
from bigdl.programs.dropping import dropped as dropped
from bigdl.programs.lowering import Lowering as Lowering
from bigdl.programs.lowering import lowers as lowers
from bigdl.programs.operations import Source as Source
from bigdl.programs.precision import is_low as is_low
from bigdl.programs.programs import Program as Program
from bigdl.programs.programs import program_for as program_for
from bigdl.programs.stamps import Stamps as Stamps
from bigdl.programs.views import View as View
