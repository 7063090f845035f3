import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import numpy as np
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from alignimation_index.models.dlib_file import read_metric_network
from alignimation_index.models.dlib_resnet import _Network
from alignimation_index.models.network import (
    CPU_PIXELS_AT_ONCE,
    Standardised,
    _InOpenvino,
    _InTorch,
    _MaxOfSlices,
    _pool_by_slices,
    ready,
)

pytest.importorskip("openvino", reason="OpenVINO does not come for this machine")

DLIB = files("face_recognition_models") / "models" / "dlib_face_recognition_resnet_model_v1.dat"
MODULES = {
    "P-Net": (lambda: Standardised(PNet(), mean=127.5, scale=128), None),
    "R-Net": (lambda: Standardised(RNet(), mean=127.5, scale=128), 24),
    "O-Net": (lambda: Standardised(ONet(), mean=127.5, scale=128), 48),
    "dlib": (lambda: _Network(read_metric_network(DLIB)), 150),
}


def in_torch(name):
    module, side_px = MODULES[name]
    return _InTorch(module().eval(), "cpu", side_px)


def in_parts_of_four():
    """As on a GPU, where parts are filled up to one size."""
    network = in_torch("R-Net")
    network._at_once = 4
    return network


def in_openvino(name):
    module, side_px = MODULES[name]
    return ready(name, module(), "cpu", side_px)


@pytest.fixture(scope="module")
def rnet():
    return in_openvino("R-Net")


def noise(count, side_px, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, side_px, side_px), generator=generator).float()


def assert_close(found, expected, atol=1e-5):
    assert [output.shape for output in found] == [output.shape for output in expected]
    for output, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(output.numpy(), other.numpy(), atol=atol)


@pytest.mark.parametrize("name", MODULES)
def test_openvino_runs_on_the_cpu_and_gives_torchs_results(name):
    side_px = MODULES[name][1] or 128
    compiled = in_openvino(name)
    assert isinstance(compiled, _InOpenvino)
    pixels = noise(3, side_px)
    outputs = compiled(pixels)
    assert {output.dtype for output in outputs} == {torch.float32}
    assert_close(outputs, in_torch(name)(pixels), atol=1e-4)


@pytest.mark.parametrize(
    "network",
    [lambda: in_openvino("R-Net"), lambda: in_torch("R-Net"), in_parts_of_four],
    ids=["OpenVINO", "torch", "parts"],
)
@pytest.mark.parametrize("count", [1, 7, 2 * (CPU_PIXELS_AT_ONCE // 24**2) + 5])
def test_a_chips_result_does_not_depend_on_how_many_come_with_it(network, count):
    run = network()
    pixels = noise(count, 24)
    alone = [run(chip[None]) for chip in pixels]
    assert_close(run(pixels), [torch.cat(outputs) for outputs in zip(*alone, strict=True)])


@pytest.mark.parametrize("network", [lambda: in_openvino("R-Net"), lambda: in_torch("R-Net"), in_parts_of_four])
def test_no_chips_give_no_rows(network):
    assert [output.shape for output in network()(torch.zeros(0, 3, 24, 24))] == [(0, 4), (0, 2)]


def test_a_network_of_varying_inputs_takes_them_one_after_the_other():
    compiled, reference = in_openvino("P-Net"), in_torch("P-Net")
    for count, height, width in ((1, 90, 61), (3, 13, 40), (2, 90, 200), (1, 90, 61)):
        pixels = torch.randint(256, (count, 3, height, width), dtype=torch.uint8)
        cells = ..., slice((height - 12) // 2 + 1), slice((width - 12) // 2 + 1)  # those all inside of the image
        found, expected = ([output[cells] for output in run(pixels)] for run in (compiled, reference))
        assert found[0].shape[:2] == (count, 4)
        assert_close(found, expected, atol=1e-4)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("shape", [(8, 8), (9, 12), (7, 11), (3, 4), (3, 3)])
def test_pooling_by_slices_is_pooling(size, shape):
    maps = torch.randn(2, 5, *shape)
    assert torch.equal(_MaxOfSlices(size)(maps), torch.nn.functional.max_pool2d(maps, size, 2, ceil_mode=True))


@pytest.mark.parametrize("network", [PNet, RNet, ONet])
def test_all_pools_of_a_network_are_replaced_and_its_results_stay(network):
    module = network().eval()
    pixels = torch.randn(2, 3, *{PNet: (61, 90), RNet: (24, 24), ONet: (48, 48)}[network])
    with torch.inference_mode():
        before = module(pixels)
        _pool_by_slices(module)
        assert_close(module(pixels), before)
    assert not any(isinstance(part, torch.nn.MaxPool2d) for part in module.modules())


@pytest.mark.parametrize("count", [0, 1, 2, 3, 13, 32])
def test_images_of_any_count_go_through_in_order(count):
    pixels = torch.randint(256, (count, 3, 40, 52), dtype=torch.uint8)
    network = in_torch("P-Net")
    found = network(pixels)
    for image, *outputs in zip(pixels, *found, strict=True):
        assert_close(outputs, [output[0] for output in network(image[None])])


def test_a_result_stays_as_it_is_when_the_network_runs_again(rnet):
    first = rnet(noise(3, 24))
    kept = [output.clone() for output in first]
    rnet(noise(3, 24, seed=1))
    assert_close(first, kept, atol=0)


def test_pixels_that_do_not_lie_in_a_row_are_read_in_their_order(rnet):
    pixels = noise(3, 24)
    assert_close(rnet(pixels.to(memory_format=torch.channels_last)), rnet(pixels))
    assert_close(rnet(pixels.flip(-1)), rnet(pixels.flip(-1).clone()))


def test_threads_that_share_a_network_get_the_results_of_one_thread(rnet):
    batches = [noise(1 + seed % 5, 24, seed) for seed in range(40)]
    expected = [rnet(pixels) for pixels in batches]
    with ThreadPoolExecutor(8) as threads:
        for found, outputs in zip(threads.map(rnet, batches * 3), expected * 3, strict=True):
            assert_close(found, outputs)


def test_loading_and_running_a_network_speaks_to_nobody():
    program = """
import sys, threading
spoken = []
TALK = ("socket.", "subprocess.Popen", "os.fork", "os.posix_spawn", "urllib.Request")
from facenet_pytorch.models.mtcnn import RNet
import torch
sys.addaudithook(lambda event, _: spoken.append(event) if event.startswith(TALK) else None)
from alignimation_index.models.mtcnn import load_network
from alignimation_index.models.network import _InOpenvino
network = load_network(RNet, "rnet.pt", "cpu", 24)
network(torch.zeros(1, 3, 24, 24))
assert isinstance(network, _InOpenvino)
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(10)
assert sys.modules["openvino_telemetry"] is None, sys.modules["openvino_telemetry"]
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
assert not spoken, spoken
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
