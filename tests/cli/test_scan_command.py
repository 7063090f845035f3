"""`update --stages scan`: files are listed, and where nothing changed that is all."""

import json
import subprocess
import sys

from alignimation_index.cli import run

# Of the figures that it prints it needs none of these, and importing them takes longer than listing 50,000 files.
SCAN_AND_TELL_IMPORTS = """
import sys
from alignimation_index.cli import run
code = run(sys.argv[1:])
heavy = sorted({"numpy", "sqlalchemy", "PIL", "torch"} & sys.modules.keys())
sys.exit(f"imported {heavy}" if heavy else code)
"""


def scan(store, *paths):
    command = ["--store", str(store), "update", *map(str, paths), "--stages", "scan"]
    return subprocess.run(
        [sys.executable, "-c", SCAN_AND_TELL_IMPORTS, *command], capture_output=True, text=True, timeout=60, check=False
    )


def test_an_unchanged_library_is_listed_without_what_computes_and_what_writes(tmp_path):
    photos, store = tmp_path / "photos", tmp_path / "store.db"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"\xff\xd8\xff")
    (photos / "a.psd").write_bytes(b"8BPS")
    (photos / "a.jpg.json").write_text(json.dumps({"title": "a.jpg", "photoTakenTime": {"timestamp": "1200000000"}}))
    assert run(["--store", str(store), "update", str(photos), "--stages", "scan"]) == 0
    again = scan(store)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == "2 files: 0 new or changed, 0 gone. 0 photos computed, 0 faces found.\n"
    (photos / "a.jpg").unlink()
    assert scan(store).stdout == "1 files: 0 new or changed, 1 gone. 0 photos computed, 0 faces found.\n"


def test_the_smallest_face_is_kept_though_nothing_is_computed(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    command = ["--store", str(tmp_path / "store.db"), "update", str(tmp_path / "photos"), "--stages", "scan"]
    assert run([*command, "--min-face", "0.012"]) == 0
    capsys.readouterr()
    from alignimation_index.store.engine import Store
    from alignimation_index.store.faces import min_face_share

    store = Store.open(tmp_path / "store.db")
    with store.reading() as session:
        assert min_face_share(session) == 0.012
    store.close()
