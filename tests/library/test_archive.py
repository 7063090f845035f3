import os
import stat
import sys
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import asymmetric, encode

from alignimation_index.errors import FileChanged
from alignimation_index.library import archive as archives
from alignimation_index.library.archive import ArchiveError, list_members, member_path, read_member, split_member

JPEG = encode(asymmetric(48, 32), "JPEG")
MIB = 1 << 20


def make_zip(path, members, change=lambda _infos: None, method=zipfile.ZIP_DEFLATED):
    """Write an archive; `change` gets its directory, {name: ZipInfo}, before it is written."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        change(archive.NameToInfo)
    return str(path)


def not_expected(path, reason):
    raise AssertionError(f"{path}: {reason}")


def names(archive, on_error=not_expected):
    return [split_member(found.path)[1] for found in list_members(archive, on_error)]


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/a/b.zip!/c/d.jpg", ("/a/b.zip", "c/d.jpg")),
        ("/a/B.ZIP!/d.jpg", ("/a/B.ZIP", "d.jpg")),
        ("/a/b.zip!/c.zip!/d.jpg", ("/a/b.zip", "c.zip!/d.jpg")),
        ("/a/b.zip!/line\nbreak.jpg", ("/a/b.zip", "line\nbreak.jpg")),
        ("/a/wow!/d.jpg", None),
        ("/a/b.zip/d.jpg", None),
        ("/a/b.zip", None),
        ("/a/b.zip!", None),
    ],
)
def test_the_first_mark_divides_archive_and_member(path, member):
    assert split_member(path) == member
    if member:
        assert member_path(*member) == path


def test_members_are_listed_by_name_with_what_the_archive_says_of_them(tmp_path):
    def date(infos):
        infos["Takeout/b.jpg"].date_time = (2015, 7, 26, 18, 21, 32)

    archive = make_zip(tmp_path / "a.zip", {"Takeout/b.jpg": JPEG, "a.cr2": b"raw"}, date)
    photo, raw = list_members(archive, not_expected)
    assert (raw.path, raw.kind) == (f"{archive}!/a.cr2", "raw")
    assert (photo.path, photo.size, photo.kind) == (f"{archive}!/Takeout/b.jpg", len(JPEG), "photo")
    assert photo.mtime_ns == datetime(2015, 7, 26, 18, 21, 32, tzinfo=timezone.utc).timestamp() * 1e9
    assert photo.inode == zipfile.crc32(JPEG)


def test_a_copied_or_touched_archive_holds_the_same_members(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": JPEG})
    before = list_members(archive, not_expected)
    os.utime(archive, (0, 0))
    assert list_members(archive, not_expected) == before


def test_a_date_that_does_not_exist_is_no_reason_to_fail(tmp_path):
    def date(infos):
        infos["a.jpg"].date_time = (1980, 0, 0, 0, 0, 0)

    (found,) = list_members(make_zip(tmp_path / "a.zip", {"a.jpg": JPEG}, date), not_expected)
    assert found.mtime_ns == 0


def test_only_files_outside_of_hidden_and_system_folders_are_listed(tmp_path):
    skipped = ["__MACOSX/._a.jpg", ".hidden/a.jpg", "x/@eaDir/a.jpg", "x\\.thumbs\\a.jpg", "._a.jpg"]
    others = ["notes.txt", "inner.zip", "folder.jpg/", "jpg"]
    archive = make_zip(tmp_path / "a.zip", dict.fromkeys([*skipped, *others, "./seen.JPG", "x\\b.jpg"], JPEG))
    assert names(archive) == ["./seen.JPG", "x\\b.jpg"]


def test_links_are_skipped(tmp_path):
    def link(infos):
        infos["link.jpg"].external_attr = (stat.S_IFLNK | 0o777) << 16

    assert names(make_zip(tmp_path / "a.zip", {"a.jpg": JPEG, "link.jpg": b"a.jpg"}, link)) == ["a.jpg"]


def test_of_two_members_of_one_name_the_last_counts(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", b"earlier")
        archive.writestr("a.jpg", b"later")
    assert names(str(tmp_path / "a.zip")) == ["a.jpg"]
    assert read_member(str(tmp_path / "a.zip"), "a.jpg") == b"later"


@pytest.mark.parametrize(
    "name", ["/etc/a.jpg", "../a.jpg", "x/../../a.jpg", "x\\..\\a.jpg", "\\\\nas\\a.jpg", "C:\\a.jpg"]
)
def test_a_name_that_leads_out_is_refused_alone(tmp_path, name):
    archive = make_zip(tmp_path / "a.zip", {name: JPEG, "good.jpg": JPEG})
    errors = []
    assert names(archive, lambda *error: errors.append(error)) == ["good.jpg"]
    assert errors == [
        (f"{archive}!/{name}", "its name leads out of the archive; pack it again under another name"),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_read_as_they_were_written(tmp_path, method):
    members = {"a.jpg": JPEG, "empty.png": b"", "random.gif": os.urandom(3 * MIB)}
    archive = make_zip(tmp_path / "a.zip", members, method=method)
    assert {name: read_member(archive, name) for name in members} == members


def test_names_are_utf8_where_the_archive_says_so_and_else_as_in_dos(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"é漢.jpg": JPEG, "cafQ.jpg": JPEG})
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"cafQ.jpg", b"caf\x82.jpg"))
    assert names(archive) == ["café.jpg", "é漢.jpg"]
    assert [read_member(archive, name) for name in names(archive)] == [JPEG, JPEG]


def test_archives_of_more_than_4_gib_and_65535_members_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 8)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": JPEG, "b.jpg": JPEG[::-1]})
    assert b"PK\x06\x06" in (tmp_path / "a.zip").read_bytes()
    assert [read_member(archive, name) for name in names(archive)] == [JPEG, JPEG[::-1]]


def test_an_archive_behind_other_bytes_is_read(tmp_path):
    make_zip(tmp_path / "a.zip", {"a.jpg": JPEG})
    (tmp_path / "b.zip").write_bytes(b"a program that unpacks itself" + (tmp_path / "a.zip").read_bytes())
    assert read_member(str(tmp_path / "b.zip"), "a.jpg") == JPEG


@pytest.mark.parametrize("kept", [0, 1, 21, 100, -1, -22])
def test_a_truncated_archive_is_refused(tmp_path, kept):
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": JPEG})
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:kept])
    with pytest.raises(ArchiveError, match=r"^not a complete zip archive; download it again$"):
        list_members(archive, not_expected)


def test_an_archive_that_lost_its_middle_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": os.urandom(5000), "b.jpg": JPEG})
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data[:100] + data[3000:])
    with pytest.raises(ArchiveError, match=r"overlap|not a complete"):
        list_members(archive, not_expected)


def test_members_that_share_bytes_are_refused(tmp_path):
    def share(infos):
        infos["b.jpg"].header_offset = infos["a.jpg"].header_offset

    def enclose(infos):
        infos["a.jpg"].compress_size += 50

    def run_over_the_end(infos):
        infos["b.jpg"].compress_size += 5000

    for number, (change, reason) in enumerate(
        [(share, "overlap"), (enclose, "overlap"), (run_over_the_end, "complete")]
    ):
        archive = make_zip(tmp_path / f"{number}.zip", {"a.jpg": JPEG, "b.jpg": JPEG}, change)
        with pytest.raises(ArchiveError, match=reason):
            list_members(archive, not_expected)


def test_a_directory_that_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 5000)
    members = {f"{number}.jpg": b"" for number in range(100)}
    with pytest.raises(ArchiveError, match=r"too many members; split it"):
        list_members(make_zip(tmp_path / "a.zip", members), not_expected)


def encrypt(infos):
    infos["bad.jpg"].flag_bits |= 1


def deflate64(infos):
    infos["bad.jpg"].compress_type = 9


def claim_a_gibibyte(infos):
    infos["bad.jpg"].file_size = 1 << 30


def claim_100_mib(infos):
    infos["bad.jpg"].file_size = 100 * MIB


def claim_less_than_it_holds(infos):
    infos["bad.jpg"].file_size -= 1


def claim_another_crc(infos):
    infos["bad.jpg"].CRC ^= 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (encrypt, "it is encrypted; pack it again without a password"),
        (deflate64, "its compression (method 9) is not supported; pack it again as usual"),
        (claim_a_gibibyte, "it is larger than 512 MiB; unpack the archive to read it"),
        (
            claim_100_mib,
            "it grows to over 200 times its size, as in a zip bomb; unpack it if you trust it",
        ),
        (claim_less_than_it_holds, "it is damaged; download the archive again"),
        (claim_another_crc, "it is damaged; download the archive again"),
    ],
)
def test_a_member_that_cannot_be_read_says_why_and_the_others_are_read(tmp_path, change, reason):
    archive = make_zip(tmp_path / "a.zip", {"bad.jpg": JPEG, "good.jpg": JPEG}, change)
    assert names(archive) == ["bad.jpg", "good.jpg"]
    with pytest.raises(ArchiveError) as error:
        read_member(archive, "bad.jpg")
    assert str(error.value) == reason
    assert read_member(archive, "good.jpg") == JPEG


def test_a_real_bomb_is_not_unpacked(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"bad.jpg": bytes(64 * MIB)})
    with pytest.raises(ArchiveError, match="zip bomb"):
        read_member(archive, "bad.jpg")


def test_a_bomb_that_understates_its_size_is_not_unpacked_either(tmp_path):
    def understate(infos):
        infos["bad.jpg"].file_size = 1000

    archive = make_zip(tmp_path / "a.zip", {"bad.jpg": bytes(64 * MIB)}, understate)
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="damaged"):
        read_member(archive, "bad.jpg")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < MIB


def test_a_large_picture_of_one_colour_is_no_bomb(tmp_path):
    black = bytes(9 * MIB)
    assert read_member(make_zip(tmp_path / "a.zip", {"black.bmp": black}), "black.bmp") == black


def test_a_member_of_the_same_size_and_other_bytes_is_a_changed_file(tmp_path):
    (found,) = list_members(make_zip(tmp_path / "a.zip", {"a.jpg": JPEG}), not_expected)
    with pytest.raises(FileChanged, match="another photo of this name"):
        read_member(make_zip(tmp_path / "a.zip", {"a.jpg": JPEG[::-1]}), "a.jpg", found)


def test_a_replaced_archive_is_read_anew(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": JPEG, "b.jpg": JPEG})
    first, second = list_members(archive, not_expected)
    make_zip(tmp_path / "new.zip", {"a.jpg": JPEG + b"more"})
    (tmp_path / "new.zip").replace(archive)
    with pytest.raises(FileChanged, match="another photo of this name"):
        read_member(archive, "a.jpg", first)
    with pytest.raises(FileNotFoundError, match="holds no such photo"):
        read_member(archive, "b.jpg", second)
    assert read_member(archive, "a.jpg") == JPEG + b"more"


def test_a_missing_archive_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list_members(str(tmp_path / "a.zip"), not_expected)
    with pytest.raises(FileNotFoundError):
        read_member(str(tmp_path / "a.zip"), "a.jpg")


class CountingZipFile(zipfile.ZipFile):
    opened = 0

    def __init__(self, *args):
        super().__init__(*args)
        type(self).opened += 1


def test_threads_read_side_by_side_and_parse_an_archive_once(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ZipFile", CountingZipFile)
    monkeypatch.setattr(CountingZipFile, "opened", 0)
    members = {f"{number}.jpg": os.urandom(20_000 + number) for number in range(30)}
    paths = [make_zip(tmp_path / name, members) for name in ("a.zip", "b.zip")]
    wanted = [(path, name) for name in members for path in paths] * 5
    with ThreadPoolExecutor(8) as executor:
        read = list(executor.map(lambda member: read_member(*member), wanted))
    assert read == [members[name] for _, name in wanted]
    assert CountingZipFile.opened == 2


def test_few_members_are_remembered_and_those_read_last(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ZipFile", CountingZipFile)
    monkeypatch.setattr(CountingZipFile, "opened", 0)
    monkeypatch.setattr(archives, "MEMBERS_REMEMBERED", 2)
    a, b, c = (make_zip(tmp_path / f"{name}.zip", {"a.jpg": JPEG}) for name in "abc")
    for archive in (a, b, a, c, a):
        read_member(archive, "a.jpg")
    assert CountingZipFile.opened == 3
    read_member(b, "a.jpg")
    assert CountingZipFile.opened == 4


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files as Linux lists them")
def test_no_archive_stays_open(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": JPEG})
    (found,) = list_members(archive, not_expected)
    read_member(archive, "a.jpg", found)
    assert archive not in [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]  # noqa: PTH208


def list_and_read(path, data):
    """Whatever the bytes, only the documented errors are raised."""
    path.write_bytes(data)
    try:
        found = list_members(str(path), lambda *_: None)
    except OSError:
        return
    for one in found:
        with suppress(OSError):
            assert len(read_member(*split_member(one.path), one)) == one.size


@given(st.binary(max_size=300))
def test_any_bytes_raise_only_os_errors(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bytes")
    list_and_read(folder / "a.zip", data)
    list_and_read(folder / "b.zip", b"PK\3\4" + data + b"PK\5\6" + data[:18].ljust(18, b"\0"))


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6))
def test_an_archive_with_any_bytes_changed_raises_only_os_errors(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("changed") / "a.zip"
    make_zip(path, {"a.jpg": b"photo" * 20, "é.png": b"", "x/b.gif": b"12345"})
    data = bytearray(path.read_bytes())
    for where, byte in changes:
        data[int(where * len(data))] = byte
    list_and_read(path, bytes(data))
