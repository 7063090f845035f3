import random
import re
import string
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignimation_index.library.takeout.matching import Pairing, pair_sidecars

SHARED = "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_"
EMOJI = "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋"
EXPOSURE = "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGIN"
NAME_45 = "0123456789_0123456789_0123456789_01234567.jpg"
NAME_43 = "Urlaub in Knaufspesch in der Schneifel (38)"


@pytest.mark.parametrize(
    ("media", "sidecar", "rule"),
    [
        # old and new sidecar
        ("IMG.jpg", "IMG.jpg.json", "same name"),
        ("20161105_170829.jpg", "20161105_170829.jpg.supplemental-metadata.json", "same name"),
        # suffix clipped anywhere
        ("MVIMG_20191230_232926.jpg", "MVIMG_20191230_232926.jpg.supplemental-metadat.json", "same name"),
        ("IMG.jpg", "IMG.jpg.supple.json", "same name"),
        ("IMG.jpg", "IMG.jpg.s.json", "same name"),
        (NAME_45, f"{NAME_45}..json", "same name"),
        # extension clipped, name clipped
        (
            "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jpg",
            "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jp.json",
            "same name",
        ),
        (
            "13039_327707840323_537645323_9470255_27214_n(1).jpg",
            "13039_327707840323_537645323_9470255_27214_n.j(1).json",
            "counter moved",
        ),
        (f"{EXPOSURE}A.jpg", f"{EXPOSURE}.json", "same name"),
        (f"{EMOJI}😛.jpg", f"{EMOJI}.json", "same name"),
        # counter moves, or stays
        ("IMG_3479(1).JPG", "IMG_3479.JPG(1).json", "counter moved"),
        ("Scan35(1).jpg", "Scan35.jpg.supplemental-metadata(1).json", "counter moved"),
        ("Scan35(1).jpg", "Scan35.jpg.supple(1).json", "counter moved"),
        ("skytree (2).jpg", "skytree (2).jpg.supplemental-metadata.json", "same name"),
        # edited copies, localised, clipped, of another format
        ("IMAG0061-edited.JPG", "IMAG0061.JPG.supplemental-metadata.json", "edited copy"),
        ("IMAG0061-modifié.JPG", "IMAG0061.JPG.json", "edited copy"),
        ("IMAG0061-編集済み.JPG", "IMAG0061.JPG.json", "edited copy"),
        ("IMAG0061-ha editado(2).JPG", "IMAG0061.JPG(2).json", "edited copy"),
        ("IMG_0061-edited.jpg", "IMG_0061.HEIC.json", "edited copy"),
        (f"{NAME_43}-edi.jpg", f"{NAME_43}.JP.json", "edited copy"),
        (f"{NAME_43}-edi(1).jpg", f"{NAME_43}.jp(1).json", "edited copy"),
        ("IMG_1-COLLAGE.jpg", "IMG_1.jpg.json", "creation"),
        # copies on the phone, live and motion photos
        ("PXL_20210102_221126856.MP~2.jpg", "PXL_20210102_221126856.MP~2.jpg.json", "same name"),
        ("PXL_20210102_221126856.MP~2.jpg", "PXL_20210102_221126856.MP.jpg.json", "tilde copy"),
        ("PXL_20210102_221126856.MP~2", "PXL_20210102_221126856.MP.jpg.json", "tilde copy"),
        ("IMG_4573.MP4", "IMG_4573.HEIC.json", "live photo"),
        ("IMG_4573(1).MOV", "IMG_4573.JPG.supplemental-metadata(1).json", "live photo"),
        ("PXL_20210102_221126856.MP", "PXL_20210102_221126856.MP.jpg.json", "motion photo"),
        ("PXL_20210102_221126856(1).MP", "PXL_20210102_221126856.MP.jpg(1).json", "motion photo"),
        ("MVIMG_20191230_232926", "MVIMG_20191230_232926.jpg.json", "motion photo"),
        # other extensions, other characters
        ("Peanut Butter Balls.jpg", "Peanut Butter Balls.supplemental-metadata.json", "title without extension"),
        ("Peanut Butter Balls(1).jpg", "Peanut Butter Balls(1).json", "title without extension"),
        ("27_06_12 - 1.mov", "27_06_12 - 1.mov.json", "same name"),
        ("x.heic", "x.heic.json", "same name"),
        ("IMG.JPG", "IMG.jpg.json", "same name"),
        ("IMG.jpg", "IMG.jpg.JSON", "same name"),
    ],
)
def test_each_habit_of_google_is_known(media, sidecar, rule):
    assert pair_sidecars([media], [sidecar]) == {media: Pairing(sidecar, rule)}


