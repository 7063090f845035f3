"""Where the networks run."""

from __future__ import annotations

import torch

from alignimation_index.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str) -> str:
    """Choose one of DEVICES: `auto` is a GPU where there is one.

    Returns:
        "cpu", "cuda" or "mps".

    Raises:
        UserError: the device asked for is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise UserError(f"--device {name}: this machine, or this installation of torch, has none; leave the option out")
    return name
