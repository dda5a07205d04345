// For every processor: the compiler's default instruction set, vectors of 16 bytes.
#include "kernels.h"

#define ISA baseline
#define BYTES 16
#define PANEL_VECTORS 2
#include "instruction_set.h"