@pytest.mark.parametrize(
    ("media", "sidecar"),
    [
        ("DSC_0104(1).JPG", "DSC_0104.JPG.json"),
        ("DSC_0104(1).JPG", "DSC_0104.JPG.supplemental-metadata.json"),
        ("DSC_0103.JPG", "DSC_0103.JPG(1).json"),
        ("DSC_0102(1).JPG", "DSC_0102.JPG(2).json"),
        ("DSC_0102-edited(1).JPG", "DSC_0102.JPG.json"),
        (f"{SHARED}m(185).jpg", f"{SHARED}(494).json"),
        ("PXL_20211013_220651958.jpg", "PXL_20211013_220651983.jpg.json"),
        ("PXL_20220405_090123741.PORTRAIT-modifié.jpg", "PXL_20220405_090123740.PORTRAIT.jpg.json"),
        ("IMG_1.png", "IMG_1.jpg.json"),
        ("IMG_1.HEIC", "IMG_1.MP4.json"),
        ("IMG_1-ed.jpg", "IMG_1.jpg.json"),
        ("IMG_12.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_12.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.super.json"),
        ("metadata.jpg", "metadata.json"),
    ],
)
@pytest.mark.parametrize("with_titles", [False, True])
def test_the_sidecar_of_another_is_left_alone(media, sidecar, with_titles):
    title = re.sub(r"(\(\d+\))?\.json$", "", sidecar)
    assert pair_sidecars([media], [sidecar], {sidecar: title} if with_titles else None) == {}


def paired(media, sidecars, titles=None):
    return {name: pairing.sidecar for name, pairing in pair_sidecars(media, sidecars, titles).items()}


def test_the_edited_copy_of_a_clipped_name_shares_its_sidecar():
    media = [f"{SHARED}P.jpg", f"{SHARED}P(1).jpg"]
    assert paired(media, [f"{SHARED}.json"]) == dict.fromkeys(media, f"{SHARED}.json")
    assert paired(media, [f"{SHARED}.json", f"{SHARED}(1).json"])[media[1]] == f"{SHARED}(1).json"


@pytest.mark.parametrize("stem", ["IMG_4573", EXPOSURE, f"{EXPOSURE}A"])
def test_a_live_photo_and_its_video_share_a_sidecar(stem):
    media = [f"{stem}.HEIC", f"{stem}.MP4"]
    sidecar = f"{stem}.HEIC"[:46] + ".json"
    assert paired(media, [sidecar]) == dict.fromkeys(media, sidecar)


@pytest.mark.parametrize("length", range(40, 48))
def test_an_original_and_its_edited_copy_share_a_sidecar_wherever_the_limit_falls(length):
    stem = "x" * length
    media = [f"{stem}.jpg", f"{f'{stem}-edited'[:47]}{'(1)' if length == 47 else ''}.jpg"]
    sidecar = f"{stem}.jpg.supplemental-metadata"[:46] + ".json"
    assert paired(media, [sidecar]) == dict.fromkeys(media, sidecar)


def test_a_video_with_a_sidecar_of_its_own_keeps_it():
    media = ["IMG_1.HEIC", "IMG_1.MP4"]
    assert paired(media, ["IMG_1.HEIC.json", "IMG_1.MP4.json"])["IMG_1.MP4"] == "IMG_1.MP4.json"


def test_a_sidecar_is_not_taken_from_the_one_that_it_fits_exactly():
    assert paired(["IMG.JPG", "IMG.jpg"], ["IMG.jpg.json"]) == {"IMG.jpg": "IMG.jpg.json"}


def test_titles_tell_apart_what_the_limit_made_equal():
    stem, sidecar = "y" * 46, "y" * 46 + ".json"
    media = [f"{stem}1.jpg", f"{stem}2.jpg"]
    assert paired(media, [sidecar]) == {}
    assert paired(media, [sidecar], {sidecar: f"{stem}23.jpg"}) == {media[1]: sidecar}
    assert paired(media, [sidecar, "y.json"], dict.fromkeys([sidecar, "y.json"], f"{stem}23.jpg")) == {}
    assert paired(["27_06_12.mov"], ["x.json"], {"x.json": "27/06/12.mov"}) == {"27_06_12.mov": "x.json"}


def test_titles_do_not_decide_between_copies():
    sidecars = ["DSC_1.JPG.json", "DSC_1.JPG(2).json"]
    media = ["DSC_1.JPG", "DSC_1(1).JPG", "DSC_1(2).JPG"]
    assert paired(media, sidecars, dict.fromkeys(sidecars, "DSC_1.JPG")) == {
        media[0]: sidecars[0],
        media[2]: sidecars[1],
    }


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("uploaded", ["NFC", "NFD"])
def test_accents_may_be_decomposed_on_disk_and_by_the_uploader(form, uploaded):
    stem = unicodedata.normalize(uploaded, "é" * 40)
    media = unicodedata.normalize(form, f"{stem[:47]}.jpg")
    sidecar = f"{stem}.jpg.supplemental-metadata"[:46] + ".json"
    assert paired([media], [sidecar]) == {media: sidecar}


def first_units(text, limit):
    """What Google keeps of a text: whole characters until `limit` UTF-16 units are full."""
    kept = 0
    while kept < len(text) and len(text[:kept].encode("utf-16-le")) < 2 * limit:
        kept += 1
    return text[:kept]


