from dataclasses import dataclass

import pytest
from fakes import EMBEDDER, FakeModels, draw_photo
from PIL import Image

from alignimation_index.models.faces import FaceModelIds
from alignimation_index.pipeline.analysis import Analysis
from alignimation_index.pipeline.profile import Profile
from alignimation_index.pipeline.stages import PHOTO_STAGES, stage_keys
from alignimation_index.pipeline.work import ReadHere, Tools, Work


@pytest.fixture
def analysis(fakes):
    models = fakes.source().load()
    return Analysis(stage_keys(FaceModelIds(EMBEDDER)), Tools.of_faces(lambda: models, ReadHere()), Profile())


@dataclass
class CountedWork(Work):
    """Counts how often somebody reads its bytes."""

    readings: int = 0

    @property
    def bytes(self):
        self.readings += 1
        return super().bytes


def work_on(path):
    return Work(path.name, set(PHOTO_STAGES), path.read_bytes())


def test_a_photo_that_is_through_keeps_its_results_and_neither_bytes_nor_pixels(analysis, photos):
    work = work_on(draw_photo(photos / "a.jpg", "red"))
    analysis.run([work])
    assert (work.data, work.pixels, work.failures) == (None, None, {})
    assert work.results.keys() == set(PHOTO_STAGES)
    assert len(work.detections) == 1


def test_only_stale_stages_run(analysis, fakes: FakeModels, photos):
    work = work_on(draw_photo(photos / "a.jpg", "red"))
    analysis.run([work])
    again = Work("a.jpg", {"pose"}, results={name: work.results[name] for name in ("detect", "landmarks")})
    analysis.run([again])
    assert again.results.keys() == {"detect", "landmarks", "pose"}
    assert fakes.images == {"detector": 1, "refiner": 1, "embedder": 1}


@pytest.mark.parametrize(("face_px", "decodes"), [(0, 1), (64, 2), (900, 1)])
def test_only_a_photo_with_a_small_face_is_decoded_again(analysis, photos, face_px, decodes):
    picture = Image.new("RGB", (4000, 3000))
    picture.paste((255, 0, 0), (1000, 1000, 1000 + face_px, 1000 + face_px))
    picture.save(photos / "a.jpg")
    work = CountedWork("a.jpg", set(PHOTO_STAGES), (photos / "a.jpg").read_bytes())
    analysis.run([work])
    assert work.failures == {}
    assert work.readings == 1 + decodes  # the metadata's, and each decode's
