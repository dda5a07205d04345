"""On which device a task computes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from bigdl.errors import DistributedError


def device_of(resources: Mapping[str, Any]) -> torch.device:
    """Returns the GPU that Spark has given a task (``spark.task.resource.gpu.amount``), else the CPU.

    Spark numbers the GPUs of a machine; torch those that ``CUDA_VISIBLE_DEVICES`` names, where it is set.

    Args:
        resources: The resources of the task's context.

    Raises:
        DistributedError: There is one, but torch cannot compute on it.
    """
    addresses = list(resources["gpu"].addresses) if "gpu" in resources else []
    if not addresses:
        return torch.device("cpu")
    number = addresses[0]
    if not str(number).isdigit():
        raise DistributedError(f"Spark's GPU addresses must be the numbers of GPUs. Received: {addresses}.")
    if not torch.cuda.is_available():
        raise DistributedError(
            f"Spark has given the task GPU {number}, but torch {torch.__version__} finds no CUDA. Install a build of "
            "torch with CUDA on the executors, or start the session without spark.task.resource.gpu.amount."
        )
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    return torch.device("cuda", visible.index(number) if number in visible else int(number))
