import pytest

from alignimation_index.stages.stage import Stage, keys_of, what_changed

DETECT = Stage("detect", 1, params={"side_px": 720}, model="mtcnn")
EMBED = Stage("embed", 1, ("detect",), model="dlib")
POSE = Stage("pose", 1, ("detect",))


def keys(*stages):
    return {name: key.key for name, key in keys_of(stages).items()}


def changed(now):
    before = keys_of([DETECT, EMBED])
    return what_changed(before[now[-1].name].made_of, keys_of(now)[now[-1].name].made_of)


def test_the_same_stages_have_the_same_keys():
    assert keys(DETECT, EMBED) == keys(DETECT, EMBED)
    assert len(set(keys(DETECT, EMBED, POSE).values())) == 3


@pytest.mark.parametrize(
    "other",
    [
        Stage("detect", 2, params={"side_px": 720}, model="mtcnn"),
        Stage("detect", 1, params={"side_px": 721}, model="mtcnn"),
        Stage("detect", 1, params={"side_px": 720}, model="other"),
    ],
)
def test_a_change_of_version_parameter_or_model_changes_its_key_and_those_below(other):
    before, now = keys(DETECT, EMBED), keys(other, EMBED)
    assert before["detect"] != now["detect"]
    assert before["embed"] != now["embed"]


def test_a_change_leaves_the_keys_above_and_beside_alone():
    before, now = keys(DETECT, EMBED, POSE), keys(DETECT, Stage("embed", 2, ("detect",), model="dlib"), POSE)
    assert {name for name in before if before[name] != now[name]} == {"embed"}


def test_a_stage_before_one_that_it_reads_is_a_mistake():
    with pytest.raises(KeyError, match="detect"):
        keys_of([EMBED, DETECT])


def test_why_a_result_is_stale_is_said_in_words():
    assert changed([Stage("detect", 3, params={"side_px": 720}, model="mtcnn")]) == "version 1 → 3"
    assert changed([Stage("detect", 1, params={"side_px": 720}, model="yunet")]) == "model mtcnn → yunet"
    assert changed([Stage("detect", 1, params={"side_px": 900}, model="mtcnn")]) == "side_px 720 → 900"
    assert changed([Stage("detect", 1, params={"share": 0.1}, model="mtcnn")]) == "share None → 0.1, side_px 720 → None"
    assert changed([Stage("detect", 2, model="mtcnn"), EMBED]) == "detect changed"
