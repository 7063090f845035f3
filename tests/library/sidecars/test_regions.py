import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from alignimation_index.library.sidecars.regions import FaceRegion, face_region, upright_regions

UNDONE_BY = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}

shares = st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted)


def turned(box, *orientations):
    regions = (FaceRegion("Ada", box),)
    for orientation in orientations:
        regions = upright_regions(regions, orientation)
    return regions[0].box


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_goes_where_the_picture_goes(orientation):
    stored = Image.new("L", (80, 40))
    stored.paste(255, (10, 5, 30, 15))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(buffer))
    box = turned((10 / 80, 5 / 40, 30 / 80, 15 / 40), orientation)
    in_pixels = [share * side for share, side in zip(box, upright.size * 2, strict=True)]
    assert in_pixels == pytest.approx(upright.getbbox())


@given(shares, shares, st.sampled_from(sorted(UNDONE_BY)))
def test_turning_back_undoes_turning(x, y, orientation):
    box = (x[0], y[0], x[1], y[1])
    assert turned(box, orientation, UNDONE_BY[orientation]) == pytest.approx(box)


@given(shares, shares)
def test_two_quarter_turns_are_a_half_turn(x, y):
    box = (x[0], y[0], x[1], y[1])
    assert turned(box, 6, 6) == pytest.approx(turned(box, 3))


@given(st.text(), st.tuples(*[st.floats()] * 4))
def test_a_region_lies_in_the_picture_and_has_a_name(name, box):
    region = face_region(name, box)
    if region:
        x1, y1, x2, y2 = region.box
        assert region.name
        assert 0 <= x1 < x2 <= 1
        assert 0 <= y1 < y2 <= 1
