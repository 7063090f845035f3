from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignimation_index.library.sidecars.regions import FaceRegion
from alignimation_index.library.sidecars.xmp import Xmp, read_xmp

TAKEN = datetime(2004, 5, 6, 7, 8, 9)

NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
        "stArea": "http://ns.adobe.com/xmp/sType/Area#",
        "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
        "MP": "http://ns.microsoft.com/photo/1.2/",
        "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
        "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    }.items()
)

MWG_AS_ATTRIBUTES = """
<mwg-rs:Regions rdf:parseType="Resource">
  <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
  <mwg-rs:RegionList><rdf:Bag>
    <rdf:li><rdf:Description mwg-rs:Name="Ada Lovelace" mwg-rs:Type="Face">
      <mwg-rs:Area stArea:x="0.5" stArea:y="0.25" stArea:w="0.25" stArea:h="0.5" stArea:unit="normalized"/>
    </rdf:Description></rdf:li>
    <rdf:li><rdf:Description mwg-rs:Type="Face">
      <mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.1" stArea:h="0.1"/></rdf:Description></rdf:li>
    <rdf:li><rdf:Description mwg-rs:Name="Rex" mwg-rs:Type="Pet">
      <mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.1" stArea:h="0.1"/></rdf:Description></rdf:li>
  </rdf:Bag></mwg-rs:RegionList>
</mwg-rs:Regions>"""

MWG_AS_ELEMENTS = """
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Seq><rdf:li rdf:parseType="Resource">
  <mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.5</stArea:x><stArea:y>0.25</stArea:y><stArea:w>0.25</stArea:w>
    <stArea:h>0.5</stArea:h></mwg-rs:Area>
  <mwg-rs:Name> Ada
    Lovelace </mwg-rs:Name>
</rdf:li></rdf:Seq></mwg-rs:RegionList></mwg-rs:Regions>"""

MICROSOFT_AS_ELEMENTS = """
<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li rdf:parseType="Resource">
  <MPReg:Rectangle>0.375, 0, 0.25, 0.5</MPReg:Rectangle><MPReg:PersonDisplayName>Ada Lovelace</MPReg:PersonDisplayName>
</rdf:li></rdf:Bag></MPRI:Regions></MP:RegionInfo>"""

MICROSOFT_AS_ATTRIBUTES = """
<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>
  <rdf:li MPReg:PersonDisplayName="Ada Lovelace" MPReg:Rectangle="0.375,0,0.25,0.5"/>
  <rdf:li MPReg:PersonDisplayName="No Box"/>
</rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>"""


def packet(elements="", attributes=""):
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {NAMESPACES}>
<rdf:Description rdf:about="" {attributes}>{elements}</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


@pytest.mark.parametrize(
    "data",
    [
        packet(attributes='photoshop:DateCreated="2004-05-06T07:08:09+02:00"'),
        packet("<exif:DateTimeOriginal>2004-05-06T07:08:09.25+02:00</exif:DateTimeOriginal>"),
        packet("<xmp:CreateDate><rdf:Seq><rdf:li> 2004-05-06T07:08:09+0200 </rdf:li></rdf:Seq></xmp:CreateDate>"),
    ],
)
def test_a_date_is_an_attribute_an_element_or_an_item(data):
    assert read_xmp(data) == Xmp(TAKEN, True, "+02:00")


def test_what_a_person_corrects_comes_before_what_the_camera_wrote_before_when_the_file_began():
    dates = ["photoshop:DateCreated", "exif:DateTimeOriginal", "xmp:CreateDate"]
    written = [f'{name}="200{i}-05-06T07:08:09"' for i, name in enumerate(dates, 4)]
    years = [read_xmp(packet(attributes=" ".join(written[i:]))).taken_at.year for i in range(3)]
    assert years == [2004, 2005, 2006]


def test_a_date_with_a_time_comes_before_one_without():
    data = packet(attributes='photoshop:DateCreated="2004-05-06" xmp:CreateDate="2004-05-06T07:08"')
    assert read_xmp(data).taken_at == datetime(2004, 5, 6, 7, 8)


def test_a_day_alone_is_midnight_and_says_so():
    assert read_xmp(packet(attributes='xmp:CreateDate="2004-05-06"')) == Xmp(datetime(2004, 5, 6), has_time=False)


