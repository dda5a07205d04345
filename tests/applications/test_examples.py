"""The models of Keras 1.2.2's example scripts: what their definitions make here computes what they compute there."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.graph import Layer
from bigdl.graph.tensor import Shape
from tests.applications.cases import CASES, Case, assert_outputs, predict


class Antirectifier(Layer):
    """The layer of the example of that name: rows centred and of length 1, positive and negative parts side by side."""

    def forward(self, x: Tensor) -> Tensor:
        unit = F.normalize(x - x.mean(dim=1, keepdim=True), dim=1)
        return torch.cat([unit.relu(), (-unit).relu()], dim=1)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        size = input_shape[1]
        assert size is not None
        return input_shape[0], 2 * size


def ctc(x: list[Tensor]) -> Tensor:
    """The loss of image_ocr; the first two steps of the recurrent layers are left out."""
    probabilities, labels, input_length, label_length = x
    return F.ctc_loss(
        (probabilities[:, 2:] + 1e-8).log().log_softmax(-1).transpose(0, 1),
        labels.long(),
        input_length[:, 0],
        label_length[:, 0],
        blank=probabilities.shape[-1] - 1,
        reduction="none",
    )[:, None]


def where(x: list[Tensor]) -> Tensor:
    """The places of mnist_swwae's largest values: the gradient of the sum of a pooling's output."""
    places = F.max_pool2d(x[0], 2, return_indices=True)[1]
    return F.max_unpool2d(torch.ones_like(x[1]), places, [2, 2])


def mean(x: list[Tensor]) -> Tensor:
    """The sample of the variational autoencoders, without its noise."""
    return x[0]


CUSTOM_OBJECTS: dict[str, dict[str, Any]] = {
    "antirectifier": {"Antirectifier": Antirectifier},
    "image_ocr_ctc_tf": {"ctc": ctc},
    "image_ocr_ctc_th": {"ctc": ctc},
    "mnist_swwae": {"getwhere": where},
    "variational_autoencoder": {"sampling": mean},
    "variational_autoencoder_deconv_tf": {"sampling": mean},
    "variational_autoencoder_deconv_th": {"sampling": mean},
}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name.startswith("examples/")], ids=lambda case: case.name
)
def test_example(case: Case, tmp_path):
    model = case.model(tmp_path, CUSTOM_OBJECTS.get(case.name.split("/")[1]))
    assert_outputs(case, predict(model, case.inputs()))
    if case.notes.get("stateful"):
        assert_outputs(case, predict(model, case.inputs()), "z")
