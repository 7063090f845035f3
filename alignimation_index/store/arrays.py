"""Column types that SQLite lacks: arrays and file names."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from alignimation_index.datatypes import Float

# A lone surrogate stands for a byte that is not UTF-8 (PEP 383); SQLite's text cannot hold one, so its 128 values
# move to the last private-use code points, which no file system's names contain in practice.
_SURROGATE, _PRIVATE = 0xDC80, 0x10FF00
_ESCAPE = {_SURROGATE + i: _PRIVATE + i for i in range(128)}
_UNESCAPE = {private: surrogate for surrogate, private in _ESCAPE.items()}


class FloatArray(TypeDecorator[Float]):
    """A float32 array of a fixed shape as a little-endian blob; −1 leaves one axis free."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def process_bind_param(self, value: Float | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Check the shape and pack; ValueError says got and expected."""
        if value is None:
            return None
        array = np.asarray(value, "<f4")
        free = tuple(-1 if want == -1 else got for want, got in zip(self.shape, array.shape, strict=False))
        if array.ndim != len(self.shape) or free != self.shape:
            raise ValueError(f"expected an array of shape {self.shape}, got {array.shape}")
        return array.tobytes()

    def process_result_value(self, value: Any, dialect: Dialect) -> Float | None:  # noqa: ANN401, ARG002
        """Unpack into a read-only array."""
        return None if value is None else np.frombuffer(value, "<f4").reshape(self.shape)


class PathText(TypeDecorator[str]):
    """A file name as Python holds it (`os.fsdecode`): any bytes, readable text where it is UTF-8."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Escape what is not UTF-8."""
        return None if value is None else value.translate(_ESCAPE)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002
        """Restore what was escaped."""
        return None if value is None else str(value).translate(_UNESCAPE)
