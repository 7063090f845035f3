import numpy as np
import pytest
import torch
from skimage.data import astronaut

from alignimation_index.models import chips_on_gpu
from alignimation_index.models.chips import ChipCutter, cut_chips, reduce_image
from alignimation_index.models.chips_on_gpu import images_on_gpu
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
    chip = cut_chips([image], [IDENTITY[None]], 64)[0]
    np.testing.assert_array_equal(chip.permute(1, 2, 0).numpy().round(), image[:64, :64])


@pytest.mark.parametrize("scale", [3, 1.01, 0.99, 0.5, 0.37, 0.25, 0.13])
def test_chip_pixels_have_the_value_at_their_place_in_the_image(scale):
    chip_from_image = rotated(scale)
    chip = cut_chips([gradient()], [chip_from_image[None]], 32)[0].numpy()
    v, u = np.mgrid[:32, :32]
    x, y = apply(invert(chip_from_image), np.stack([u, v], -1).reshape(-1, 2)).T.reshape(2, 32, 32)
    # A plane's local mean is its value at the centre: what differs is rounding, to the grey level and in reducing.
    np.testing.assert_allclose(chip, [x / 4, y / 4, (x + y) / 8], atol=0.7)


@pytest.mark.parametrize("scale", [2, 0.99, 0.5, 0.37, 0.25, 0.13])
def test_a_blob_lands_in_a_chip_where_the_transform_says(scale):
    y, x = np.mgrid[:600, :800]
    blob = 255 * np.exp(-((x - 399.3) ** 2 + (y - 301.6) ** 2) / (2 * (3 / scale) ** 2))
    image = np.repeat(blob[..., None].round().astype(np.uint8), 3, -1)
    chip = cut_chips([image], [rotated(scale)[None]], 32)[0, 0].numpy()
    v, u = np.mgrid[:32, :32]
    found = [(chip * u).sum() / chip.sum(), (chip * v).sum() / chip.sum()]
    np.testing.assert_allclose(found, apply(rotated(scale), [[399.3, 301.6]])[0], atol=0.02)


