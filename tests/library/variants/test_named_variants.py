import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.library.variants.names import NamedFile, moving_halves, named_pairs


def files(*names, folder="f"):
    return [NamedFile(i, f"{i:02}", folder, name) for i, name in enumerate(names)]


def pairs(*names):
    return {(kind, names[first], names[second]) for kind, first, second in named_pairs(files(*names))}


@pytest.mark.parametrize(
    ("edited", "original"),
    [
        ("IMG_1-edited.jpg", "IMG_1.jpg"),
        ("IMG_1-edited(1).jpg", "IMG_1(1).jpg"),
        ("IMG_1-bearbeitet.jpg", "IMG_1.HEIC"),
        ("IMG_1-編集済み.jpg", "img_1.JPG"),
        ("IMG_E1234.JPG", "IMG_1234.HEIC"),
        ("PXL_20230101_120000000-edited.jpg", "PXL_20230101_120000000.MP.jpg"),
    ],
)
def test_an_edited_copy_belongs_to_its_original(edited, original):
    assert pairs(original, edited) == {("edited", edited, original)}


def test_an_edited_copy_belongs_to_the_original_of_its_own_format():
    assert pairs("a.heic", "a.jpg", "a-edited.jpg") == {("edited", "a-edited.jpg", "a.jpg")}


@pytest.mark.parametrize(
    ("raw", "developed"),
    [
        ("DSC_1.NEF", "DSC_1.JPG"),
        ("IMG_1.dng", "IMG_1.HEIC"),
        ("PXL_1.RAW-02.ORIGINAL.dng", "PXL_1.RAW-01.COVER.jpg"),
        ("PXL_1.RAW-02.ORIGINAL.dng", "PXL_1.RAW-01.MP.COVER.jpg"),
    ],
)
def test_raw_belongs_to_what_it_became(raw, developed):
    assert pairs(raw, developed) == {("raw", developed, raw)}


@pytest.mark.parametrize(
    "names",
    [
        ("IMG_1.jpg", "IMG_2.jpg"),
        ("IMG_1-edited.jpg", "IMG_2.jpg"),
        ("a-edited.jpg",),
        ("IMG_1.jpg", "IMG_1.png"),
        ("IMG_1.nef", "IMG_1.dng", "IMG_1.jpg"),
        ("IMG_1(1).nef", "IMG_1.jpg"),
    ],
)
def test_others_are_no_pairs(names):
    assert pairs(*names) == set()


def test_names_in_two_folders_are_no_pair():
    (one,) = files("a.jpg", folder="f")
    other = NamedFile(1, "01", "g", "a-edited.jpg")
    assert list(named_pairs([one, other])) == []


@pytest.mark.parametrize(
    ("video", "still"),
    [
        ("IMG_1.MOV", "IMG_1.HEIC"),
        ("IMG_1(1).MP4", "IMG_1(1).HEIC"),
        ("PXL_1.MP", "PXL_1.MP.jpg"),
        ("PXL_1.MP.mp4", "PXL_1.MP.jpg"),
        ("MVIMG_1", "MVIMG_1.jpg"),
    ],
)
def test_a_video_is_the_moving_half_of_the_still_of_its_name(video, still):
    assert moving_halves([NamedFile(7, "", "f", video)], files(still, "other.jpg")) == {7: 0}
    assert moving_halves([NamedFile(7, "", "g", video)], files(still)) == {}


@given(st.permutations(["a.jpg", "a.heic", "a.dng", "a-edited.jpg", "a-edited.heic", "IMG_E0001.jpg", "IMG_0001.jpg"]))
def test_the_order_of_the_files_does_not_matter(names):
    by_name = [NamedFile(sorted(names).index(name), name, "f", name) for name in names]
    assert set(named_pairs(by_name)) == set(named_pairs(sorted(by_name, key=lambda file: file.name)))
