import ctypes.util

import pytest
import torch

from alignimation_index.errors import UserError
from alignimation_index.models.device import DEVICES, check_device, choose_device


@pytest.fixture
def machine_with(monkeypatch):
    """A machine that has these GPUs."""

    def set_up(*gpus):
        monkeypatch.setattr(ctypes.util, "find_library", lambda name: name if gpus else None)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in gpus)

    return set_up


@pytest.mark.parametrize(("gpus", "expected"), [([], "cpu"), (["cuda"], "cuda"), (["mps"], "mps")])
def test_auto_is_the_gpu_where_there_is_one(machine_with, gpus, expected):
    machine_with(*gpus)
    assert choose_device("auto") == expected


def test_a_device_that_is_there_is_taken_as_named(machine_with):
    machine_with("cuda", "mps")
    assert [choose_device(name) for name in DEVICES if name != "auto"] == ["cpu", "cuda", "mps"]


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_gpu_that_is_not_there_is_an_error_that_names_the_option(machine_with, name):
    machine_with()
    with pytest.raises(UserError, match=f"--device {name}.*leave the option out"):
        choose_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU that computes")
def test_a_gpu_that_does_not_compute_is_an_error_that_names_the_way_out():
    with pytest.raises(UserError, match=r"--device cuda: the GPU cannot be used .*--device cpu"):
        check_device("cuda")
    check_device("cpu")
