import time

from alignimation_index.pipeline import changes as module
from alignimation_index.pipeline.changes import Changes


def settled(_path):
    return True


def test_changes_are_due_when_none_came_for_a_while_or_they_came_for_long():
    changes = Changes()
    assert not changes.is_due(0, 0)
    changes.note("/a")
    assert not changes.is_due(60, 60)
    time.sleep(0.02)
    assert changes.is_due(0.01, 60)
    assert changes.is_due(60, 0.01)
    changes.take(settled)
    assert not changes.is_due(0, 0)


def test_what_is_due_at_once_waits_for_nothing():
    changes = Changes()
    changes.note("/a", at_once=True)
    assert changes.is_due(60, 60)
    changes.take(settled)
    changes.note("/a")
    assert not changes.is_due(60, 60)


def test_taken_changes_are_forgotten_and_those_noted_since_are_kept():
    changes = Changes()
    changes.note("/a")
    changes.note("/a")
    changes.note("/b", tree=True)
    scope = changes.take(settled)
    assert (scope.folders, scope.trees) == ({"/a"}, {"/b"})
    changes.note("/c")
    assert changes.take(settled).folders == {"/c"}
    assert changes.is_empty()


def test_too_many_folders_are_everything(monkeypatch):
    monkeypatch.setattr(module, "MAX_FOLDERS", 3)
    changes = Changes()
    for i in range(10_000):
        changes.note(f"/{i}")
    assert changes.take(settled).folders is None
    changes.note_everything()
    assert changes.take(settled).folders is None


def test_after_a_burst_of_too_many_events_some_may_be_missing(monkeypatch):
    monkeypatch.setattr(module, "MANY_EVENTS", 3)
    changes = Changes()
    for _ in range(4):
        assert changes.is_empty()
        changes.count_event()
    assert not changes.is_empty()
    assert not changes.may_lack_some(60, 60)
    assert changes.may_lack_some(0, 60)
    assert not changes.may_lack_some(0, 60)
    assert changes.is_empty()


def test_events_of_several_bursts_are_not_added_up(monkeypatch):
    monkeypatch.setattr(module, "MANY_EVENTS", 3)
    monkeypatch.setattr(module, "PAUSE_S", 0)
    changes = Changes()
    for _ in range(5):
        changes.count_event()
        assert not changes.may_lack_some(0, 60)


def test_a_burst_handed_on_with_a_gap_is_one(monkeypatch):
    monkeypatch.setattr(module, "MANY_EVENTS", 3)
    changes = Changes()
    told = []
    for _ in range(5):
        changes.count_event()
        told.append(changes.may_lack_some(0, 60))
    assert told == [False, False, False, True, False]


def test_lost_events_are_told_once_it_is_quiet_or_after_a_while():
    changes = Changes()
    changes.count_loss()
    changes.count_loss()
    assert not changes.is_empty()
    assert not changes.may_lack_some(60, 60)
    assert changes.may_lack_some(0, 60)
    assert not changes.may_lack_some(0, 0)
    assert changes.is_empty()
    changes.count_loss()
    time.sleep(0.02)
    changes.count_event()
    assert changes.may_lack_some(60, 0.01)
    assert not changes.may_lack_some(0, 0)
