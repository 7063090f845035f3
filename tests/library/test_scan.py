import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.errors import FileChanged, UserError
from alignimation_index.found_files import FoundFile
from alignimation_index.library.formats import unsupported_reason
from alignimation_index.library.scan import content_hash, read_file, read_unchanged, walk

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")


def put(*paths, content=b"x"):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def put_zip(path, *names, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)


def not_expected(path, reason):
    raise AssertionError(f"{path}: {reason}")


def files_below(root, on_error):
    return (FoundFile(*file) for files in walk(root, on_error) for file in files)


def names(root, on_error=not_expected):
    return [os.path.relpath(found.path, root) for found in files_below(root, on_error)]


def test_photos_are_found_by_extension_of_any_case(tmp_path):
    put(tmp_path / "a.jpg", tmp_path / "b.HEIC", tmp_path / "c.WebP", tmp_path / "notes.txt", tmp_path / "jpg")
    assert names(tmp_path) == ["a.jpg", "b.HEIC", "c.WebP"]


def test_videos_and_sidecars_are_found_as_what_their_names_promise(tmp_path):
    kinds = {
        ".picasa.ini": "sidecar",
        "MVIMG_20191230_232926": "video",
        "PXL_1.MP": "video",
        "a.JSON": "sidecar",
        "a.jpg": "photo",
        "a.jpg.xmp": "sidecar",
        "b.mp4": "video",
        "c.cr2": "raw",
        "d.psd": "picture",
    }
    put(*(tmp_path / name for name in kinds), tmp_path / "MVIMG.txt", tmp_path / ".hidden.json")
    assert {os.path.basename(found.path): found.kind for found in files_below(tmp_path, not_expected)} == kinds  # noqa: PTH119


def test_a_found_file_carries_what_its_folder_says(tmp_path):
    put(tmp_path / "a.jpg", content=b"12345")
    (found,) = files_below(tmp_path, not_expected)
    status = (tmp_path / "a.jpg").stat()
    assert (found.path, found.size, found.mtime_ns) == (str(tmp_path / "a.jpg"), 5, status.st_mtime_ns)
    assert found.inode == status.st_ino


def test_known_pictures_that_cannot_be_read_are_marked(tmp_path):
    put(tmp_path / "a.icns", tmp_path / "b.CR2", tmp_path / "c.jpg")
    found = list(files_below(tmp_path, not_expected))
    assert [file.kind for file in found] == ["picture", "raw", "photo"]
    assert unsupported_reason(found[0].path) == "ICNS pictures are not supported"


def test_a_folder_comes_by_name_before_its_subfolders(tmp_path):
    put(tmp_path / "z.jpg", tmp_path / "b" / "1.jpg", tmp_path / "a" / "2.jpg", tmp_path / "a" / "deep" / "0.jpg")
    assert names(tmp_path) == ["z.jpg", "a/2.jpg", "a/deep/0.jpg", "b/1.jpg"]


def test_hidden_and_system_names_are_skipped(tmp_path):
    for folder in (".thumbnails", "@eaDir", ".Trashes", "$RECYCLE.BIN", "lost+found", "__MACOSX"):
        put(tmp_path / folder / "a.jpg")
    put(tmp_path / "._a.jpg", tmp_path / "seen.jpg")
    assert names(tmp_path) == ["seen.jpg"]


def test_a_root_may_be_a_single_file(tmp_path):
    put(tmp_path / "a.jpg", tmp_path / "notes.txt")
    assert [found.path for found in files_below(tmp_path / "a.jpg", not_expected)] == [str(tmp_path / "a.jpg")]
    assert list(files_below(tmp_path / "notes.txt", not_expected)) == []


def test_a_relative_root_gives_absolute_paths(tmp_path, monkeypatch):
    put(tmp_path / "in" / "a.jpg")
    monkeypatch.chdir(tmp_path)
    assert [found.path for found in files_below(Path("in"), not_expected)] == [str(tmp_path / "in" / "a.jpg")]


def test_a_missing_root_is_told_before_the_walk_begins(tmp_path):
    with pytest.raises(UserError, match=r"gone.*No such file.*check the path"):
        files_below(tmp_path / "gone", not_expected)


def test_links_to_folders_are_followed_once_and_loops_end(tmp_path):
    put(tmp_path / "root" / "real" / "a.jpg", tmp_path / "elsewhere" / "b.jpg")
    root = tmp_path / "root"
    (root / "aa_loop").symlink_to(root)
    (root / "aa_same").symlink_to(root / "real")
    (root / "out1").symlink_to(tmp_path / "elsewhere")
    (root / "out2").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(root)
    assert names(root) == ["real/a.jpg", "out1/b.jpg"]


