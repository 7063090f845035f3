import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sidecars import album, google, picasa, xmp

from alignimation_index.errors import UserError
from alignimation_index.library.metadata import PhotoFacts, PhotoMetadata
from alignimation_index.library.sidecars.files import facts_from_json, read_sidecar_file, sidecar_from_json, to_json
from alignimation_index.library.sidecars.regions import FaceRegion
from alignimation_index.library.sidecars.xmp import Xmp

XMP = Xmp(datetime(2004, 5, 6, 7, 8, 9), True, "+02:00", 3, (FaceRegion("Ada", (0.1, 0.2, 0.3, 0.4)),))


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.jpg.json", google("a.jpg", people=("Ada",)), "google"),
        ("Metadaten.json", album("Rome"), "album"),
        ("notes.json", album("not an album's file"), "other"),
        ("package.json", b"{}", "other"),
        ("a.XMP", xmp(), "xmp"),
        (".picasa.ini", picasa("a.jpg"), "picasa"),
    ],
)
def test_a_sidecar_is_read_by_its_name_and_kept_as_json(name, data, kind):
    found, content = read_sidecar_file(name, data)
    assert found == kind
    assert sidecar_from_json(kind, json.loads(json.dumps(to_json(content)))) == content


@pytest.mark.parametrize(
    ("name", "data", "reason"), [("a.json", b"{", "the JSON is broken"), ("a.xmp", b"<a", "the XMP is broken")]
)
def test_a_broken_sidecar_says_why(name, data, reason):
    with pytest.raises(UserError, match=reason):
        read_sidecar_file(name, data)


@given(
    st.sampled_from([Xmp(), XMP]), st.sampled_from([None, (1.5, -2.5)]), st.sampled_from([None, datetime(2000, 1, 2)])
)
def test_facts_are_kept_as_json(packet, position, taken_at):
    facts = PhotoFacts(PhotoMetadata(4, 3, taken_at, taken_at and "exif", None, "Camera"), position, 6, packet)
    assert facts_from_json(json.loads(json.dumps(to_json(facts)))) == facts
