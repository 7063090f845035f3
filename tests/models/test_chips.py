import numpy as np
import pytest
from skimage.data import astronaut

from alignimation_index.models.chips import cut_chips
from alignimation_index.similarity import apply, invert

IDENTITY = np.eye(2, 3)


def gradient(height=601, width=801):
    """A plane of slopes 1/4 and 1/8: every rounded pixel is within half a grey level of it."""
    y, x = np.mgrid[:height, :width]
    return np.stack([np.round(x / 4), np.round(y / 4), np.round((x + y) / 8)], -1).astype(np.uint8)


def rotated(scale, angle=0.4, centre=(400, 300), size=32):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, (size - 1) / 2 - linear @ np.array(centre)])


def test_an_identity_chip_is_the_corner_of_the_image():
    image = astronaut()
    chip = cut_chips(image, IDENTITY[None], 64)[0]
    np.testing.assert_array_equal(chip.permute(1, 2, 0).numpy().round(), image[:64, :64])


@pytest.mark.parametrize("scale", [3, 1.01, 0.99, 0.5, 0.37, 0.25, 0.13])
def test_chip_pixels_have_the_value_at_their_place_in_the_image(scale):
    chip_from_image = rotated(scale)
    chip = cut_chips(gradient(), chip_from_image[None], 32)[0].numpy()
    v, u = np.mgrid[:32, :32]
    x, y = apply(invert(chip_from_image), np.stack([u, v], -1).reshape(-1, 2)).T.reshape(2, 32, 32)
    # A plane's local mean is its value at the centre: what differs is rounding, to the grey level and in reducing.
    np.testing.assert_allclose(chip, [x / 4, y / 4, (x + y) / 8], atol=0.7)


@pytest.mark.parametrize("scale", [2, 0.99, 0.5, 0.37, 0.25, 0.13])
def test_a_blob_lands_in_a_chip_where_the_transform_says(scale):
    y, x = np.mgrid[:600, :800]
    blob = 255 * np.exp(-((x - 399.3) ** 2 + (y - 301.6) ** 2) / (2 * (3 / scale) ** 2))
    image = np.repeat(blob[..., None].round().astype(np.uint8), 3, -1)
    chip = cut_chips(image, rotated(scale)[None], 32)[0, 0].numpy()
    v, u = np.mgrid[:32, :32]
    found = [(chip * u).sum() / chip.sum(), (chip * v).sum() / chip.sum()]
    np.testing.assert_allclose(found, apply(rotated(scale), [[399.3, 301.6]])[0], atol=0.02)


@pytest.mark.parametrize("scale", [0.7, 0.5, 0.3, 0.11])
def test_stripes_too_fine_for_a_chip_become_grey(scale):
    stripes = np.zeros((600, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    chip = cut_chips(stripes, rotated(scale, angle=0.1)[None], 32).numpy()
    assert np.abs(chip - 127.5).max() < 255 * max(0.02, scale - 0.4)


def test_a_chip_that_leaves_the_image_continues_its_edge():
    image = gradient()
    shifted = np.array([[1.0, 0, 40], [0, 1, 40]])
    chip = cut_chips(image, shifted[None], 64)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(chip[:40, :40], np.broadcast_to(image[0, 0], (40, 40, 3)), atol=1e-3)
    np.testing.assert_allclose(chip[40:, 40:], image[:24, :24], atol=1e-3)
    far = cut_chips(image, np.array([[[1.0, 0, 9999], [0, 1, 9999]]]), 8)
    assert (far == 0).all()


def test_an_odd_edge_continues_in_a_reduced_chip():
    image = gradient(101, 101)
    corner = np.array([[0.2, 0, -20], [0, 0.2, -20]])
    chip = cut_chips(image, corner[None], 16)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(chip[1:, 1:], np.broadcast_to(image[-1, -1], (15, 15, 3)), atol=0.01)


def test_chips_do_not_depend_on_which_others_are_cut():
    places = [(0.4, (500, 300)), (0.35, (101, 77)), (2, (90, 80)), (0.1, (0, 600))]
    chip_from_image = np.stack([rotated(scale, centre=centre) for scale, centre in places])
    together = cut_chips(gradient(), chip_from_image, 24)
    alone = [cut_chips(gradient(), matrix[None], 24)[0] for matrix in chip_from_image]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)


def test_no_transforms_give_no_chips():
    assert cut_chips(gradient(), np.zeros((0, 2, 3)), 16).shape == (0, 3, 16, 16)