def test_links_to_files_are_followed_unless_the_file_was_found_anyway(tmp_path):
    put(tmp_path / "root" / "a.jpg", tmp_path / "root" / "z" / "b.jpg", tmp_path / "objects" / "c1", content=b"123")
    put(tmp_path / "more" / "d.jpg")
    root = tmp_path / "root"
    (root / "a_again.jpg").symlink_to("a.jpg")
    (root / "b_again.jpg").symlink_to(root / "z" / "b.jpg")
    (root / "c.jpg").symlink_to(tmp_path / "objects" / "c1")
    (root / "c_twice.jpg").symlink_to(tmp_path / "objects" / "c1")
    (root / "d.jpg").symlink_to(tmp_path / "more" / "d.jpg")
    (root / "more").symlink_to(tmp_path / "more")
    assert names(root) == ["a.jpg", "z/b.jpg", "more/d.jpg", "c.jpg"]
    assert [found.size for found in files_below(root, not_expected)][-1] == 3


def test_a_link_to_a_neighbour_that_is_no_picture_by_name_is_found(tmp_path):
    put(tmp_path / "data")
    (tmp_path / "a.jpg").symlink_to("data")
    assert names(tmp_path) == ["a.jpg"]


def test_dead_links_are_reported_and_the_walk_goes_on(tmp_path):
    (tmp_path / "a.jpg").symlink_to("nowhere")
    (tmp_path / "b.jpg").symlink_to("b.jpg")
    put(tmp_path / "c.jpg")
    errors = {}
    assert names(tmp_path, errors.__setitem__) == ["c.jpg"]
    assert errors[str(tmp_path / "a.jpg")] == "No such file or directory"
    assert "symbolic links" in errors[str(tmp_path / "b.jpg")]


def test_an_unreadable_folder_is_reported_and_the_walk_goes_on(tmp_path):
    put(tmp_path / "a" / "a.jpg", tmp_path / "b" / "b.jpg")
    walking = files_below(tmp_path, lambda path, reason: errors.append((path, reason)))
    errors = []
    put(tmp_path / "0.jpg")
    next(walking)
    (tmp_path / "a" / "a.jpg").unlink()
    (tmp_path / "a").rmdir()
    assert [Path(found.path).name for found in walking] == ["b.jpg"]
    assert errors == [(str(tmp_path / "a"), "No such file or directory")]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions stop")
def test_a_forbidden_folder_is_reported(tmp_path):
    put(tmp_path / "a" / "a.jpg")
    (tmp_path / "a").chmod(0)
    errors = []
    assert names(tmp_path, lambda *error: errors.append(error)) == []
    (tmp_path / "a").chmod(0o700)
    assert errors == [(str(tmp_path / "a"), "Permission denied")]


@linux_only
def test_a_pipe_with_the_name_of_a_photo_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    assert names(tmp_path) == []


