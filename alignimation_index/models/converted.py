"""Networks of torch as OpenVINO reads them, converted once and kept: converting takes longer than all else of loading.

They are kept in the platform's cache folder, each under a name that says what it was made of. One that is damaged is
made anew, and where nothing can be kept all works as well.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import platformdirs
import torch
from torch import nn

log = logging.getLogger(__name__)

_MODEL, _WEIGHTS, _SUMS = "network.xml", "network.bin", "sha256"
_KEPT_FOR_S = 30 * 24 * 3600
"""How long that of another version is kept."""


def converted(name: str, module: nn.Module, example: torch.Tensor, folder: Path | None = None) -> Any:  # noqa: ANN401
    """The OpenVINO model of a network: the one that is kept, or a new one, which then is.

    Args:
        name: of the network, which begins that of its files.
        module: in evaluation mode.
        example: what it takes.
        folder: where models are kept; None for the platform's cache folder.
    """
    folder = folder or platformdirs.user_cache_path("alignindex", appauthor=False) / "networks"
    try:
        kept = folder / f"{name}-{_digest(_made_of(module, example))[:16]}"
    except (OSError, TypeError) as error:  # a program without its source
        log.debug("%s is not kept, since nothing tells whether its code changed: %s", name, error)
        return _convert(module, example)
    try:
        if (kept / _SUMS).read_text() == _sums(kept):
            return import_openvino().Core().read_model(kept / _MODEL)
    except (OSError, RuntimeError) as error:
        log.debug("%s is converted: %s", name, error)
    model = _convert(module, example)
    try:
        _keep(model, kept)
        _remove_older(name, kept)
    except (OSError, RuntimeError) as error:
        log.debug("%s is not kept: %s", name, error)
    return model


def _convert(module: nn.Module, example: torch.Tensor) -> Any:  # noqa: ANN401
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, on shapes that are constant here
        return import_openvino().convert_model(module, example_input=example)


def import_openvino() -> Any:  # noqa: ANN401 - it comes without types
    """Import OpenVINO without its telemetry, which would report the import over the network."""
    # With the reporting module out of reach, OpenVINO takes its own stub of it.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _keep(model: Any, kept: Path) -> None:  # noqa: ANN401
    """Write a model, whole or not at all; another process may do the same."""
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".", ignore_cleanup_errors=True) as scratch:
        written = Path(scratch) / kept.name
        written.mkdir()
        import_openvino().save_model(model, written / _MODEL, compress_to_fp16=False)
        (written / _SUMS).write_text(_sums(written))
        shutil.rmtree(kept, ignore_errors=True)  # a damaged one
        written.rename(kept)


def _remove_older(name: str, kept: Path) -> None:
    for other in kept.parent.glob(f"{name}-*"):
        if other != kept and time.time() - other.stat().st_mtime > _KEPT_FOR_S:
            shutil.rmtree(other, ignore_errors=True)


def _sums(kept: Path) -> str:
    """The SHA-256 of both files; OSError if one is missing."""
    return " ".join(_digest([(kept / file).read_bytes()]) for file in (_MODEL, _WEIGHTS))


def _made_of(module: nn.Module, example: torch.Tensor) -> Iterator[bytes]:
    """All that a model depends on: versions, the shape of an example, the network's code, settings and weights."""
    yield f"{import_openvino().__version__} {torch.__version__} {tuple(example.shape)}".encode()
    for path, part in module.named_modules():
        settings = {key: value for key, value in vars(part).items() if isinstance(value, (int, float, str, tuple))}
        yield f"{path} {type(part)} {part.extra_repr()} {settings}".encode()
        if not type(part).__module__.startswith("torch."):
            yield inspect.getsource(inspect.getmodule(part) or type(part)).encode()
    for key, tensor in module.state_dict().items():
        yield f"{key} {tuple(tensor.shape)}".encode()
        yield tensor.contiguous().numpy().tobytes()


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
