"""The masks that Merge makes of its inputs' masks, and those that it refuses, as Keras 1.2.2 on TensorFlow."""

from typing import Any

import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Container, Input
from bigdl.layers import Embedding, Masking, Merge, merge

WORDS = torch.tensor([[1, 0, 2], [0, 0, 3]])
OTHER_WORDS = torch.tensor([[1, 2, 0], [0, 3, 3]])


def words(name: str) -> tuple[Any, Any]:
    x = Input((3,), name=name)
    return x, Embedding(4, 2, mask_zero=True)(x)


def steps(name: str, features: int = 2) -> tuple[Any, Any]:
    x = Input((3, features), name=name)
    return x, Masking()(x)


def mask_of(model: Container, *data: torch.Tensor) -> Any:
    return model.run(list(data))[1]


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "concat"])
def test_true_where_all_are(mode):
    (a, first), (b, second) = words("a"), words("b")
    merged = merge([first, second], mode=mode)
    assert merged.mask == "uint8"
    mask = mask_of(Container([a, b], merged), WORDS, OTHER_WORDS)
    assert mask.tolist() == [[True, False, False], [False, False, True]]


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "concat"])
def test_no_mask_counts_as_true(mode):
    (a, first), b = steps("a"), Input((3, 2), name="b")
    merged = merge([first, b], mode=mode)
    x = torch.ones(1, 3, 2)
    x[0, 1] = 0
    assert mask_of(Container([a, b], merged), x, torch.zeros(1, 3, 2)).tolist() == [[True, False, True]]


def test_masks_of_joined_steps():
    (a, first), (b, second) = words("a"), words("b")
    merged = merge([first, second], mode="concat", concat_axis=1)
    mask = mask_of(Container([a, b], merged), WORDS, OTHER_WORDS)
    assert mask.tolist() == torch.cat([WORDS, OTHER_WORDS], 1).bool().tolist()


@pytest.mark.parametrize("mode", ["dot", "cos"])
def test_products_drop_masks(mode):
    (a, first), (b, second) = steps("a"), steps("b")
    merged = merge([first, second], mode=mode, dot_axes=2)
    assert merged.mask is None
    assert mask_of(Container([a, b], merged), torch.ones(1, 3, 2), torch.ones(1, 3, 2)) is None


def test_a_merged_mask_is_of_the_type_of_masking():
    (_, first), (_, second), (_, third) = words("a"), words("b"), steps("c")
    merged = merge([first, second], mode="sum")
    assert merge([merged, third], mode="sum").mask == "uint8"
    with pytest.raises(LayerError, match="of type bool"):
        merge([merge([first, second], mode="sum"), words("d")[1]], mode="sum")


@pytest.mark.parametrize(
    ("mode", "second", "reason"),
    [
        ("max", words, "mode 'max' takes no masks"),
        ("max", lambda name: (None, Input((3, 2), name=name)), "mode 'max' takes no masks"),
        ("sum", steps, "another one a mask of Masking or none at all, which is of type uint8"),
        ("concat", steps, "of type bool"),
        ("concat", lambda name: (None, Input((3, 2), name=name)), "of type bool"),
    ],
)
def test_masks_that_keras_refuses(mode, second, reason):
    with pytest.raises(LayerError, match=f"Layer 'm' .Merge.: .*{reason}"):
        merge([words("a")[1], second("b")[1]], mode=mode, name="m")


def test_absent_masks_have_the_full_shape():
    (_, first), b = steps("a"), Input((3, 2), name="b")
    with pytest.raises(LayerError, match="cannot be joined along axis 1"):
        merge([first, b], mode="concat", concat_axis=1)
    thin = merge([steps("c", 1)[1], Input((3, 1), name="d")], mode="concat", concat_axis=1)
    assert thin.mask == "uint8"


def test_masks_of_functions():
    (a, first), (b, second) = steps("a"), steps("b")
    dropped = Merge(mode=lambda x: x[0] + x[1])([first, second])
    kept = Merge(mode=lambda x: x[0] + x[1], output_mask=lambda masks: masks[0])([first, second])
    assert (dropped.mask, kept.mask) == (None, "uint8")
    x = torch.ones(1, 3, 2)
    x[0, 2] = 0
    assert mask_of(Container([a, b], kept), x, torch.ones(1, 3, 2)).tolist() == [[True, True, False]]


def test_a_function_may_take_the_masks():
    (a, first), b = steps("a"), Input((3, 2), name="b")
    seen = []

    def function(x, mask):
        seen.append([each is None for each in mask])
        return x[0] + x[1]

    model = Container([a, b], Merge(mode=function, output_shape=(3, 2))([first, b]))
    model(torch.ones(1, 3, 2), torch.ones(1, 3, 2))
    assert seen == [[False, True]]
