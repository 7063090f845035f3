"""Networks are converted once, and kept; whatever becomes of what is kept, the network is the one asked for."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from alignimation_index.models.converted import _keep, converted, import_openvino
from alignimation_index.models.network import Standardised

pytest.importorskip("openvino", reason="OpenVINO does not come for this machine")

PIXELS = torch.arange(2 * 3 * 8 * 8, dtype=torch.float32).reshape(2, 3, 8, 8)


def network(weight=0.5, mean=10.0):
    convolution = nn.Conv2d(3, 2, 3)
    nn.init.constant_(convolution.weight, weight)
    nn.init.constant_(convolution.bias, 1)
    return Standardised(convolution, mean=mean, scale=2).eval().requires_grad_(False)


def convert(folder, module=None):
    return converted("small", module or network(), PIXELS, folder)


def assert_is(model, module):
    found = import_openvino().compile_model(model, "CPU")(PIXELS.numpy())[0]
    np.testing.assert_allclose(found, module(PIXELS).numpy(), rtol=1e-5)


def entries(folder):
    """What is kept, and when it was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_network_is_converted_once(tmp_path):
    folder = tmp_path / "cache" / "networks"
    assert_is(convert(folder), network())
    kept = entries(folder)
    assert len(kept) == 1
    assert_is(convert(folder), network())
    assert entries(folder) == kept


@pytest.mark.parametrize("other", [network(weight=0.25), network(mean=0.0), nn.Sequential(network()).eval()])
def test_other_weights_settings_or_layers_are_another_network(tmp_path, other):
    convert(tmp_path)
    assert_is(convert(tmp_path, other), other)
    assert len(entries(tmp_path)) == 2


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("network.xml", lambda file: file.write_bytes(b"")),
        ("network.bin", lambda file: file.write_bytes(bytes(file.stat().st_size))),
        ("sha256", lambda file: file.unlink()),
    ],
)
def test_a_damaged_one_is_made_anew(tmp_path, file, damage):
    convert(tmp_path)
    (kept,) = tmp_path.iterdir()
    damage(kept / file)
    assert_is(convert(tmp_path), network())
    repaired = entries(tmp_path)
    assert_is(convert(tmp_path), network())
    assert entries(tmp_path) == repaired


def test_where_nothing_can_be_kept_all_works(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert_is(convert(tmp_path / "file" / "networks"), network())


def test_a_network_whose_source_is_not_there_works_and_is_not_kept(tmp_path):
    frozen = network()
    frozen.__class__ = type("Frozen", (Standardised,), {"__module__": "nowhere"})
    assert_is(convert(tmp_path, frozen), network())
    assert not entries(tmp_path)


def test_several_at_once_keep_one(tmp_path):
    model = convert(tmp_path)
    (kept,) = tmp_path.iterdir()
    with ThreadPoolExecutor(8) as threads:  # as processes do that began together
        kept_or_not = [threads.submit(_keep, model, kept) for _ in range(24)]
    assert {type(one.exception()) for one in kept_or_not} <= {type(None), OSError}
    written = entries(tmp_path)
    assert list(written) == [kept.name]
    assert_is(convert(tmp_path), network())
    assert entries(tmp_path) == written


def test_one_of_an_older_version_goes_after_a_while(tmp_path):
    convert(tmp_path, network(weight=0.25))
    (old,) = tmp_path.iterdir()
    convert(tmp_path, network(weight=0.75))
    assert old.exists()
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    convert(tmp_path)
    assert not old.exists()
    assert len(entries(tmp_path)) == 2
