"""Keras 1.2.2's ``initializations``."""

from bigdl.layers.initializations import (
    get,
    get_fans,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    identity,
    lecun_uniform,
    normal,
    one,
    orthogonal,
    uniform,
    zero,
)

__all__ = [
    "get",
    "get_fans",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_uniform",
    "normal",
    "one",
    "orthogonal",
    "uniform",
    "zero",
]