@linux_only
@given(st.binary(min_size=1, max_size=40).filter(lambda name: not {0, ord("/")} & set(name) and name[:1] != b"."))
def test_names_of_any_bytes_are_found_and_can_be_opened(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("bytes")
    path = os.fsencode(folder) + b"/" + name + b".jpg"
    Path(os.fsdecode(path)).write_bytes(b"photo")
    (found,) = files_below(folder, not_expected)
    assert os.fsencode(found.path) == path
    assert read_unchanged(found) == b"photo"


def test_archives_are_walked_where_they_stand_among_the_files(tmp_path):
    put(tmp_path / "a.jpg", tmp_path / "z.jpg", tmp_path / "below" / "c.jpg")
    put_zip(tmp_path / "m.zip", "z.jpg", "album/b.jpg", "notes.txt", "inner.zip")
    put_zip(tmp_path / "below" / "Takeout-001.ZIP", "d.jpg")
    put_zip(tmp_path / "__MACOSX" / "a.zip", "a.jpg")
    assert names(tmp_path) == [
        "a.jpg",
        "m.zip!/album/b.jpg",
        "m.zip!/z.jpg",
        "z.jpg",
        "below/Takeout-001.ZIP!/d.jpg",
        "below/c.jpg",
    ]


def test_a_root_may_be_an_archive(tmp_path):
    put_zip(tmp_path / "a.zip", "x/a.jpg", content=b"photo")
    (found,) = files_below(tmp_path / "a.zip", not_expected)
    assert found.path == f"{tmp_path / 'a.zip'}!/x/a.jpg"
    assert read_unchanged(found) == read_file(found.path) == b"photo"


def test_a_changed_member_is_a_changed_file(tmp_path):
    put_zip(tmp_path / "a.zip", "a.jpg", content=b"photo")
    (found,) = files_below(tmp_path, not_expected)
    put_zip(tmp_path / "a.zip", "a.jpg", content=b"other")
    with pytest.raises(FileChanged, match="another photo of this name"):
        read_unchanged(found)
    assert read_file(found.path) == b"other"


def test_a_link_to_an_archive_is_followed_unless_it_was_found_anyway(tmp_path):
    put_zip(tmp_path / "root" / "a.zip", "a.jpg")
    put_zip(tmp_path / "elsewhere.zip", "b.jpg")
    (tmp_path / "root" / "again.zip").symlink_to("a.zip")
    (tmp_path / "root" / "b.zip").symlink_to(tmp_path / "elsewhere.zip")
    assert names(tmp_path / "root") == ["a.zip!/a.jpg", "b.zip!/b.jpg"]


def test_a_broken_archive_is_reported_and_the_walk_goes_on(tmp_path):
    put(tmp_path / "a.zip", tmp_path / "b.jpg")
    errors = []
    assert names(tmp_path, lambda *error: errors.append(error)) == ["b.jpg"]
    assert errors == [(str(tmp_path / "a.zip"), "not a complete zip archive; download it again")]


def test_a_root_that_is_a_broken_archive_is_told_before_the_walk_begins(tmp_path):
    put(tmp_path / "a.zip")
    with pytest.raises(UserError, match=r"a\.zip cannot be read: not a complete zip archive; download it again$"):
        files_below(tmp_path / "a.zip", not_expected)


def test_a_folder_named_like_an_archive_and_its_mark_is_reported(tmp_path):
    put(tmp_path / "a.zip!" / "a.jpg", tmp_path / "wow!" / "b.jpg")
    errors = []
    assert names(tmp_path, lambda *error: errors.append(error)) == ["wow!/b.jpg"]
    assert errors == [(str(tmp_path / "a.zip!"), "its name looks like that of an archive; rename the folder")]


def test_a_file_is_read_whatever_marks_its_path_holds(tmp_path):
    put(tmp_path / "wow!" / "a.zip.jpg", content=b"photo")
    assert read_file(str(tmp_path / "wow!" / "a.zip.jpg")) == b"photo"


def test_content_hash_is_the_sha256_of_every_byte(tmp_path):
    content = os.urandom((1 << 20) + 17)
    put(tmp_path / "a.jpg", content=content)
    (found,) = files_below(tmp_path, not_expected)
    assert content_hash(read_unchanged(found)) == hashlib.sha256(content).hexdigest()


def test_reading_a_missing_file_is_an_os_error(tmp_path):
    put(tmp_path / "gone.jpg")
    (found,) = files_below(tmp_path, not_expected)
    (tmp_path / "gone.jpg").unlink()
    with pytest.raises(FileNotFoundError):
        read_unchanged(found)


def test_a_file_of_another_size_is_a_changed_file(tmp_path):
    put(tmp_path / "a.jpg")
    (found,) = files_below(tmp_path, not_expected)
    put(tmp_path / "a.jpg", content=b"longer")
    with pytest.raises(FileChanged, match="1 bytes before, 6 now"):
        read_unchanged(found)


def test_a_file_of_the_same_size_and_another_time_is_a_changed_file(tmp_path):
    put(tmp_path / "a.jpg")
    (found,) = files_below(tmp_path, not_expected)
    os.utime(tmp_path / "a.jpg", ns=(0, found.mtime_ns + 1_000_000_000))
    with pytest.raises(FileChanged, match="modification time"):
        read_unchanged(found)


class Growing(io.FileIO):
    """A file to which another program adds a byte as soon as it has been read."""

    def readall(self):
        data = super().readall()
        with Path(self.name).open("ab") as again:
            again.write(b"+")
        return data

    def read(self, size=-1):
        return self.readall() if size == -1 else super().read(size)


def test_a_file_that_grows_while_it_is_read_is_a_changed_file(tmp_path, monkeypatch):
    put(tmp_path / "a.jpg", content=b"123")
    (found,) = files_below(tmp_path, not_expected)
    monkeypatch.setattr("alignimation_index.library.scan.open", lambda path, _mode: Growing(path), raising=False)
    with pytest.raises(FileChanged, match="changed while it was read: 3 bytes before, 4 now"):
        read_unchanged(found)
    monkeypatch.undo()
    (again,) = files_below(tmp_path, not_expected)
    assert again != found
    assert read_unchanged(again) == b"123+"
