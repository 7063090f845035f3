"""Where the networks run."""

from __future__ import annotations

import ctypes.util
import sys

from alignimation_index.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "mps")
_DRIVERS = ("cuda", "nvcuda", "amdhip64")


def choose_device(name: str) -> str:
    """Choose one of DEVICES: `auto` is a GPU where there is one.

    Returns:
        "cpu", "cuda" or "mps".

    Raises:
        UserError: the device asked for is not there.
    """
    if name == "cpu" or (name == "auto" and not _may_have_gpu()):
        return "cpu"
    # Takes a second or more.
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise UserError(f"--device {name}: this machine, or this installation of torch, has none; leave the option out")
    return name


def check_device(device: str) -> None:
    """Check that "cpu", "cuda" or "mps" computes, which a GPU that is too old for this torch does not.

    Raises:
        UserError: it does not.
    """
    import torch

    try:
        torch.ones(2, device=device).sum().item()
    except (AssertionError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UserError(f"--device {device}: the GPU cannot be used ({reason}). Use --device cpu.") from error


def gpu_memory_bytes(device: str) -> int:
    """The memory of a GPU, "cuda" or "mps", or what of a computer's it may well use."""
    import torch

    if device == "cuda":
        return int(torch.cuda.get_device_properties(0).total_memory)
    return int(torch.mps.recommended_max_memory())


def _may_have_gpu() -> bool:
    """Whether there is a driver that torch could use: NVIDIA's, AMD's or Apple's."""
    return sys.platform == "darwin" or any(ctypes.util.find_library(name) for name in _DRIVERS)
