import hashlib
import stat
import threading
from dataclasses import replace

import pytest
from weight_server import serving

from alignimation_index.errors import UserError
from alignimation_index.models.weights import Weights, WeightStore

CONTENT = bytes(range(256)) * 4096


def published(url):
    return Weights("net", "net.pt", url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "made up, CC0")


def weight_files(store):
    return sorted(path.name for path in store.folder.iterdir() if path.suffix != ".lock")


def test_a_download_arrives_whole_is_reported_and_happens_once(tmp_path):
    store = WeightStore(tmp_path / "a" / "weights")
    done = []
    with serving(CONTENT) as (url, requests):
        path = store.fetch(published(url), lambda *step: done.append(step))
        assert store.fetch(published(url)) == path
    assert path.read_bytes() == CONTENT
    assert len(requests) == 1
    assert done[-1] == (len(CONTENT), len(CONTENT))
    assert done == sorted(done)
    assert weight_files(store) == ["net.pt"]
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("body", [b"\0" * len(CONTENT), CONTENT + b"more"], ids=["other bytes", "too long"])
def test_a_file_other_than_the_published_one_is_refused_and_not_kept(tmp_path, body):
    store = WeightStore(tmp_path)
    with serving(body) as (url, _), pytest.raises(UserError, match=r"not the published file .* copy it to"):
        store.fetch(published(url))
    assert weight_files(store) == []


def test_a_refused_connection_names_the_address_and_the_folder(tmp_path):
    with serving(CONTENT) as (url, _):
        pass
    with pytest.raises(UserError) as error:
        WeightStore(tmp_path).fetch(published(url))
    assert url in str(error.value)
    assert str(tmp_path / "net.pt") in str(error.value)
    assert weight_files(WeightStore(tmp_path)) == []


def test_an_interrupted_download_leaves_nothing_and_the_next_try_succeeds(tmp_path):
    store = WeightStore(tmp_path)
    with serving(CONTENT[:300_000], CONTENT) as (url, _):
        with pytest.raises(UserError):
            store.fetch(published(url))
        assert weight_files(store) == []
        assert store.fetch(published(url)).read_bytes() == CONTENT


def test_what_a_killed_download_left_is_written_over(tmp_path):
    (tmp_path / "net.pt.part").write_bytes(b"half")
    with serving(CONTENT) as (url, _):
        assert WeightStore(tmp_path).fetch(published(url)).read_bytes() == CONTENT
    assert weight_files(WeightStore(tmp_path)) == ["net.pt"]


def test_the_first_digits_of_a_hash_pin_a_file(tmp_path):
    (tmp_path / "net.pt").write_bytes(CONTENT)
    store, weights = WeightStore(tmp_path), published("")
    assert store.verify(replace(weights, sha256=weights.sha256[:8])) == tmp_path / "net.pt"
    with pytest.raises(UserError, match=r"SHA-256 .* instead of 00000000…"):
        store.verify(replace(weights, sha256="0" * 8))


def test_two_fetches_at_once_download_once(tmp_path):
    with serving(CONTENT) as (url, requests):
        fetch = [threading.Thread(target=WeightStore(tmp_path).fetch, args=(published(url),)) for _ in range(4)]
        for thread in fetch:
            thread.start()
        for thread in fetch:
            thread.join()
    assert len(requests) == 1


def test_a_file_copied_in_by_hand_needs_no_network(tmp_path):
    weights = published("http://127.0.0.1:9/nobody-listens")
    (tmp_path / "net.pt").write_bytes(CONTENT)
    store = WeightStore(tmp_path)
    assert store.find(weights) == store.fetch(weights) == store.verify(weights) == tmp_path / "net.pt"


def test_a_file_of_the_wrong_size_is_not_found(tmp_path):
    (tmp_path / "net.pt").write_bytes(CONTENT[:-1])
    assert WeightStore(tmp_path).find(published("")) is None


def test_verifying_tells_missing_short_and_altered_files(tmp_path):
    store, weights = WeightStore(tmp_path), published("")
    with pytest.raises(UserError, match="missing"):
        store.verify(weights)
    (tmp_path / "net.pt").write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match="1,048,575 bytes instead of 1,048,576"):
        store.verify(weights)
    (tmp_path / "net.pt").write_bytes(CONTENT)
    with pytest.raises(UserError, match=r"SHA-256 .* instead of 0000"):
        store.verify(replace(weights, sha256="0" * 64))
