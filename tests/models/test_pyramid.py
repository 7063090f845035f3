import numpy as np
import pytest
import torch
from PIL import Image

from alignimation_index.models.pyramid import BOX, Pyramid, _box_weights

WHOLE = (0, 0, 640, 480)


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


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_a_resized_image_has_the_means_of_the_areas_it_covers(factor):
    image = noise(48, 96)
    means = image.reshape(48 // factor, factor, 96 // factor, factor, 3).mean((1, 3))
    resized = Pyramid([image], "cpu").resized(48 // factor, 96 // factor)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(resized, means, atol=1)


@pytest.mark.parametrize(("height", "width"), [(31, 50), (47, 65), (5, 7)])
def test_at_any_size_a_pixel_is_the_mean_of_those_whose_middle_it_covers(height, width):
    image = noise(48, 66)
    resized = Pyramid([image], "cpu").resized(height, width)[0].permute(1, 2, 0).numpy()
    rows, columns = (np.ceil((np.arange(count) + 0.5) * to / count) - 1 for to, count in ((height, 48), (width, 66)))
    means = [
        [image[rows == row][:, columns == column].mean((0, 1)) for column in range(width)] for row in range(height)
    ]
    np.testing.assert_allclose(resized, means, atol=1)


def test_each_image_of_a_batch_is_resized_by_itself():
    images = [noise(40, 60, seed) for seed in range(3)]
    together = Pyramid(images, "cpu").resized(17, 25)
    assert together.shape == (3, 3, 17, 25)
    for image, resized in zip(images, together, strict=True):
        assert torch.equal(resized, Pyramid([image], "cpu").resized(17, 25)[0])


@pytest.mark.parametrize("size", [(240, 320), (170, 227), (97, 131), (60, 81), (481, 641)])
def test_the_weights_of_a_gpu_give_pillows_box_within_a_grey_level(size):
    image = noise(480, 640)
    planes = torch.from_numpy(image).permute(2, 0, 1).float()
    by_weights = _box_weights(size[0], 480, "cpu") @ planes @ _box_weights(size[1], 640, "cpu").T
    by_pillow = np.asarray(Image.fromarray(image).resize(size[::-1], BOX))
    np.testing.assert_allclose(by_weights.permute(1, 2, 0).numpy(), by_pillow, atol=1.01)


@pytest.mark.parametrize(("to_size", "from_size"), [(240, 480), (97, 480), (1, 5), (5, 5), (481, 480)])
def test_the_weights_of_a_pixel_sum_to_one(to_size, from_size):
    weights = _box_weights(to_size, from_size, "cpu")
    assert weights.shape == (to_size, from_size)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)


def test_a_crop_of_the_whole_image_at_its_size_is_the_image():
    image = noise(64, 64)
    crop = cut([image], [0], [(0, 0, 64, 64)], 64)[0]
    np.testing.assert_allclose(crop.transpose(1, 2, 0), image, atol=1e-3)


@pytest.mark.parametrize("shrink", [0.4, 1, 1.5, 2, 2.1, 3, 4, 6.3, 8, 11, 16])
def test_a_crop_has_the_values_of_its_place_however_much_it_shrinks(shrink):
    side = 24 * shrink
    box = (101.3, 37.6, 101.3 + side, 37.6 + side)
    np.testing.assert_allclose(cut([gradient()], [0], [box])[0], expected_gradient(box), atol=1)


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
        np.testing.assert_allclose(crop[:, 1:-1, 1:-1], expected_gradient(box)[:, 1:-1, 1:-1], atol=1)


def test_a_box_beyond_the_image_gives_a_crop_all_the_same():
    assert np.isfinite(cut([gradient()], [0, 0], [(700, 10, 800, 110), (10, -90, 40, -60)])).all()


def test_the_last_row_and_column_of_an_odd_image_keep_their_weight():
    image = np.zeros((97, 97, 3), np.uint8)
    image[-1], image[:, -1] = 200, 200
    crop = cut([image], [0], [(0, 0, 97, 97)], 12)[0]
    means = Pyramid([image], "cpu").resized(12, 12)[0].numpy()
    np.testing.assert_allclose(crop[:, -1, :-1].mean(), means[:, -1, :-1].mean(), rtol=0.5)
    assert (crop[:, :-1, :-1] == 0).all()


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
