import numpy as np
import pytest
import torch

from alignimation_index.models.pyramid import Pyramid, _resized

WHOLE = (0, 0, 640, 480)
# Each halving rounds up along both axes, by half a level on average.
LEVELS_OFF = 2.5


def gradient(height=480, width=640):
    """A plane of slopes 1/4, 1/4 and 1/8: every rounded pixel is within half a grey level of it."""
    y, x = np.mgrid[:height, :width]
    return np.stack([np.round(x / 4), np.round(y / 4), np.round((x + y) / 8)], -1).astype(np.uint8)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def cut(images, owners, boxes, size=24):
    pyramid = Pyramid(images, "cpu")
    return pyramid.crops(torch.tensor(owners), torch.tensor(boxes, dtype=torch.float32), size).numpy()


def expected_gradient(box, size=24):
    """What the gradient's plane is at the middle of each pixel of a crop, (3, size, size)."""
    left, top, right, bottom = box
    along = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(left + along * (right - left) - 0.5, top + along * (bottom - top) - 0.5)
    return np.stack([x / 4, y / 4, (x + y) / 8])


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_an_image_resized_by_a_power_of_two_has_the_means_of_the_areas_it_covers(factor):
    image = noise(48, 96)
    means = image.reshape(48 // factor, factor, 96 // factor, factor, 3).mean((1, 3))
    resized = Pyramid([image], "cpu").resized(48 // factor, 96 // factor)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(resized, means, atol=LEVELS_OFF)


@pytest.mark.parametrize(("height", "width"), [(455, 607), (322, 429), (163, 217), (58, 77)])
def test_at_any_size_a_pixel_has_the_value_of_its_place(height, width):
    resized = Pyramid([gradient()], "cpu").resized(height, width)[0].numpy()
    y, x = np.mgrid[:height, :width]
    x, y = (x + 0.5) * 640 / width - 0.5, (y + 0.5) * 480 / height - 0.5
    # A plane's mean is its value at the centre, but for where it is held at the edge.
    inside = (slice(None), slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(resized[inside], np.stack([x / 4, y / 4, (x + y) / 8])[inside], atol=LEVELS_OFF)


def test_a_gpus_floats_are_resized_as_bytes_are():
    bytes_ = torch.from_numpy(noise(480, 640)).permute(2, 0, 1)[None]
    for size in ((240, 320), (300, 401)):
        floats = _resized(bytes_.float(), *size)
        np.testing.assert_allclose(floats, _resized(bytes_, *size).float(), atol=1)
        assert torch.equal(floats, floats.round())


def test_each_image_of_a_batch_is_resized_by_itself():
    images = [noise(40, 60, seed) for seed in range(3)]
    together = Pyramid(images, "cpu").resized(17, 25)
    assert together.shape == (3, 3, 17, 25)
    for image, resized in zip(images, together, strict=True):
        assert torch.equal(resized, Pyramid([image], "cpu").resized(17, 25)[0])


def test_a_crop_of_the_whole_image_at_its_size_is_the_image():
    image = noise(64, 64)
    crop = cut([image], [0], [(0, 0, 64, 64)], 64)[0]
    np.testing.assert_allclose(crop.transpose(1, 2, 0), image, atol=1e-3)


@pytest.mark.parametrize("shrink", [0.4, 1, 1.5, 2, 2.1, 3, 4, 6.3, 8, 11, 16])
def test_a_crop_has_the_values_of_its_place_however_much_it_shrinks(shrink):
    side = 24 * shrink
    box = (101.3, 37.6, 101.3 + side, 37.6 + side)
    np.testing.assert_allclose(cut([gradient()], [0], [box])[0], expected_gradient(box), atol=LEVELS_OFF)


@pytest.mark.parametrize("shrink", [2, 4, 7, 16])
def test_stripes_too_fine_for_a_crop_become_grey(shrink):
    stripes = np.zeros((480, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    side = 24 * shrink
    crop = cut([stripes], [0], [(50, 40, 50 + side, 40 + side)])
    assert np.abs(crop - 127.5).max() < 5


def test_what_lies_beyond_the_edge_is_cut_off_and_the_rest_stretched():
    beyond = (-40, -60, 200, 180), (500, 300, 740, 540), (-100, -100, 800, 800)
    inside = (0, 0, 200, 180), (500, 300, 640, 480), WHOLE
    for cut_off, box in zip(beyond, inside, strict=True):
        crop = cut([gradient()], [0], [cut_off])[0]
        np.testing.assert_allclose(crop, cut([gradient()], [0], [box])[0], atol=1e-3)
        # In the outermost pixel of a crop, the edge is held.
        np.testing.assert_allclose(crop[:, 1:-1, 1:-1], expected_gradient(box)[:, 1:-1, 1:-1], atol=LEVELS_OFF)


def test_a_box_beyond_the_image_gives_a_crop_all_the_same():
    assert np.isfinite(cut([gradient()], [0, 0], [(700, 10, 800, 110), (10, -90, 40, -60)])).all()


@pytest.mark.parametrize("shrink", [1.5, 3, 7])
def test_crops_of_an_odd_image_show_their_place_too(shrink):
    side = 24 * shrink
    box = (101.3, 37.6, 101.3 + side, 37.6 + side)
    np.testing.assert_allclose(cut([gradient(333, 411)], [0], [box])[0], expected_gradient(box), atol=1)


def test_each_crop_is_of_its_own_image_alone_or_together():
    images = [gradient(), noise(480, 640), gradient()[:, ::-1].copy()]
    owners = [2, 0, 1, 0, 2]
    boxes = [(10, 20, 110, 120), (10, 20, 110, 120), (10, 20, 110, 120), WHOLE, (600, 5, 620, 25)]
    together = cut(images, owners, boxes)
    assert together.shape == (5, 3, 24, 24)
    for crop, owner, box in zip(together, owners, boxes, strict=True):
        np.testing.assert_allclose(crop, cut([images[owner]], [0], [box])[0], atol=1e-3)


def test_no_boxes_give_no_crops():
    assert cut([gradient()], [], np.zeros((0, 4))).shape == (0, 3, 24, 24)


def test_tensors_are_images_as_arrays_are():
    images, box = [noise(480, 640, 1), noise(480, 640, 2)], (30, 50, 200, 220)
    tensors = [torch.from_numpy(image) for image in images]
    np.testing.assert_array_equal(cut(tensors, [1, 0], [box, WHOLE]), cut(images, [1, 0], [box, WHOLE]))
    assert torch.equal(Pyramid(tensors, "cpu").resized(100, 140), Pyramid(images, "cpu").resized(100, 140))