class Export:
    """A folder of an export: `sidecar_of` its media, `title_of` its sidecars."""

    def __init__(self):
        self.sidecar_of, self.title_of = {}, {}

    def upload(self, stem, extension, new_style, companion=None):
        """Add what Google exports for one upload; `companion` is "edited" or "live"."""
        name = re.sub(r"""[\\/:*?"'<>|%&]""", "_", stem)
        sidecar = first_units(name + extension + new_style * ".supplemental-metadata", 46)
        for counter in ["", *(f"({number})" for number in range(1, 100))]:
            media = first_units(name, 47) + counter + (extension or ".jpg")
            if media not in self.sidecar_of and f"{sidecar}{counter}.json" not in self.title_of:
                break
        sidecar = f"{sidecar}{counter}.json"
        self.title_of[sidecar] = stem + extension
        self.sidecar_of[media] = sidecar
        if companion == "edited":
            self.sidecar_of.setdefault(first_units(f"{name}-edited", 47) + counter + (extension or ".jpg"), sidecar)
        if companion == "live" and extension == ".HEIC":
            self.sidecar_of.setdefault(first_units(name, 47) + counter + ".MP4", sidecar)


def may_meet(title, titles):
    """Whether a folder may hold a title: nobody knows what Google does with two that the limit makes equal."""
    stem, extension = title
    rivals = {other for other in titles if first_units(other[0], 40).casefold() == first_units(stem, 40).casefold()}
    return all(first_units(s, 40) == s and e and extension for s, e in rivals | {title}) or rivals <= {title}


ALPHABET = st.characters(exclude_categories=["C", "Z"], exclude_characters=".") | st.sampled_from("abz019 _-()é編😀/:")
STEMS = st.builds(
    "{}{}".format,
    st.text(ALPHABET, min_size=1, max_size=4) | st.text(ALPHABET, min_size=38, max_size=52),
    st.sampled_from(["", "", "(1)", " (2)", "-edited", "-ed", ".MP", "~2"]),
).map(lambda stem: unicodedata.normalize("NFC", stem.strip() or "x"))
TITLES = st.tuples(STEMS, st.sampled_from([".jpg", ".JPG", ".HEIC", ".png", ".MP4", ""])).filter(
    lambda title: title[1] or "." not in title[0]
)


@st.composite
def exports(draw):
    titles = []
    for title in draw(st.lists(TITLES, min_size=1, max_size=6, unique=True)):
        if may_meet(title, titles):
            titles.append(title)
    export = Export()
    for stem, extension in draw(st.lists(st.sampled_from(titles), min_size=1, max_size=12)):
        export.upload(stem, extension, draw(st.booleans()), draw(st.sampled_from([None, "edited", "live"])))
    return export


@settings(deadline=None)
@given(exports(), st.sampled_from(["NFC", "NFD"]), st.randoms(), st.booleans())
def test_every_photo_of_an_export_gets_its_own_sidecar(export, form, rng, with_titles):
    media = [unicodedata.normalize(form, name) for name in export.sidecar_of]
    sidecars = {unicodedata.normalize(form, name): name for name in export.title_of}
    titles = {name: export.title_of[given_name] for name, given_name in sidecars.items()}
    found = pair_sidecars(
        rng.sample(media, len(media)), rng.sample(list(sidecars), len(sidecars)), with_titles and titles
    )
    assert {unicodedata.normalize("NFC", m): sidecars[pairing.sidecar] for m, pairing in found.items()} == {
        unicodedata.normalize("NFC", m): sidecar for m, sidecar in export.sidecar_of.items()
    }


@settings(deadline=None)
@given(st.sets(st.text(max_size=60), max_size=20), st.sets(st.text(max_size=60).map("{}.json".format), max_size=20))
def test_no_names_break_the_pairing_and_their_order_does_not_matter(media, sidecars):
    found = pair_sidecars(sorted(media), sorted(sidecars))
    assert found == pair_sidecars(sorted(media)[::-1], sorted(sidecars)[::-1])
    assert {pairing.sidecar for pairing in found.values()} <= sidecars


def test_a_large_folder_is_paired_completely_and_what_lost_its_sidecar_gets_no_other():
    rng = random.Random(7)
    export = Export()
    for number in range(5000):
        letters = "".join(rng.choices(string.ascii_letters + " _-()é編😀", k=rng.choice([3, 20, 35, 45, 60])))
        stem, extension = f"{number:05}{letters}_", rng.choice([".jpg", ".HEIC", ".png", ".mp4"])
        for _ in range(rng.choice([1, 1, 3])):
            export.upload(stem, extension, rng.random() < 0.5, rng.choice([None, None, "edited", "live"]))
    assert paired(export.sidecar_of, export.title_of) == export.sidecar_of

    # The copies of a long title cannot be told from its edited copies, so that it loses its sidecars together.
    lost_titles = {title for title in export.title_of.values() if rng.random() < 0.3}
    left = {
        sidecar
        for sidecar, title in export.title_of.items()
        if title not in lost_titles and (len(title) > 40 or rng.random() < 0.5)
    }
    still_paired = {media: sidecar for media, sidecar in export.sidecar_of.items() if sidecar in left}
    assert paired(export.sidecar_of, left) == still_paired
