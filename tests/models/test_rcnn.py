import numpy as np
import pytest
import torch
from rcnn_weights import keypoint_state, mask_state, published, saved
from weight_server import serving

from alignimation_index.errors import UserError
from alignimation_index.models.backends import OFFLINE_VARIABLE, Backend, choose_backend
from alignimation_index.models.rcnn import RcnnDetector, keypoint_scores, match
from alignimation_index.models.weights import WeightStore

STRIP = (12, 240)  # a strip costs the networks a tenth of a photo


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """On strips, threads gain less than they cost."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    for name, state in (("mask.pth", mask_state()), ("keypoint.pth", keypoint_state())):
        (folder / name).write_bytes(saved(state))
    return folder / "mask.pth", folder / "keypoint.pth"


@pytest.fixture(scope="module")
def detector(files):
    return RcnnDetector(*files)


def strip(height, width):
    return np.full((height, width, 3), 90, np.uint8)


def test_weights_are_fetched_checked_and_loaded(tmp_path, monkeypatch):
    monkeypatch.delenv(OFFLINE_VARIABLE, raising=False)
    masked, pointed = saved(mask_state()), saved(keypoint_state())
    with serving(masked) as (mask_url, asked), serving(pointed) as (keypoint_url, _):
        files = published("mask.pth", masked, mask_url), published("keypoint.pth", pointed, keypoint_url)
        made = Backend(files, lambda weights, device: RcnnDetector(*map(weights.verify, files), device))
        store = WeightStore(tmp_path / "weights")
        assert [choose_backend({"rcnn": made}, None, store) for _ in range(2)] == ["rcnn", "rcnn"]
    assert len(asked) == 1
    assert made.load(store, "cpu").model_id == "torchvision-rcnn"


def test_the_weights_are_those_that_torchvision_loads(files):
    from torchvision.models.detection import keypointrcnn_resnet50_fpn, maskrcnn_resnet50_fpn

    for build, path in zip((maskrcnn_resnet50_fpn, keypointrcnn_resnet50_fpn), files, strict=True):
        with torch.device("meta"):
            network = build(weights=None, weights_backbone=None)
        theirs = {name: tensor.shape for name, tensor in network.state_dict().items()}
        ours = {name: tensor.shape for name, tensor in torch.load(path, weights_only=True).items()}
        assert ours == {name: shape for name, shape in theirs.items() if "num_batches_tracked" not in name}


def test_a_file_of_the_other_network_is_refused(files):
    with pytest.raises(UserError, match=r"keypoint.pth: holds the weights of another network"):
        RcnnDetector(files[1], files[1])


def test_a_damaged_file_is_refused(files, tmp_path):
    (tmp_path / "mask.pth").write_bytes(files[0].read_bytes()[:1000])
    with pytest.raises(UserError, match=r"mask.pth: cannot be read as weights"):
        RcnnDetector(tmp_path / "mask.pth", files[1])


def test_a_body_is_what_both_networks_see(detector):
    (found,) = detector.detect([strip(*STRIP)])
    assert len(found) == 1
    height, width = STRIP
    np.testing.assert_allclose(found.boxes, [[-0.5, -0.5, width - 0.5, height - 0.5]], atol=0.1)
    assert 0.5 < found.scores[0] < 1
    assert found.keypoints.shape == (1, 17, 3)
    assert (found.keypoints[0, :, :2] <= [width - 0.5, height - 0.5]).all()
    assert all(part.dtype == np.float32 for part in (found.boxes, found.scores, found.keypoints))
    (mask,) = found.masks
    assert (mask.shape, mask.dtype) == (STRIP, np.uint8)
    assert set(np.unique(mask)) == {0, 255}
    assert (mask > 0).mean() > 0.98  # torchvision leaves the corners out


def test_what_one_network_alone_sees_is_no_body(files, tmp_path):
    (tmp_path / "nobody.pth").write_bytes(saved(keypoint_state(person_logit=-5.0)))
    assert len(RcnnDetector(files[0], tmp_path / "nobody.pth").detect([strip(*STRIP)])[0]) == 0


def test_one_network_may_doubt_what_the_other_is_sure_of(files, tmp_path):
    for name, logit, count in (("doubtful.pth", -0.4, 1), ("more.pth", -0.6, 0)):
        (tmp_path / name).write_bytes(saved(keypoint_state(person_logit=logit)))
        assert len(RcnnDetector(files[0], tmp_path / name).detect([strip(*STRIP)])[0]) == count


def test_a_large_photo_is_reduced_and_its_bodies_are_in_its_own_pixels(detector):
    small, large = detector.detect([strip(40, 800), strip(161, 3203)])
    assert large.masks[0].shape == (161, 3203)
    assert (large.masks[0] > 0).mean() > 0.98
    np.testing.assert_allclose(large.boxes, [[-0.5, -0.5, 3202.5, 160.5]], atol=0.5)
    np.testing.assert_allclose(large.keypoints[..., :2], (small.keypoints[..., :2] + 0.5) * 4 - 0.5, atol=12)


def test_a_tensor_is_an_image_too(detector):
    array, tensor = detector.detect([strip(*STRIP), torch.from_numpy(strip(*STRIP))])
    np.testing.assert_array_equal(array.boxes, tensor.boxes)


def test_no_image_has_no_bodies(detector):
    assert detector.detect([]) == []


def test_boxes_are_paired_by_overlap_the_nearest_first_and_none_twice():
    a = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    b = np.array([[1, 0, 11, 10], [30, 30, 40, 40]], np.float32)
    assert match(a, b) == [(1, 0)]
    assert match(a, a[::-1]) == [(0, 2), (1, 1), (2, 0)]
    assert match(a[:0], b) == match(a, b[:0]) == []


def test_boxes_that_hardly_overlap_are_two_bodies():
    box = np.array([[0, 0, 10, 10]], np.float32)
    assert match(box, box + np.float32([4, 0, 4, 0])) == []
    assert match(box, box + np.float32([3, 0, 3, 0])) == [(0, 0)]


def test_keypoint_scores_rise_from_0_to_1_through_a_half_where_detectron_draws():
    scores = keypoint_scores(np.array([-20, 2, 20], np.float32))
    np.testing.assert_allclose(scores, [0, 0.5, 1], atol=1e-6)
