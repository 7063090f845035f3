"""Films of drawn photos, and their records."""

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from disks import full_disk
from fakes import draw_photo, frames, index
from PIL import Image

from alignimation_index.errors import UserError
from alignimation_index.render.film.film import Film, Look, render_film
from alignimation_index.render.film.labels import Labels
from alignimation_index.render.film.record import read_record, render_recorded, with_paths
from alignimation_index.render.film.sheet import render_sheet
from alignimation_index.render.film.tracks import Track, age_of, compared, day_of, evenly, on_one_clock
from alignimation_index.render.film.transitions.transition import PHOTOS_PER_SECOND, Transition
from alignimation_index.render.stills.framing import Framing

SQUARE = Framing(64, 64)


@pytest.fixture
def shot(store, fakes, photos):
    """Frames of six photos, one per year."""
    for year in range(2000, 2006):
        draw_photo(photos / f"{year}.jpg", "red", shade=20 * (year - 1999), taken_at=datetime(year, 6, 1))
    index(store, fakes, photos)
    return frames(store)


def film_of(frames, transition="cut", fps=12.0, labels=None, pace=6.0):
    look = Look(SQUARE, Transition(transition), fps, labels or Labels())
    return Film([evenly(frames, pace, "red")], look, "person:red")


def pictures(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_film_is_as_long_as_asked_whatever_its_rate(shot, tmp_path):
    for fps in (6.0, 12.0, 25.0):
        report = render_film(film_of(shot, fps=fps), tmp_path / "out")
        assert report.frame_count == len(list((tmp_path / "out").iterdir())) == fps


def test_progress_tells_how_many_pictures_there_will_be(shot, tmp_path):
    told = []
    render_film(film_of(shot), tmp_path / "out", lambda done, total: told.append((done, total)))
    assert told == [(done, 12) for done in range(1, 13)]


@pytest.mark.parametrize("transition", PHOTOS_PER_SECOND)
def test_a_record_makes_the_same_film_again_byte_for_byte(shot, tmp_path, transition):
    labels = Labels("{date} · {person}", "top-right", time_bar=True)
    made = film_of(shot, transition, labels=labels)
    render_recorded(made, tmp_path / "a", lambda *_: None)
    again = read_record(tmp_path / "a.json")
    assert again.look == made.look and again.query == made.query
    render_recorded(again, tmp_path / "b")
    assert pictures(tmp_path / "a") == pictures(tmp_path / "b")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_record_lists_each_frame_with_photo_date_and_transform(shot, tmp_path):
    render_recorded(film_of(shot), tmp_path / "out.gif")
    record = json.loads((tmp_path / "out.gif.json").read_text())
    rows = record["tracks"][0]["frames"]
    assert [row["path"] for row in rows] == [frame.path for frame in shot]
    assert [row["taken_at"][:4] for row in rows] == [str(year) for year in range(2000, 2006)]
    assert [row["start_s"] for row in rows] == pytest.approx([i / 6 for i in range(6)])
    for row, frame in zip(rows, shot, strict=True):
        assert (np.float32(row["template_from_photo"]) == frame.template_from_photo).all()
    assert record["query"] == "person:red" and record["version"]
    assert (tmp_path / "out.gif.json").stat().st_mode & 0o077 == 0


def test_a_film_whose_photo_was_missing_is_the_same_again_though_it_is_back(shot, tmp_path, photos):
    kept = (photos / "2002.jpg").read_bytes()
    (photos / "2002.jpg").unlink()
    report = render_recorded(film_of(shot, "morph"), tmp_path / "a")
    assert report.left_out == [(str(photos / "2002.jpg"), "No such file or directory")]
    assert report.frame_count == 12
    (photos / "2002.jpg").write_bytes(kept)
    render_recorded(read_record(tmp_path / "a.json"), tmp_path / "b")
    assert pictures(tmp_path / "a") == pictures(tmp_path / "b")


def test_photos_that_have_moved_are_found_by_what_they_hold(shot, tmp_path, photos):
    render_recorded(film_of(shot), tmp_path / "a")
    photos.rename(tmp_path / "elsewhere")
    asked = []

    def find(hashes):
        asked.extend(hashes)
        return {frame.content_hash: frame.path.replace("/photos/", "/elsewhere/") for frame in shot}

    film = with_paths(read_record(tmp_path / "a.json"), find)
    assert sorted(asked) == sorted(frame.content_hash for frame in shot)
    render_recorded(film, tmp_path / "b")
    assert pictures(tmp_path / "a") == pictures(tmp_path / "b")


def test_a_record_can_be_edited(shot, tmp_path):
    render_recorded(film_of(shot), tmp_path / "a")
    record = json.loads((tmp_path / "a.json").read_text())
    track = record["tracks"][0]
    del track["frames"][3:]
    track["seconds"] = 0.5
    record["labels"]["template"] = "Hello"
    (tmp_path / "edited.json").write_text(json.dumps(record))
    report = render_film(read_record(tmp_path / "edited.json"), tmp_path / "b")
    assert report.frame_count == 6


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1, 2", "is no JSON"),
        ("{}", "no record of a film"),
        ('{"format": "alignindex-film-1"}', "not understood: KeyError"),
    ],
)
def test_what_is_no_record_is_refused_with_the_reason(tmp_path, text, reason):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=rf"a\.json.*{reason}"):
        read_record(tmp_path / "a.json")


