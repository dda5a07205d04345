"""Makes functions.json: functions as Lambda layers hold them, by several Pythons, and what they compute in Keras.

With the real Keras 1.2.2's Python in KERAS122_PYTHON and other Pythons in PYTHON27 and PYTHON37:

    KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore tests/layers/make_functions.py

Bytes of Python 3.5 are made of those of 2.7, from which it differs in the division only. This script runs on 2.7 too.
"""

import json
import marshal
import os
import subprocess
import sys

EXPRESSIONS = """
x / 127.5 - 1
(x - 0.5) * 2.
x * 1. / 255
2 / 3. * x + 7 // 2
-x
x ** 2
x ** -1
x % 2
x // 2
1 / (1 + K.exp(-x))
x
x[:, -1, :]
x[:, 1:]
x[:, :-1]
x[:, ::2]
x[:, ::-1]
x[..., ::-2]
x[:, 2:0:-1, 1:]
x[:, None]
x[:, 0]
x[..., 1:3]
x[:]
x[1:]
x[:1]
x[0:1]
K.mean(x, axis=1)
K.mean(x, axis=[1, 2])
K.mean(x, 1, True)
K.mean(x, axis=-1, keepdims=True)
K.sum(x, axis=1)
K.max(x, axis=1) - K.min(x, axis=1)
K.prod(x, axis=2)
K.var(x, axis=1) + K.std(x, axis=1)
K.cast(K.any(x > 0, axis=1), 'float32') + K.cast(K.all(x > 0, axis=1), 'float32')
K.cast(K.argmax(x, axis=1), 'float32') - K.cast(K.argmin(x), 'float32')[:, :1]
K.square(x) + K.abs(x)
K.sqrt(x)
K.log(K.abs(x) + 1)
K.round(x) + K.sign(x)
K.pow(x, 2)
K.clip(x, -0.5, 0.5)
K.clip(x, 0.5, None)
K.maximum(x, 0.1) - K.minimum(x, 0.1)
K.maximum(x, -x)
K.sin(x) + K.cos(x)
K.cast(K.greater(x, 0), 'float32') + K.cast(K.lesser_equal(x, 0.5), 'float32')
K.cast(K.equal(x, x), 'float32') - K.cast(K.not_equal(x, 0), 'float32')
K.cast(x < 0.2, 'float32') * x
K.softmax(x)
K.softplus(x) + K.softsign(x)
K.sigmoid(x) + K.hard_sigmoid(x) + K.tanh(x)
K.relu(x, alpha=0.1, max_value=0.5)
K.elu(x, 0.5)
K.l2_normalize(x, axis=1)
K.l2_normalize(x, -1)
K.batch_flatten(x)
K.reshape(x, (-1, 12))
K.reshape(x, (K.shape(x)[0], 2, 6))
K.reshape(x, [-1, x.get_shape()[1].value * 4])
K.permute_dimensions(x, (0, 2, 1))
K.expand_dims(x)
K.expand_dims(x, 1)
K.squeeze(x[:, :1], 1)
K.repeat(x[:, 0], 3)
K.repeat_elements(x, 2, axis=1)
K.tile(x, [1, 2, 1])
K.concatenate([x, -x], axis=1)
K.concatenate([x[:, :1], x[:, 1:] - x[:, :-1]], 1)
K.reverse(x, 1)
K.temporal_padding(x, 2)
K.zeros_like(x) + 2 * K.ones_like(x)
K.one_hot(K.cast(K.abs(x[:, 0, 0]), 'int32'), 5)
K.batch_dot(x, x, axes=[2, 2])
K.batch_dot(x, x, axes=(1, 1))
K.dot(x, K.transpose(x[0]))
K.gather(x[0], K.cast(K.abs(x[:, 0, 0]), 'int32'))
x - np.array([1, 2, 3, 4])
x * np.pi + np.float32(2)
x / np.sqrt(2.)
K.variable(np.array([[1., 2.], [3., 4.]])) + x[0, :2, :2]
x + K.epsilon()
tf.reduce_mean(x, axis=1)
tf.reduce_max(x, reduction_indices=[1, 2])
tf.reduce_sum(x, 1, keep_dims=True)
tf.transpose(x, [0, 2, 1])
tf.transpose(x)
tf.expand_dims(x, axis=1)
tf.squeeze(x[:, :1], [1])
tf.concat([x, x], 2)
tf.stack([x, -x], axis=1)
tf.matmul(x, x, transpose_b=True)
tf.clip_by_value(x, 0., 1.)
tf.nn.l2_normalize(x, dim=1)
tf.nn.relu(x) + tf.nn.relu6(10 * x) + tf.nn.elu(x) + tf.nn.softmax(x)
tf.subtract(tf.multiply(x, 2.), tf.divide(x, 3.))
tf.cast(tf.abs(x) * 3, tf.int32)
tf.pad(x, [[0, 0], [1, 2], [0, 1]])
tf.reverse(x, [1])
tf.tile(x, [1, 1, 2])
""".strip().splitlines()

