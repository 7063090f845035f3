import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.library.sidecars.picasa import read_picasa_ini

INI = """\
[Picasa]
name=Holiday
[Contacts2]
8e62b2035b74b477=Ada Lovelace;;
cb989580bc43a91=Zoë;zoe@example.org;
[a.jpg]
star=yes
faces=rect64(3fffc000bfffffff),8e62b2035b74b477;rect64(80004000c000),CB989580BC43A91
[b [1].jpg]
rotate=rotate(1)
faces=rect64(3fffc000bfffffff),ffffffffffffffff;
[c.jpg]
backuphash=1
"""


def test_faces_are_read_by_file_with_the_names_of_the_contacts():
    read = read_picasa_ini(INI.encode())
    assert list(read) == ["a.jpg"]
    ada, zoe = read["a.jpg"]
    assert (ada.name, zoe.name) == ("Ada Lovelace", "Zoë")
    assert ada.box == pytest.approx((0.25, 0.75, 0.75, 1), abs=1e-4)


def test_leading_zeros_of_a_rectangle_are_not_written():
    assert read_picasa_ini(INI.encode())["a.jpg"][1].box == pytest.approx((0, 0.5, 0.25, 0.75), abs=1e-4)


def test_contacts_may_come_last_and_a_byte_order_mark_first():
    contacts, pictures = INI.split("[a.jpg]")
    assert read_picasa_ini(f"\ufeff[a.jpg]{pictures}\r\n{contacts}".encode()) == read_picasa_ini(INI.encode())


@pytest.mark.parametrize("faces", ["", "rect64(),1", "rect64(12345678901234567),1", "rect64(0),1", "rect32(1),1"])
def test_a_face_that_cannot_be_is_left_out(faces):
    assert read_picasa_ini(f"[Contacts2]\n1=Ada;;\n[a.jpg]\nfaces={faces}".encode()) == {}


@given(st.binary() | st.binary().map(lambda noise: INI[:200].encode() + noise))
def test_no_bytes_stop_the_reading(data):
    read_picasa_ini(data)
