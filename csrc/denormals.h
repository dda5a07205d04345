// Numbers next to zero.
#pragma once

// Treats numbers below 1e-38 as 0 while it lives, as TensorFlow's kernels do: gradients that fade over many steps end
// there, where processors need a hundred times as long for a product.
class FlushDenormals {
public:
#if defined(__x86_64__)
  FlushDenormals() : before_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before_ | 0x8040); }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(before_); }

private:
  unsigned before_;
#endif
};
