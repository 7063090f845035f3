import numpy as np
import pytest
import torch
from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1
from skimage.data import astronaut

from alignimation_index.datatypes import Detections
from alignimation_index.errors import UserError
from alignimation_index.models.chips import cut_chips
from alignimation_index.models.facenet import FacenetEmbedder, chip_from_image
from alignimation_index.similarity import apply


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    return InceptionResnetV1(classify=True, num_classes=7).eval()


@pytest.fixture(scope="module")
def embedder(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "net.pt"
    torch.save(reference.state_dict(), path)
    return FacenetEmbedder(path)


def faces(*boxes):
    n = len(boxes)
    return Detections(np.array(boxes, np.float32), np.ones(n, np.float32), np.zeros((n, 5, 2), np.float32))


def test_vectors_are_those_of_the_network_on_standardised_chips(embedder, reference):
    chips = torch.randint(0, 256, (3, 3, 160, 160), dtype=torch.uint8)
    reference.classify = False
    with torch.inference_mode():
        expected = reference((chips.float() - 127.5) / 128).numpy()
    np.testing.assert_allclose(embedder.embed_chips(chips), expected, atol=1e-5)


def test_every_image_gets_its_own_unit_vectors(embedder):
    image = astronaut()
    first, second = (170, 70, 280, 210), (10, 300, 200, 500)
    both, none, one = embedder.embed([image] * 3, [faces(first, second), Detections.none(), faces(second)])
    assert both.shape == (2, 512)
    assert none.shape == (0, 512)
    assert both.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(both[1], one[0], atol=1e-4)
    assert embedder.embed([], []) == []


def test_photos_without_faces_have_no_vectors(embedder):
    found = embedder.embed([astronaut()] * 2, [Detections.none()] * 2)
    assert [vectors.shape for vectors in found] == [(0, 512), (0, 512)]


def test_a_chip_spans_the_box_clipped_to_the_image():
    (matrix,) = chip_from_image(np.array([[-20, 30, 80, 230]], np.float32), 100, 200)
    # The box's edges are pixel edges: pixel 0's outer edge, at -0.5, is the chip's.
    np.testing.assert_allclose(apply(matrix, [[-0.5, 29.5], [79.5, 199.5]]), [[-0.5, -0.5], [159.5, 159.5]])


def test_a_box_outside_of_the_image_still_gives_a_chip():
    matrices = chip_from_image(np.array([[600, 600, 700, 700]], np.float32), 512, 512)
    assert torch.isfinite(cut_chips([astronaut()], [matrices], 160)).all()


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "net.pt")
    with pytest.raises(UserError, match="another network"):
        FacenetEmbedder(tmp_path / "net.pt")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_a_file_that_is_no_weights_is_refused(tmp_path, content):
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"net\.pt: cannot be read"):
        FacenetEmbedder(tmp_path / "net.pt")