@pytest.mark.parametrize("scale", [0.5, 0.3, 0.11])
def test_stripes_too_fine_for_a_chip_become_grey(scale):
    stripes = np.zeros((600, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    chip = cut_chips([stripes], [rotated(scale, angle=0.1)[None]], 32).numpy()
    assert np.abs(chip - 127.5).max() < 255 * 0.02


def test_a_chip_that_leaves_the_image_continues_its_edge():
    image = gradient()
    shifted = np.array([[1.0, 0, 40], [0, 1, 40]])
    chip = cut_chips([image], [shifted[None]], 64)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(chip[:40, :40], np.broadcast_to(image[0, 0], (40, 40, 3)), atol=1e-3)
    np.testing.assert_allclose(chip[40:, 40:], image[:24, :24], atol=1e-3)
    far = cut_chips([image], [np.array([[[1.0, 0, 9999], [0, 1, 9999]]])], 8)
    assert (far == 0).all()


def test_an_odd_edge_continues_in_a_reduced_chip():
    image = gradient(101, 101)
    corner = np.array([[0.2, 0, -20], [0, 0.2, -20]])
    chip = cut_chips([image], [corner[None]], 16)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(chip[1:, 1:], np.broadcast_to(image[-1, -1], (15, 15, 3)), atol=0.01)


def test_chips_do_not_depend_on_which_others_are_cut():
    places = [(0.4, (500, 300)), (0.35, (101, 77)), (2, (90, 80)), (0.1, (0, 600))]
    chip_from_image = np.stack([rotated(scale, centre=centre) for scale, centre in places])
    together = cut_chips([gradient()], [chip_from_image], 24)
    alone = [cut_chips([gradient()], [matrix[None]], 24)[0] for matrix in chip_from_image]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)


def images_with_chips():
    """Four images of several sizes, and two, no, three and two chips of each, small and large."""
    images = [gradient(), gradient(90, 120), astronaut(), np.ascontiguousarray(astronaut()[::-1, 100:])]
    places = [
        [(0.4, (500, 300)), (2, (90, 80))],
        [],
        [(0.4, (220, 110)), (0.1, (256, 256)), (0.4, (400, 600))],
        [(0.4, (100, 400)), (0.2, (30, 30))],
    ]
    chips = [[rotated(scale, centre=centre) for scale, centre in of_image] for of_image in places]
    return images, [np.array(of_image).reshape(-1, 2, 3) for of_image in chips]


def test_each_chip_is_of_its_own_image_alone_or_together():
    images, chip_from_images = images_with_chips()
    together = cut_chips(images, chip_from_images, 32)
    alone = [
        cut_chips([image], [matrix[None]], 32)
        for image, matrices in zip(images, chip_from_images, strict=True)
        for matrix in matrices
    ]
    assert together.shape == (7, 3, 32, 32)
    np.testing.assert_allclose(together, torch.cat(alone), atol=0.02)


def test_an_image_given_once_for_each_of_its_chips_gives_the_same_chips():
    images, chip_from_images = images_with_chips()
    counts = [len(matrices) for matrices in chip_from_images]
    each = [image for image, count in zip(images, counts, strict=True) for _ in range(count)]
    apart = cut_chips(each, [matrix[None] for matrices in chip_from_images for matrix in matrices], 32)
    np.testing.assert_allclose(apart, cut_chips(images, chip_from_images, 32), atol=0.02)


def test_chips_of_tensors_are_those_of_arrays_within_a_grey_level():
    images, chip_from_images = images_with_chips()
    of_tensors = cut_chips([torch.from_numpy(image) for image in images], chip_from_images, 32)
    of_arrays = cut_chips(images, chip_from_images, 32)
    assert of_tensors.shape == of_arrays.shape
    np.testing.assert_allclose(of_tensors, of_arrays, atol=1)


def test_chips_of_tensors_shrink_as_far_as_those_of_arrays():
    images = [gradient(), gradient(90, 120), gradient()[::-1].copy()]
    tensors = [torch.from_numpy(image) for image in images]
    cutter = ChipCutter(tensors)
    for scale in (0.4, 0.013, 0.1):
        chip_from_images = [rotated(scale)[None]] * 3
        np.testing.assert_allclose(cutter.cut(chip_from_images, 32), cut_chips(images, chip_from_images, 32), atol=1)


def test_tensors_are_halved_once_for_all_who_cut_them_and_forgotten_with_them():
    tensors = [torch.from_numpy(gradient()), torch.from_numpy(astronaut())]
    kept = images_on_gpu(tensors)
    assert images_on_gpu(list(tensors)) is kept
    assert images_on_gpu(tensors[::-1]) is not kept
    assert len(chips_on_gpu._kept) == 2
    tensors.pop()
    assert not chips_on_gpu._kept


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
@pytest.mark.parametrize("image", [lambda x: x, torch.from_numpy], ids=["array", "tensor"])
def test_a_reduced_image_has_the_means_of_its_pixels_and_at_the_end_of_those_there_are(factor, image):
    pixels = astronaut()[:99, :101]
    reduced = np.asarray(reduce_image(image(pixels), factor))
    starts = range(0, 99, factor), range(0, 101, factor)
    means = [[pixels[y : y + factor, x : x + factor].mean((0, 1)) for x in starts[1]] for y in starts[0]]
    assert reduced.dtype == np.uint8
    np.testing.assert_allclose(reduced, means, atol=0.6)  # Pillow rounds a little askew


def test_no_transforms_give_no_chips():
    assert cut_chips([gradient()], [np.zeros((0, 2, 3))], 16).shape == (0, 3, 16, 16)
    assert cut_chips([], [], 16).shape == (0, 3, 16, 16)


def test_landmarks_that_coincide_are_named_as_the_reason():
    with pytest.raises(ValueError, match="has to be finite"):
        cut_chips([gradient()], [np.full((1, 2, 3), np.nan)], 16)
