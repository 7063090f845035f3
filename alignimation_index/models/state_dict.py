"""Weights read from a file into a network."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch

from alignimation_index.errors import UserError


def load_state(network: torch.nn.Module, path: Path, without: str | None = None) -> None:
    """Load the state dict at `path` into a network; nothing but tensors is read.

    Args:
        network: takes all of the file's weights.
        path: of the file.
        without: how the names of those begin that the file may hold beyond the network's.

    Raises:
        UserError: the file is missing or damaged, or holds other weights.
    """
    next_step = "delete it and fetch it again"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise UserError(f"{path}: cannot be read as weights ({error}); {next_step}") from error
    try:
        network.load_state_dict(
            {key: value for key, value in state.items() if not (without and key.startswith(without))}
        )
    except (AttributeError, RuntimeError) as error:
        raise UserError(f"{path}: holds the weights of another network; {next_step}") from error
