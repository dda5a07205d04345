"""Pooling, padding, cropping and upsampling."""

from itertools import product

from keras.layers import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    Convolution2D,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from make_conv import BORDERS, tag
from make_write import Family

pool, resize = Family("pool"), Family("resize")

# Pooling
for kind, cls in (("max", MaxPooling1D), ("average", AveragePooling1D)):
    for border, length, stride in product(BORDERS, (2, 3), (None, 1, 2)):
        name = f"{kind}_1d_{border}_p{length}_s{stride or 'none'}"
        pool.layer(name, cls, length, stride, border, shape=(7, 2))
    pool.layer(f"{kind}_1d_open", cls, 2, shape=(None, 3))
    pool.layer(f"{kind}_1d_defaults", cls, shape=(6, 2))
for kind, cls in (("max", MaxPooling2D), ("average", AveragePooling2D)):
    for border, size, stride in product(BORDERS, [(2, 2), (3, 2)], [None, (1, 1), (2, 1), (3, 3)]):
        name = f"{kind}_2d_{border}_p{tag(size)}_s{tag(stride) if stride else 'none'}"
        pool.both(name, cls, size, stride, border, size=(7, 6))
    pool.both(f"{kind}_2d_defaults", cls)
    pool.both(f"{kind}_2d_whole", cls, (6, 5))
    pool.both(f"{kind}_2d_same_larger", cls, (4, 4), (1, 1), "same", size=(3, 3))
    pool.layer(f"{kind}_2d_open", cls, border_mode="same", shape=(None, None, 2))
    pool.layer(f"{kind}_2d_explicit_th", cls, dim_ordering="th", shape=(2, 6, 5))
for kind, cls in (("max", MaxPooling3D), ("average", AveragePooling3D)):
    for border, size, stride in product(BORDERS, [(2, 2, 2), (3, 2, 1)], [None, (1, 2, 1)]):
        name = f"{kind}_3d_{border}_p{tag(size)}_s{tag(stride) if stride else 'none'}"
        pool.both(name, cls, size, stride, border, size=(4, 5, 3))
    pool.both(f"{kind}_3d_defaults", cls, size=(4, 3, 5))
    pool.both(f"{kind}_3d_same_larger", cls, (4, 2, 4), (2, 1, 4), "same", size=(3, 3, 1))
for kind, classes in (
    ("max", (GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D)),
    ("average", (GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D)),
):
    pool.layer(f"global_{kind}_1d", classes[0], shape=(5, 3))
    pool.layer(f"global_{kind}_1d_open", classes[0], shape=(None, 3))
    pool.both(f"global_{kind}_2d", classes[1], size=(3, 4), channels=3)
    pool.both(f"global_{kind}_3d", classes[2], size=(3, 2, 4), channels=3)

# Zero padding
for name, padding in [
    ("1", 1),
    ("2", 2),
    ("0", 0),
    ("tuple_12", (1, 2)),
    ("tuple_03", (0, 3)),
    ("dict_both", {"left_pad": 2, "right_pad": 1}),
    ("dict_left", {"left_pad": 2}),
    ("dict_right", {"right_pad": 2}),
    ("dict_none", {}),
]:
    resize.layer("zero_1d_" + name, ZeroPadding1D, padding, shape=(4, 2))
resize.layer("zero_1d_defaults", ZeroPadding1D, shape=(None, 2))
for name, padding in [
    ("11", (1, 1)),
    ("20", (2, 0)),
    ("4_1203", (1, 2, 0, 3)),
    ("4_0010", (0, 0, 1, 0)),
    ("dict_all", {"top_pad": 1, "bottom_pad": 2, "left_pad": 3, "right_pad": 0}),
    ("dict_top", {"top_pad": 2}),
    ("dict_bottom_right", {"bottom_pad": 1, "right_pad": 2}),
]:
    resize.both("zero_2d_" + name, ZeroPadding2D, padding, size=(3, 2))
resize.both("zero_2d_defaults", ZeroPadding2D, size=(3, 2))
resize.layer("zero_2d_open", ZeroPadding2D, shape=(None, None, 2))
resize.both("zero_3d", ZeroPadding3D, size=(2, 3, 1))
resize.both("zero_3d_201", ZeroPadding3D, (2, 0, 1), size=(2, 2, 1))

# Cropping
for cropping in [(1, 1), (0, 2), (2, 0), (0, 0)]:
    resize.layer(f"crop_1d_{tag(cropping)}", Cropping1D, cropping, shape=(6, 2))
resize.layer("crop_1d_open", Cropping1D, (1, 2), shape=(None, 2))
for rows, cols in [((0, 0), (0, 0)), ((1, 2), (2, 1)), ((1, 0), (0, 2)), ((0, 1), (2, 0)), ((2, 0), (1, 0))]:
    resize.both(f"crop_2d_{tag(rows, cols)}", Cropping2D, (rows, cols), size=(6, 5))
resize.both("crop_2d_defaults", Cropping2D, size=(3, 2))
pairs = [((1, 0), (0, 1), (1, 1)), ((0, 1), (1, 0), (0, 0)), ((0, 1), (0, 1), (1, 0)), ((0, 0), (1, 2), (0, 1))]
pairs += [((1, 0), (1, 0), (1, 0)), ((2, 0), (0, 0), (0, 2)), ((0, 2), (1, 0), (1, 0))]
for cropping in pairs:
    resize.both(f"crop_3d_{tag(*cropping)}", Cropping3D, cropping, size=(4, 4, 3))
resize.both("crop_3d_defaults", Cropping3D, size=(4, 3, 3))

# Upsampling
for length in (1, 2, 3):
    resize.layer(f"up_1d_{length}", UpSampling1D, length, shape=(3, 2))
for size in [(2, 2), (1, 3), (3, 2)]:
    resize.both(f"up_2d_{tag(size)}", UpSampling2D, size, size=(2, 3))
    resize.both(f"up_3d_{tag((*size, 2))}", UpSampling3D, (*size, 2), size=(2, 1, 2))
resize.both("up_2d_defaults", UpSampling2D, size=(2, 3))
resize.both("up_3d_defaults", UpSampling3D, size=(2, 1, 2))

# The ordering these layers leave out of the JSON: Keras takes its own setting when it reads the file
LOST = "dim_ordering"
resize.layer("zero_2d_explicit_th", ZeroPadding2D, (1, 2), dim_ordering="th", shape=(2, 3, 4), lost=LOST)
resize.layer("up_2d_explicit_th", UpSampling2D, dim_ordering="th", shape=(2, 3, 4), lost=LOST)
resize.layer("crop_2d_explicit_th", Cropping2D, ((1, 1), (1, 0)), dim_ordering="th", shape=(3, 4, 4), lost=LOST)
resize.layer("zero_3d_explicit_th", ZeroPadding3D, dim_ordering="th", shape=(2, 2, 2, 2), lost=LOST)
for ordering, shape in (("tf", (4, 5, 2)), ("th", (2, 4, 5))):
    resize.stack(
        "pad_conv_crop_" + ordering,
        shape,
        lambda: [
            ZeroPadding2D((1, 2)),
            Convolution2D(3, 3, 3, activation="relu"),
            UpSampling2D((2, 1)),
            Cropping2D(((1, 2), (0, 1))),
            MaxPooling2D(),
        ],
        ordering=ordering,
    )

FAMILIES = [pool, resize]