IMAGES = """
x[:, :, :, ::-1]
K.spatial_2d_padding(x, (1, 2), dim_ordering='tf')
K.resize_images(x, 2, 3, 'tf')
K.mean(x, axis=[1, 2])
tf.image.resize_images(x, (6, 5))
tf.image.resize_images(x, [2, 3])
tf.image.resize_images(x, (7, 7), align_corners=True)
tf.image.resize_images(x, (6, 5), method=1)
tf.image.rgb_to_grayscale(x)
tf.space_to_depth(x, block_size=2)
tf.depth_to_space(K.concatenate([x, x, x, x]), 2)
K.asymmetric_spatial_2d_padding(x, 1, 2, 0, 1, 'tf')
""".strip().splitlines()

PAIRS = """
K.abs(x[0] - x[1])
x[0] * x[1]
K.sum(x[0] * x[1], axis=-1, keepdims=True)
K.batch_dot(K.l2_normalize(x[0], axis=-1), K.l2_normalize(x[1], axis=-1), axes=2)
sum(x)
K.concatenate(x)
""".strip().splitlines()

# name: source of a function f, or of a function outer that returns it
FUNCTIONS = {
    "local variables": """
def f(x):
    y = x - K.mean(x, axis=1, keepdims=True)
    z = y * y
    z += 1
    z /= 2
    return z
""",
    "antirectifier": """
def f(x):
    x -= K.mean(x, axis=1, keepdims=True)
    x = K.l2_normalize(x, axis=1)
    pos = K.relu(x)
    neg = K.relu(-x)
    return K.concatenate([pos, neg], axis=1)
""",
    "imports": """
def f(x):
    import tensorflow as tf
    from keras import backend as K
    import keras.backend as B
    return tf.reduce_mean(x, 1) + K.max(x, axis=1) + B.min(x, axis=1)
""",
    "defaults": """
def f(x, scale=2.5, axes=(0, 2, 1)):
    return K.permute_dimensions(x * scale, axes)
""",
    "chosen by an argument": """
def f(x, kind='mean', mask=None):
    if mask is not None:
        raise ValueError(mask)
    if kind == 'sum':
        return K.sum(x, axis=1)
    elif kind != 'mean' and kind not in ('a', 'b'):
        return x
    return K.mean(x, axis=1) if len(kind) or True else x
""",
    "loop": """
def outer(n=3, alpha=1e-2):
    def f(x):
        out = []
        for i in range(n):
            if i == 1:
                continue
            out.append(alpha * x[:, i] ** 2)
        return K.concatenate(out)
    return f
""",
    "sum of neighbours": """
def outer(alpha=1e-4, k=2, beta=0.75, n=3):
    def f(x):
        half = n // 2
        extra = K.temporal_padding(K.permute_dimensions(K.square(x), (0, 2, 1)), half)
        extra = K.permute_dimensions(extra, (0, 2, 1))
        scale = k
        for i in range(n):
            scale += alpha * extra[:, :, i:i + 4]
        return x / scale ** beta
    return f
""",
    "part of the channels": """
def outer(axis=2, ratio=2, part=1):
    def f(x):
        shape = x.get_shape().as_list()
        size = shape[axis] // ratio
        if axis == 1:
            y = x[:, part * size:(part + 1) * size]
        elif axis == 2:
            y = x[:, :, part * size:(part + 1) * size]
        else:
            raise ValueError("axis")
        return y
    return f
""",
    "break": """
def f(x):
    y = 0
    for i in (2, 1, 0):
        if i < 1:
            break
        y = y + x[:, i]
    return y
""",
}
PAIR_FUNCTIONS = {
    "distance": """
def f(vects):
    x, y = vects
    return K.sqrt(K.sum(K.square(x - y), axis=1, keepdims=True))
""",
    "cosine": """
def f(tensors):
    a, b = tensors
    a = K.l2_normalize(a, axis=-1)
    b = K.l2_normalize(b, axis=-1)
    return -K.mean(a * b, axis=-1, keepdims=True)
""",
}
ARGUMENTS = {"defaults": {"scale": 0.5}}