def test_a_file_that_is_no_record_is_never_replaced_by_one(shot, tmp_path):
    (tmp_path / "out.gif.json").write_text('{"my": "notes"}')
    with pytest.raises(UserError, match=r"out\.gif\.json is in the way"):
        render_recorded(film_of(shot), tmp_path / "out.gif")
    assert [path.name for path in tmp_path.glob("out*")] == ["out.gif.json"]
    assert (tmp_path / "out.gif.json").read_text() == '{"my": "notes"}'


@pytest.mark.parametrize("name", ["out.mp4", "out.gif", "out"])
@pytest.mark.parametrize("what", ["interrupted", "full"])
def test_a_film_that_does_not_end_well_leaves_nothing_behind(shot, tmp_path, name, what):
    def interrupt(done, _total):
        if done == 5:
            raise KeyboardInterrupt

    before = sorted(tmp_path.iterdir())
    if what == "interrupted":
        with pytest.raises(KeyboardInterrupt):
            render_recorded(film_of(shot), tmp_path / name, interrupt)
    else:
        with pytest.raises(UserError, match="free s"), full_disk():
            render_recorded(film_of(shot), tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


def test_a_film_of_which_nothing_is_left_says_so_and_why(shot, tmp_path, photos):
    for path in photos.iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"None of 6 photos could be rendered; the first: .*2000\.jpg: No such file"):
        render_recorded(film_of(shot), tmp_path / "out.gif")
    assert not list(tmp_path.glob("*out*"))


def test_a_film_of_nothing_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"There are no frames to render\. Widen the query"):
        render_film(film_of([]), tmp_path / "out.gif")


def test_people_stand_side_by_side_and_nothing_is_seen_before_their_first_photo(shot, tmp_path):
    late = Track(shot[3:], [0.5, 0.6, 0.7], 1.0)
    film = Film([evenly(shot, 6.0), late, evenly(shot[:1], 1.0)], Look(SQUARE, fps=10.0))
    render_film(film, tmp_path / "out")
    first, last = (np.asarray(Image.open(tmp_path / "out" / name)) for name in ("0001.png", "0010.png"))
    gap = film.grid[2]
    assert first.shape == (128 + gap, 128 + gap, 3)
    assert first[:64, :64].any() and not first[:64, 64 + gap :].any() and last[:64, 64 + gap :].any()
    assert first[64 + gap :, :64].any() and not last[64 + gap :, 64 + gap :].any()


def test_two_people_go_by_date_or_by_age_and_two_times_of_one_by_share(shot):
    tracks = [evenly(shot[:3], 3.0), evenly(shot[3:], 3.0)]
    by_date = on_one_clock(tracks, day_of)
    assert [track.starts_s[0] for track in by_date] == pytest.approx([0.0, 0.6], abs=0.01)
    aged = [
        replace(track, frames=[replace(frame, age_years=1.0 + i) for i, frame in enumerate(track.frames)])
        for track in tracks
    ]
    assert [track.starts_s for track in on_one_clock(aged, age_of)] == [[0.0, 0.25, 0.75]] * 2
    assert [track.seconds for track in compared([evenly(shot[:3], 3.0), evenly(shot[3:], 1.0)])] == [3.0, 3.0]


def test_frames_without_a_place_on_the_clock_are_left_out(shot):
    undated = replace(shot[0], taken_at=None)
    (track,) = on_one_clock([evenly([*shot, undated], 7.0)], day_of)
    assert len(track.frames) == 6


def test_a_sheet_shows_each_frame_once(shot, tmp_path):
    report = render_sheet(film_of(shot), tmp_path / "out.png")
    assert report.in_words == "6 of 6 frames on a sheet"
    with Image.open(tmp_path / "out.png") as sheet:
        assert sheet.getexif()[270].endswith("person:red")
        assert sheet.width > 3 * 200


def test_a_blend_of_too_many_tells_how_many_it_does_not_show(shot, tmp_path):
    crowded = Film([evenly(shot * 10, 100.0)], Look(SQUARE, Transition("blend"), 10.0))
    assert 0 < render_film(crowded, tmp_path / "out").too_close < 60


def test_a_blend_by_date_needs_dates(shot, tmp_path):
    undated = [*shot, replace(shot[0], taken_at=None)]
    look = Look(SQUARE, Transition("blend", blend_width=30.0, blend_in_days=True))
    with pytest.raises(UserError, match="has no date"):
        render_film(Film([evenly(undated, 6.0)], look), tmp_path / "out")
