"""`alignindex photos` and what it says of an export."""

import json

import pytest
from sidecars import album, google, put


@pytest.fixture(scope="module")
def export(tmp_path_factory, library):
    """An indexed export of two photos, one of them in the bin."""
    top = tmp_path_factory.mktemp("export")
    folder = top / "Takeout" / "Rome"
    for year, flags in ((2003, {}), (2008, {"trashed": True})):
        put(folder / f"{year}.jpg", library.path(year).read_bytes())
        put(folder / f"{year}.jpg.json", google(f"{year}.jpg", people=("Ada",), **flags))
    put(folder / "metadata.json", album("Trip to Rome"))
    put(folder / "film.mp4", b"film")
    exported = type(library)(folder, top / "store.db")
    updated = exported.run("update", top / "Takeout", "--stages", "describe")
    assert (updated.code, updated.err) == (0, "")
    return exported


def test_photos_are_listed_with_what_their_export_says(export):
    (photo,) = export.run("photos", "--json").json
    assert (photo["albums"], photo["google_people"]) == (["Trip to Rome"], ["Ada"])
    assert (photo["taken_at"], photo["taken_at_source"]) == ("2003-06-15T12:30:00", "exif")
    assert (photo["favourite"], photo["archived"], photo["trashed"]) == (False, False, False)
    assert [sidecar["rule"] for sidecar in photo["sidecars"]] == ["same name", "album of the folder"]


def test_hidden_photos_are_listed_when_asked_for_and_counted(export):
    assert len(export.run("photos", "--include-trashed", "--json").json) == 2
    assert len(export.run("photos", "--include-archived", "--json").json) == 1
    status = export.run("status").out
    assert "trashed: 1 (hidden; --include-trashed lists them)" in status
    assert "videos: 1 (not indexed; " in status


def test_a_date_is_set_seen_at_once_and_taken_back(export):
    path = export.path(2003)
    done = export.run("photos", "set-date", "1999-05-06 07:08", "--offset", "+02:00", path)
    assert (done.code, done.out) == (0, "1 photo taken 1999-05-06 07:08:00+02:00\n")
    (photo,) = export.run("photos", "--date-source", "answer", "--json").json
    assert (photo["taken_at"], photo["utc_offset"]) == ("1999-05-06T07:08:00", "+02:00")
    assert export.run("photos", "unset-date", photo["content_hash"]).code == 0
    assert export.run("photos", "--date-source", "answer", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["set-date", "soon", "x.jpg"], "'soon' is no date of a photo. Write 2004-05-06"),
        (["set-date", "2004", "--offset", "noon", "x.jpg"], "'noon' is no offset from UTC"),
        (["set-date", "2004", "x.jpg"], "x.jpg is not among the photos. See their paths: alignindex photos"),
        (["unset-date", "x.jpg"], "x.jpg is not among the photos"),
        (["set-dat:e"], "'set-dat:e' is not understood"),
    ],
)
def test_what_cannot_be_dated_is_said(export, arguments, message):
    failed = export.run("photos", *arguments)
    assert (failed.code, failed.out) == (1, "")
    assert message in failed.err


def test_an_expression_and_options_list_without_naming_the_command(library):
    assert (
        library.run("photos", "year:2003", "--json").json == library.run("photos", "list", "year:2003", "--json").json
    )
    listed = library.run("photos", "year:2003").out.splitlines()
    assert listed[0].split() == ["taken", "source", "status", "path"]
    assert "exif" in listed[1]


def test_stages_are_named_or_refused(empty_library):
    refused = empty_library.run("update", "--stages", "scan,nonsense")
    assert refused.code == 2
    scanned = empty_library.run("update", empty_library.photos, "--stages", "scan")
    assert (scanned.code, scanned.err) == (0, "")
    assert json.loads(empty_library.run("photos", "--json").out) == []
