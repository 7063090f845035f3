"""Networks made ready for a device: in OpenVINO on a CPU, in torch on a GPU and where there is no OpenVINO.

OpenVINO fuses each convolution with what follows it: measured on MTCNN's and dlib's networks, some 1.5 times as fast
as torch on one thread, to the same results within 1e-6.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from functools import reduce
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import nn

from alignimation_index.models.converted import converted, import_openvino

# Chips go through a network in parts of one size, the last one filled up: a chip's result then does not depend on how
# many came with it. On a CPU, parts are small (28 chips of R-Net, 7 of O-Net, one of an embedder), so that there is
# little to fill and all of it stays in the processor's cache.
CPU_PIXELS_AT_ONCE = 1 << 14
GPU_PIXELS_AT_ONCE = 1 << 21
# Images of any size are filled up to multiples of this, so that there are few shapes to prepare for.
IMAGE_SIDE_STEP_PX = 32


class Network(Protocol):
    """A network ready to run."""

    def __call__(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        """Map (N, 3, H, W) pixels in 0..255 on the network's device to its outputs, (N, …) float32 each, there.

        Chips are float32; images of any size are whole numbers, float32 or uint8. Outputs of rows and columns may have
        more of them at their ends than the image gives rise to.
        """


class Standardised(nn.Module):
    """A network that takes pixels in 0..255, and gives its outputs in the order of its tuple."""

    def __init__(self, network: nn.Module, mean: float, scale: float) -> None:
        super().__init__()
        self.network, self.mean, self.scale = network, mean, scale

    def forward(self, pixels: torch.Tensor) -> Any:  # noqa: ANN401 - a tensor or a tuple, as the network has it
        """Run on (N, 3, H, W) float32."""
        return self.network((pixels - self.mean) / self.scale)


def ready(name: str, module: nn.Module, device: str, side_px: int | None = None) -> Network:
    """Make a network ready for a device.

    Args:
        name: of the network, by which its conversion is kept, see `converted`.
        module: takes (N, 3, H, W) float32 in 0..255; returns a tensor or a tuple of them.
        device: "cpu", "cuda" or "mps".
        side_px: the side of its square inputs, the chips; None for images of any size.
    """
    module = module.eval().requires_grad_(False)
    if device == "cpu" and importlib.util.find_spec("openvino"):
        return _InOpenvino(name, module, side_px)
    return _InTorch(module, device, side_px)


class _InTorch:
    """Channels last; on an NVIDIA GPU in half precision, and chips through a recorded graph, started as one."""

    def __init__(self, module: nn.Module, device: str, side_px: int | None) -> None:
        self._dtype = torch.float16 if device == "cuda" else torch.float32
        if device == "cuda":
            _pool_by_slices(module)
        self._module = module.to(device, self._dtype).to(memory_format=torch.channels_last)
        pixels_at_once = CPU_PIXELS_AT_ONCE if device == "cpu" else GPU_PIXELS_AT_ONCE
        self._at_once = _chips_at_once(side_px, pixels_at_once)
        self._graph: _Graph | None = None

    @torch.inference_mode()
    def __call__(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        if self._at_once:
            return _in_parts(self._run_chips, pixels, self._at_once)
        # What a shape needs is prepared once, which takes longer than to run several parts.
        parts = [self._run(part) for part in torch.split(_rounded_up(pixels), _powers_of_two(len(pixels)))]
        return [torch.cat(outputs) for outputs in zip(*parts, strict=True)]

    def _run_chips(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        if not pixels.is_cuda:
            return self._run(pixels)
        if self._graph is None:
            self._graph = _Graph(self._run, pixels)
        return self._graph(pixels)

    def _run(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        outputs = self._module(pixels.to(self._dtype, memory_format=torch.channels_last))
        return [output.float() for output in (outputs if isinstance(outputs, tuple) else [outputs])]


class _MaxOfSlices(nn.Module):
    """Max pooling with a stride of 2 that rounds up; torch's own takes a GPU many times as long, channels last."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to what nn.MaxPool2d(size, 2, ceil_mode=True) does."""
        return self._along(3, self._along(2, maps))

    def _along(self, axis: int, maps: torch.Tensor) -> torch.Tensor:
        count = -(-(maps.shape[axis] - self._size) // 2) + 1
        missing = 2 * (count - 1) + self._size - maps.shape[axis]
        if missing:
            maps = F.pad(maps, (0, missing, 0, 0) if axis == 3 else (0, 0, 0, missing), value=-torch.inf)
        ends = [start + 2 * count - 1 for start in range(self._size)]
        slices = [maps[:, :, first:end:2] if axis == 2 else maps[..., first:end:2] for first, end in enumerate(ends)]
        return reduce(torch.maximum, slices)


def _pool_by_slices(network: nn.Module) -> None:
    """Replace what _MaxOfSlices does, in a network and all of its parts."""
    for parent in list(network.modules()):
        for name, part in parent.named_children():
            if isinstance(part, nn.MaxPool2d) and (part.stride, part.padding, part.ceil_mode) == (2, 0, True):
                assert isinstance(part.kernel_size, int)
                setattr(parent, name, _MaxOfSlices(part.kernel_size))


class _Graph:
    """What a function starts on an NVIDIA GPU, recorded for inputs of one shape.

    To start the hundred steps of a network one by one takes a processor longer than a GPU takes for them.
    """

    def __init__(self, run: Callable[[torch.Tensor], list[torch.Tensor]], pixels: torch.Tensor) -> None:
        self._pixels = pixels.clone()
        run(self._pixels)  # what is prepared at a first run must not be recorded
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = run(self._pixels)

    def __call__(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        self._pixels.copy_(pixels)
        self._graph.replay()
        return [output.clone() for output in self._outputs]


class _InOpenvino:
    """On one thread: photos go side by side in processes of their own."""

    def __init__(self, name: str, module: nn.Module, side_px: int | None) -> None:
        self._at_once = _chips_at_once(side_px, CPU_PIXELS_AT_ONCE)
        model = converted(name, module, torch.zeros(2, 3, side_px or 64, side_px or 64))
        model.reshape([self._at_once or -1, 3, side_px or -1, side_px or -1])
        if side_px is None:
            model = _taking_bytes(model)
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": 1,
            # The threads that decode are not bound to processors either, and would have to wait for those that are.
            "ENABLE_CPU_PINNING": False,
            # What is prepared for a shape is kept, in a library of many shapes for too long.
            "CPU_RUNTIME_CACHE_CAPACITY": 40,
        }
        self._compiled = import_openvino().compile_model(model, "CPU", options)
        self._local = threading.local()

    def __call__(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        if self._at_once:
            return _in_parts(self._run, pixels, self._at_once)
        return self._run(_rounded_up(pixels).permute(0, 2, 3, 1).byte())

    def _run(self, pixels: torch.Tensor) -> list[torch.Tensor]:
        if not hasattr(self._local, "request"):
            self._local.request = self._compiled.create_infer_request()
        request = self._local.request
        request.infer({0: pixels.contiguous().numpy()}, share_inputs=True)
        # Copies, since the next call writes into the same memory.
        return [torch.from_numpy(output.data.copy()) for output in request.output_tensors]


def _chips_at_once(side_px: int | None, pixels: int) -> int | None:
    return max(pixels // side_px**2, 1) if side_px else None


def _powers_of_two(count: int) -> list[int]:
    """The powers of two that add up to a count, the largest first."""
    return [1 << bit for bit in reversed(range(count.bit_length())) if count >> bit & 1]


def _in_parts(
    run: Callable[[torch.Tensor], list[torch.Tensor]], chips: torch.Tensor, at_once: int
) -> list[torch.Tensor]:
    """Run in parts of `at_once` chips, the last one filled up; without a chip, the outputs have no rows."""
    missing = -len(chips) % at_once if len(chips) else at_once
    parts = [run(part) for part in torch.split(F.pad(chips, (0, 0, 0, 0, 0, 0, 0, missing)), at_once)]
    return [torch.cat(outputs)[: len(chips)] for outputs in zip(*parts, strict=True)]


def _rounded_up(images: torch.Tensor) -> torch.Tensor:
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % IMAGE_SIDE_STEP_PX, 0, -height % IMAGE_SIDE_STEP_PX))


def _taking_bytes(model: Any) -> Any:  # noqa: ANN401
    """The model of (N, 3, H, W) float32 as one of (N, H, W, 3) uint8, as pictures lie in memory."""
    from openvino import Layout, Type
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    steps.input().model().set_layout(Layout("NCHW"))
    return steps.build()