def function(source, scope):
    """The function of a source, with its globals."""
    if not source.startswith("\n"):
        return eval(compile("lambda x: " + source, "model.py", "eval"), scope)
    exec(compile(source, "model.py", "exec"), scope)
    return scope["outer"]() if "outer" in scope else scope["f"]


def stored(f):
    """A function as Keras stores it."""
    closure = [cell.cell_contents for cell in f.__closure__] if f.__closure__ else None
    return [marshal.dumps(f.__code__).decode("raw_unicode_escape"), f.__defaults__, closure]


def cases():
    """Name, kind of input and source of every function."""
    for kind, sources in (("sequences", EXPRESSIONS), ("images", IMAGES), ("pairs", PAIRS)):
        for source in sources:
            yield source, kind, source
    for kind, functions in (("sequences", FUNCTIONS), ("pairs", PAIR_FUNCTIONS)):
        for name in sorted(functions):
            yield name, kind, functions[name]


def as_python_3_5(fields):
    """The bytes of a function of 2.7 with the true division of 3."""
    import types

    bytecode, i = bytearray(fields["bytecode"].encode("latin-1")), 0
    while i < len(bytecode):
        bytecode[i] = {21: 27, 58: 29}.get(bytecode[i], bytecode[i])
        i += 3 if bytecode[i] >= 90 else 1
    constants = tuple(map(constant, fields["constants"]))
    names, variables, free, cells = (tuple(fields[key]) for key in ("names", "variables", "free", "cells"))
    count, flags = fields["arguments"], fields["flags"]
    data = bytes(bytecode)
    code = types.CodeType(
        count, 0, len(variables), 8, flags, data, constants, names, variables, "model.py", "f", 1, b"", free, cells
    )
    return marshal.dumps(code).decode("raw_unicode_escape")


def constant(value):
    """A constant as Python has it; tuples and the ellipsis are not the same in JSON."""
    if value == "...":
        return Ellipsis
    return tuple(map(constant, value)) if isinstance(value, list) else value


def fields_of(code):
    """What a function of 2.7 is made of, as JSON; None where it differs from 3.5 in more than the division."""
    if {"None", "True"} & set(code.co_names) or set(code.co_code) & set("\x1e\x1f !"):  # names, slice instructions
        return None
    return {
        "arguments": code.co_argcount,
        "bytecode": code.co_code.decode("latin-1"),
        "cells": code.co_cellvars,
        "constants": ["..." if value is Ellipsis else value for value in code.co_consts],
        "flags": code.co_flags,
        "free": code.co_freevars,
        "names": code.co_names,
        "variables": code.co_varnames,
    }


def report():
    """This Python's bytes of all functions, on standard output."""
    functions = {name: function(source, {}) for name, _, source in cases()}
    is_2 = sys.version_info[0] == 2
    fields = {name: fields_of(f.__code__) if is_2 else None for name, f in functions.items()}
    json.dump({name: {"stored": stored(f), "fields": fields[name]} for name, f in functions.items()}, sys.stdout)


def main():
    """Writes functions.json."""
    import numpy as np
    import tensorflow as tf
    from keras import backend as K

    others = {version: os.environ["PYTHON" + version.replace(".", "")] for version in ("2.7", "3.7")}
    by_python = {v: json.loads(subprocess.check_output([path, __file__, "report"])) for v, path in others.items()}
    rng = np.random.RandomState(0)
    inputs = {
        "sequences": [rng.normal(0, 1, (2, 3, 4)).round(2)],
        "images": [rng.normal(0, 1, (2, 4, 4, 3)).round(2)],
        "pairs": [rng.normal(0, 1, (2, 3, 4)).round(2) for _ in range(2)],
    }
    found = []
    for name, kind, source in cases():
        f = function(source, {"K": K, "tf": tf, "np": np})
        arguments = ARGUMENTS.get(name, {})
        tensors = [K.placeholder(x.shape) for x in inputs[kind]]
        y = f(tensors if kind == "pairs" else tensors[0], **arguments)
        output = K.function(tensors, [y])(inputs[kind])[0].astype("float64").round(6).tolist()
        functions = {version: answers[name]["stored"] for version, answers in by_python.items()}
        functions["3.6"] = stored(f)
        if by_python["2.7"][name]["fields"]:
            functions["3.5"] = list(functions["2.7"])
            functions["3.5"][0] = as_python_3_5(by_python["2.7"][name]["fields"])
        found.append({"name": name, "input": kind, "functions": functions, "arguments": arguments, "output": output})
    content = {"inputs": {kind: [x.tolist() for x in arrays] for kind, arrays in inputs.items()}, "cases": found}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "functions.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, sort_keys=True, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    report() if sys.argv[1:] == ["report"] else main()
