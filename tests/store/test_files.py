import pytest

from alignimation_index.store.files import add_root, is_in_a_root


@pytest.mark.parametrize(
    ("path", "watched"),
    [("a.zip", True), ("a.zip/x.gif", True), ("out.gif", False), ("a.zip.gif", False), ("photos/x.gif", True)],
)
def test_an_archive_is_protected_and_what_stands_beside_it_is_not(store, tmp_path, path, watched):
    with store.writing() as session:
        add_root(session, str(tmp_path / "a.zip"))
        add_root(session, str(tmp_path / "photos"))
    with store.reading() as session:
        assert is_in_a_root(session, str(tmp_path / path)) == watched
