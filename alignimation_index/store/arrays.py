"""Column types that SQLite lacks: arrays and file names."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from alignimation_index.datatypes import Float
from alignimation_index.store.escape import escape, unescape


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
        if array.shape != self.shape and not self._fits(array.shape):
            raise ValueError(f"expected an array of shape {self.shape}, got {array.shape}")
        return array.tobytes()

    def _fits(self, shape: tuple[int, ...]) -> bool:
        free = tuple(-1 if want == -1 else got for want, got in zip(self.shape, shape, strict=False))
        return len(shape) == len(self.shape) and free == self.shape

    def process_result_value(self, value: Any, dialect: Dialect) -> Float | None:  # noqa: ANN401, ARG002
        """Unpack into a read-only array."""
        return None if value is None else np.frombuffer(value, "<f4").reshape(self.shape)


class PathText(TypeDecorator[str]):
    """A file name as Python holds it (`os.fsdecode`): any bytes, readable text where it is UTF-8."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Escape what is not UTF-8."""
        return None if value is None else escape(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002
        """Restore what was escaped."""
        return None if value is None else unescape(str(value))
