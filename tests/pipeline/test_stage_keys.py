from dataclasses import replace

import pytest

from alignimation_index.stages.stage import Stage, keys_of, what_changed

SCAN = Stage("scan", 1)
DETECT = Stage("detect", 1, (), {"min_px": 20}, "net-a")
EMBED = Stage("embed", 1, ("detect",), {"chip_px": 160}, "net-b")
ASSIGN = Stage("assign", 1, ("embed",), {"join": 1.0})
STAGES = [SCAN, DETECT, EMBED, ASSIGN]


def changed_keys(stage, **changes):
    before = keys_of(STAGES)
    after = keys_of([replace(each, **changes) if each is stage else each for each in STAGES])
    return {name for name in before if before[name].key != after[name].key}


@pytest.mark.parametrize(
    "changes",
    [{"version": 2}, {"params": {"chip_px": 150}}, {"params": {"chip_px": 160, "more": 1}}, {"model": "net-c"}],
)
def test_a_change_of_a_stage_changes_its_key_and_those_below(changes):
    assert changed_keys(EMBED, **changes) == {"embed", "assign"}


def test_a_change_at_the_top_changes_all_that_read_it_and_nothing_else():
    assert changed_keys(DETECT, version=2) == {"detect", "embed", "assign"}
    assert changed_keys(SCAN, version=2) == {"scan"}
    assert changed_keys(ASSIGN, version=2) == {"assign"}


def test_another_upstream_is_another_key():
    assert changed_keys(ASSIGN, upstream=("detect", "embed")) == {"assign"}


def test_equal_stages_have_equal_keys_whatever_the_order_of_their_parameters():
    one = keys_of([Stage("detect", 1, (), {"a": 1, "b": 2})])
    other = keys_of([Stage("detect", 1, (), {"b": 2, "a": 1})])
    assert one == other


def test_a_stage_before_one_that_it_reads_is_a_mistake():
    with pytest.raises(KeyError, match="detect"):
        keys_of([EMBED, DETECT])


@pytest.mark.parametrize(
    ("stage", "changes", "why"),
    [
        (EMBED, {"version": 2}, "version 1 → 2"),
        (EMBED, {"model": "net-c"}, "model net-b → net-c"),
        (EMBED, {"params": {"chip_px": 150}}, "chip_px 160 → 150"),
        (EMBED, {"params": {"chip_px": 160, "more": 1}}, "more None → 1"),
        (DETECT, {"version": 2}, "detect changed"),
    ],
)
def test_what_changed_is_said_in_words(stage, changes, why):
    before = keys_of(STAGES)["embed"].made_of
    after = keys_of([replace(each, **changes) if each is stage else each for each in STAGES])["embed"].made_of
    assert what_changed(before, after) == why
