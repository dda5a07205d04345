"""The machine's rate of products of float32 matrices, by torch's BLAS: what the others are compared with."""

import torch

from benchmarks.workloads import Workload

SIDE = 1024


class Runner:
    """Each call is one product of two square matrices; the workload does not matter."""

    def __init__(self, workload: Workload, options: str = "") -> None:
        self.parameters = 0
        self.flops = 2 * SIDE**3
        self.versions: dict[str, str] = {}
        self._a, self._b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
        self._c = torch.empty(SIDE, SIDE)

    def run(self, calls: int) -> None:
        """Multiplies."""
        for _ in range(calls):
            torch.mm(self._a, self._b, out=self._c)
