from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.query.variants import VariantFace, faces_to_leave_out

faces = st.lists(st.tuples(st.sampled_from([None, 1, 2]), st.integers(1, 3), st.integers(0, 3)), max_size=12).map(
    lambda rows: [VariantFace(i, *row) for i, row in enumerate(rows)]
)


def test_a_person_is_taken_from_the_best_photo_on_which_they_are():
    on_best, again, alone = VariantFace(1, 7, 1, 0), VariantFace(2, 7, 1, 2), VariantFace(3, 8, 1, 2)
    assert faces_to_leave_out([on_best, again, alone]) == {2}


def test_nobody_is_taken_from_the_best_photo_only():
    assert faces_to_leave_out([VariantFace(1, 7, 1, 0), VariantFace(2, None, 1, 1), VariantFace(3, None, 1, 0)]) == {2}


def test_two_faces_of_the_best_photo_stay():
    assert faces_to_leave_out([VariantFace(1, None, 1, 0), VariantFace(2, None, 1, 0)]) == set()


@given(faces)
def test_of_every_person_and_group_one_photo_is_left(known):
    left = [face for face in known if face.face_id not in faces_to_leave_out(known)]
    for face in known:
        ranks = {other.rank for other in left if other[1:3] == face[1:3]}
        assert len(ranks) == 1 or face.person_id is None
    assert {face.group_id for face in left} == {face.group_id for face in known}
