import pytest

from alignimation_index.library.sidecars.pairing import FolderSidecar, pair_folder
from alignimation_index.library.sidecars.regions import FaceRegion
from alignimation_index.library.sidecars.xmp import Xmp
from alignimation_index.library.takeout.sidecar import GoogleAlbum, GoogleSidecar

REGIONS = (FaceRegion("Ada", (0.1, 0.1, 0.5, 0.5)),)


def google(id_, name, title="a.jpg"):
    return FolderSidecar(id_, name, "google", GoogleSidecar(title, "", None, None, None, (), False, False, False))


def xmp(id_, name):
    return FolderSidecar(id_, name, "xmp", Xmp())


def picasa(id_, *names):
    return FolderSidecar(id_, ".picasa.ini", "picasa", dict.fromkeys(names, REGIONS))


def album(id_):
    return FolderSidecar(id_, "metadata.json", "album", GoogleAlbum("Rome", ""))


@pytest.mark.parametrize(
    ("media", "sidecar", "rules"),
    [
        ("a.jpg", google(9, "a.jpg.json"), "same name"),
        ("a.jpg", xmp(9, "a.jpg.xmp"), "XMP of this name"),
        ("A.JPG", xmp(9, "a.xmp"), "XMP of this stem"),
        ("A\u0308.jpg", xmp(9, "ä.JPG.XMP"), "XMP of this name"),
        ("a.jpg", xmp(9, "b.xmp"), None),
        ("a.jpg", picasa(9, "A.JPG"), "named in the folder's Picasa file"),
        ("a.jpg", picasa(9, "b.jpg"), None),
        ("film.mp4", album(9), "album of the folder"),
    ],
)
def test_a_sidecar_speaks_of_a_file_by_its_rule(media, sidecar, rules):
    assert pair_folder({1: media}, [sidecar]) == ({(1, 9): rules} if rules else {})


def test_a_file_may_have_several_sidecars_and_a_sidecar_several_files():
    found = pair_folder({1: "a.jpg", 2: "a.mp4"}, [google(7, "a.jpg.json"), xmp(8, "a.xmp")])
    assert found == {
        (1, 7): "same name",
        (2, 7): "live photo",
        (1, 8): "XMP of this stem",
        (2, 8): "XMP of this stem",
    }


def test_files_of_one_name_in_two_parts_of_an_export_share_their_sidecar():
    assert pair_folder({1: "a.jpg", 2: "a.jpg"}, [google(7, "a.jpg.json")]).keys() == {(1, 7), (2, 7)}
