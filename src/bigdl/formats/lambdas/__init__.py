"""The functions of Lambda layers: read from a file's bytes, shown, understood; never run."""

from bigdl.formats.lambdas.arithmetic import compute as compute
from bigdl.formats.lambdas.bytecode import Bytecode as Bytecode
from bigdl.formats.lambdas.bytecode import disassembly as disassembly
from bigdl.formats.lambdas.bytecode import instructions_of as instructions_of
from bigdl.formats.lambdas.code import Code as Code
from bigdl.formats.lambdas.code import read_code as read_code
from bigdl.formats.lambdas.follower import understand as understand
from bigdl.formats.lambdas.program import Program as Program
from bigdl.formats.lambdas.program import Ref as Ref
from bigdl.formats.lambdas.program import Slice as Slice
from bigdl.formats.lambdas.program import Step as Step
from bigdl.formats.lambdas.values import NotUnderstoodError as NotUnderstoodError
