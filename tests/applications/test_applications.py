"""Keras 1.2.2's applications: what their definitions make here computes what they compute there."""

import pytest

from tests.applications.cases import CASES, Case, assert_outputs, predict


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.name.startswith("networks/") and "full" not in case.name],
    ids=lambda case: case.name,
)
def test_network(case: Case, tmp_path):
    assert_outputs(case, predict(case.model(tmp_path), case.inputs()))