@pytest.mark.parametrize("text", ["2004", "2004-05", "", "0000-00-00T00:00:00", "soon"])
def test_a_year_or_month_alone_is_no_date(text):
    assert read_xmp(packet(attributes=f'xmp:CreateDate="{text}"')).taken_at is None


def test_the_date_of_an_ingredient_is_not_the_photos():
    ingredient = '<rdf:Description xmp:CreateDate="2001-05-06T07:08:09"/>'
    assert read_xmp(packet(f"<xmpMM:Pantry><rdf:Bag><rdf:li>{ingredient}</rdf:li></rdf:Bag></xmpMM:Pantry>")) == Xmp()


@pytest.mark.parametrize(
    ("text", "rating"),
    [("5", 5), ("0", 0), ("-1", -1), ("3.0", 3), ("6", None), ("-2", None), ("", None), ("nan", None), ("good", None)],
)
def test_a_rating_is_from_minus_one_to_five(text, rating):
    assert read_xmp(packet(attributes=f'xmp:Rating="{text}"')).rating == rating


@pytest.mark.parametrize(
    "regions", [MWG_AS_ATTRIBUTES, MWG_AS_ELEMENTS, MICROSOFT_AS_ELEMENTS, MICROSOFT_AS_ATTRIBUTES]
)
def test_named_faces_are_read_in_both_schemas(regions):
    assert read_xmp(packet(regions)).regions == (FaceRegion("Ada Lovelace", (0.375, 0, 0.625, 0.5)),)


def test_a_face_in_both_schemas_is_one():
    assert len(read_xmp(packet(MWG_AS_ELEMENTS + MICROSOFT_AS_ELEMENTS)).regions) == 1


@pytest.mark.parametrize("rectangle", ["", "0,0,1", "0,0,nan,1", "0,0,inf,1", "0,0,0,1", "2,2,1,1", "0,0,a,b"])
def test_a_box_that_cannot_be_is_left_out(rectangle):
    assert read_xmp(packet(MICROSOFT_AS_ATTRIBUTES.replace("0.375,0,0.25,0.5", rectangle))).regions == ()


def test_a_box_is_clipped_to_the_picture():
    data = packet(MICROSOFT_AS_ATTRIBUTES.replace("0.375,0,0.25,0.5", "-0.1,0.5,0.3,0.75"))
    assert read_xmp(data).regions[0].box == pytest.approx((0, 0.5, 0.2, 1))


def test_padding_around_a_packet_does_no_harm():
    assert read_xmp(b"\n" + packet(attributes='xmp:Rating="5"') + b"\n  \0\0").rating == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(encoding, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("5")
    rated = packet("<xmp:Rating>&it;</xmp:Rating>").decode()
    for entity in (f'SYSTEM "{secret.as_uri()}"', '"5"'):
        document = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY it {entity}>]>{rated}'
        assert read_xmp(document.encode(encoding)) == Xmp()


def test_nesting_without_end_takes_no_time():
    depth = 50_000
    assert read_xmp(b"<a>" * depth + b"</a>" * depth) == Xmp()
    items = "<rdf:li><rdf:Bag>" * depth + "</rdf:Bag></rdf:li>" * depth
    assert read_xmp(packet(MWG_AS_ELEMENTS.replace("</rdf:Seq>", f"{items}</rdf:Seq>"))).regions


@pytest.mark.parametrize("data", [b"", b"text", b"<a", b'<?xml version="1.0" encoding="big5"?><a/>', b"\xff\xfe<\0"])
def test_what_is_no_xmp_is_empty(data):
    assert read_xmp(data) == Xmp()


@given(st.binary())
def test_no_bytes_stop_the_reading(data):
    assert isinstance(read_xmp(data), Xmp)


@given(st.data())
def test_a_packet_that_is_overwritten_never_stops_the_reading(data):
    whole = packet(MWG_AS_ATTRIBUTES + MICROSOFT_AS_ELEMENTS, 'xmp:Rating="5" xmp:CreateDate="2004-05-06"')
    position = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=20))
    assert isinstance(read_xmp(whole[:position] + noise + whole[position + len(noise) :]), Xmp)
