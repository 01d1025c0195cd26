"""Frames as files: sealed on the disk, recognised whoever wrote them, refused by name when they are hostile."""

import io
import os
import zipfile
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.actions import frame_file
from api.actions.frame_file import Reader, head_of, recognise
from api.actions.frame_lines import LineReader, check_columns, guess
from api.actions.frames import begin_import, start_reading
from api.actions.sealed_files import PIECE, SealedFiles, digest_of
from api.store import frames
from api.store.surveys import Stratum
from survey_forms.refusal import Refused
from tests.desk import a_person
from tests.frames import COLUMNS, HEADINGS, NOW, a_book, a_csv, a_framed_survey, a_registry, handed_in, members
from tests.frames import read_whole as read

KNOWN = [Stratum("huli", "g", "湖里区", "Huli", 1), Stratum("siming", "g", "思明区", "Siming", 1)]


def refused(act, *given_, **named) -> str:
    with pytest.raises(Refused) as caught:
        act(*given_, **named)
    return caught.value.code


@pytest.fixture
def registry(tmp_path):
    return a_registry(tmp_path)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17])
def test_a_sealed_file_reads_as_it_was_from_anywhere(tmp_path, size):
    content = os.urandom(size)
    files = SealedFiles(tmp_path, b"k" * 32)
    name = digest_of(io.BytesIO(content))
    assert name == sha256(content).hexdigest()
    files.keep(name, io.BytesIO(content))
    files.keep(name, io.BytesIO(content))
    with files.open(name) as opened:
        assert opened.read() == content
        for at in {0, size // 2, max(size - 3, 0), size}:
            opened.seek(at)
            assert opened.read(5) == content[at : at + 5]
        assert opened.seek(0, io.SEEK_END) == size
    assert content[:64] not in files.path(name).read_bytes() or size < 16
    files.drop(name)
    files.drop(name)
    assert refused(files.open, name) == "sealed_file_gone"


def test_a_sealed_file_that_was_touched_cut_or_exchanged_is_not_read(tmp_path):
    files = SealedFiles(tmp_path, b"k" * 32)
    content = b"a line\n" * 100_000
    name = digest_of(io.BytesIO(content))
    files.keep(name, io.BytesIO(content))
    sealed = files.path(name).read_bytes()
    whole = PIECE + 28
    for touched in (
        sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:],
        sealed[:whole],  # its end is cut off where a piece ends
        sealed[whole : 2 * whole] + sealed[:whole] + sealed[2 * whole :],
    ):
        files.path(name).unlink()
        files.path(name).write_bytes(touched)
        with files.open(name) as opened:
            assert refused(opened.read) == "contact_unreadable"
    files.path(name).write_bytes(sealed)
    with SealedFiles(tmp_path, b"another key" * 3).open(name) as opened:
        assert refused(opened.read) == "contact_unreadable"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030")],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_the_encodings_of_offices_are_recognised(encoding, found, end):
    text = a_csv([*members(50), ("镕-1", "湖里区", "", "男", "60+")]).replace("\r\n", end)
    file = io.BytesIO(text.encode(encoding))
    kind = recognise(file)
    assert (kind.encoding, kind.lines) == (found, 51)
    file.seek(0)
    head = head_of(file, kind.encoding)
    assert tuple(head.headings) == HEADINGS
    assert head.rows[0][0] == "M0000001"


def test_a_character_cut_by_two_pieces_is_no_fault(monkeypatch):
    monkeypatch.setattr(frame_file, "_PIECE", 7)
    for encoding in ("utf-8", "gb18030"):
        content = a_csv(members(30)).encode(encoding)
        assert recognise(io.BytesIO(content)).encoding == {"utf-8": "utf-8-sig"}.get(encoding, encoding)
        assert refused(recognise, io.BytesIO(content + b"\xff\xff")) == "csv_encoding"
    assert refused(recognise, io.BytesIO(a_csv(members(3)).encode() + "思".encode()[:2])) == "csv_encoding"


def test_a_bomb_of_a_workbook_is_measured_and_never_unpacked(registry, connection):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    assert refused(recognise, bomb) == "workbook_bomb"
    survey = a_framed_survey(connection)
    staff = a_person(connection, "registrar", "office")
    assert refused(begin_import, connection, registry, survey.id, ("b.xlsx", bomb), staff, NOW) == "workbook_bomb"
    assert not list(registry.files.path("x").parent.glob("*"))


def test_a_file_above_its_size_is_refused_before_it_is_looked_at(monkeypatch):
    monkeypatch.setattr(frame_file, "LARGEST_FILE", 1000)
    monkeypatch.setattr(frame_file, "LARGEST_BOOK", 1000)
    assert refused(recognise, io.BytesIO(b"x" * 1001)) == "frame_file_large"
    assert refused(recognise, io.BytesIO(a_book([("a",)] * 300))) == "frame_file_large"


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + b"\0" * 100,
        b"\0" * 50,
        b'"' * 70_000,
        (",".join(HEADINGS) + "\n" + "x," * 100_000).encode(),
        (",".join(HEADINGS) + '\nA1,huli,"' + "x" * 200_000 + '",m,60+\n').encode(),
        b"\xef\xbb\xbf",
        b"\r\n\r\n\r\n",
    ],
)
def test_a_hostile_file_is_refused_and_leaves_nothing(connection, registry, content):
    survey = a_framed_survey(connection)
    staff = a_person(connection, "registrar", "office")
    try:
        import_id = begin_import(connection, registry, survey.id, ("h.csv", io.BytesIO(content)), staff, NOW)
        start_reading(connection, registry, import_id, COLUMNS, staff, NOW)
        held = read(connection, registry, import_id)
        assert held.status == "refused"
    except Refused:
        assert not list(registry.files.path("x").parent.glob("*"))
    assert frames.frames_of(connection, survey.id) == []


def test_a_line_that_breaks_off_in_the_middle_ends_the_import(connection, registry):
    survey = a_framed_survey(connection)
    staff = a_person(connection, "registrar", "office")
    content = a_csv(members(30)).encode() + b'M1,"huli,1'
    held = read(connection, registry, handed_in(connection, registry, survey.id, staff, content))
    assert held.status == "refused"
    assert held.faults["shown"][0]["code"] == "frame_line_unreadable"
    assert held.faults["shown"][0]["facts"]["row"] == 32


def test_a_thousand_faults_are_listed_and_all_are_counted(connection, registry):
    survey = a_framed_survey(connection)
    staff = a_person(connection, "registrar", "office")
    rows = [(f"A{at}", "nowhere", "", "男", "60+") for at in range(1500)] + [("B1", "huli", "", "男", "60+")] * 3
    held = read(connection, registry, handed_in(connection, registry, survey.id, staff, a_csv(rows).encode()))
    assert (held.status, held.faults["number"], len(held.faults["shown"])) == ("refused", 1502, 1000)


def test_the_usual_headings_are_guessed_in_both_languages():
    headings = ["成员编号", "层", "村居", "规模", "纬度", "经度", "排序码", "手机", "邮箱", "住址", "性别", "备注"]
    assert guess(headings) == {
        "member": "成员编号", "stratum": "层", "psu": "村居", "size": "规模", "latitude": "纬度", "longitude": "经度",
        "sort": "排序码", "phone": "手机", "mail": "邮箱", "place": "住址", "trait:sex": "性别"
    }  # fmt: skip
    assert guess(["ID", "Stratum", "Phone", "AGE"]) == {
        "member": "ID", "stratum": "Stratum", "phone": "Phone", "trait:age": "AGE"
    }  # fmt: skip


def test_a_mapping_without_what_is_needed_tells_all_at_once():
    with pytest.raises(Refused) as caught:
        check_columns(
            {"phone": "a", "trait:Age": "b", "latitude": "c", "size": "x"}, ["a", "b", "b", "c"], sealed=False
        )
    assert {fault.code for fault in caught.value.faults} == {
        "frame_column_missing", "frame_contact_needs_sealed", "trait_name_unfit", "frame_column_doubled",
        "frame_place_half",
    }  # fmt: skip


@given(st.lists(st.text(max_size=12), min_size=5, max_size=5))
@settings(max_examples=300, deadline=None)
def test_whatever_a_line_holds_it_is_a_member_or_has_faults_and_never_both(cells):
    reader = LineReader(COLUMNS, HEADINGS, KNOWN)
    faults: list = []
    line = reader.read(2, [cell.strip() for cell in cells], faults)
    assert (line is None) == bool(faults)
    if line:
        assert not set(line.member) & set(',"|\n ')
        assert line.stratum in {"huli", "siming"}


def test_numbers_and_places_are_read_exactly():
    headings = ["编号", "层", "规模", "纬度", "经度"]
    columns = dict(zip(("member", "stratum", "size", "latitude", "longitude"), headings, strict=True))
    reader = LineReader(columns, headings, KNOWN)
    faults: list = []
    line = reader.read(2, ["V1", "湖里区", "12.5", "24.479834", "118.1"], faults)
    assert line is not None
    assert (line.size, line.latitude, line.longitude) == (Decimal("12.5"), Decimal("24.479834"), Decimal("118.1"))
    for cells in (["V", "huli", "0", "1", "1"], ["V", "huli", "1e3", "1", "1"], ["V", "huli", "1", "91", "181"],
                  ["V", "huli", "1.1234567", "", "x"]):  # fmt: skip
        assert reader.read(3, cells, faults) is None
    assert [fault.code for fault in faults] == [
        "frame_size_unfit", "frame_size_unfit", "frame_degrees_unfit", "frame_degrees_unfit",
        "frame_size_unfit", "frame_degrees_unfit", "frame_degrees_unfit",
    ]  # fmt: skip


def test_a_reader_goes_on_from_any_line():
    content = a_csv(members(500)).encode("gb18030")
    for start in (0, 1, 250, 499, 500):
        reader = Reader(io.BytesIO(content), "gb18030")
        assert reader.skip_to(start, 5)
        assert [number for number, _ in reader.take(1000)] == list(range(start + 2, 502))
        assert reader.take(10) == []
        reader.close()


def test_a_home_address_is_a_contact_too_and_not_a_novel():
    strata = [Stratum("huli", "residents", "湖里区", "Huli", 10)]
    columns = {"member": "编号", "stratum": "层", "place": "住址"}
    reader, faults = LineReader(columns, ["编号", "层", "住址"], strata), []
    line = reader.read(2, ["M1", "huli", "湖里区兴隆路 7 号"], faults)
    assert (line.contact.place, line.contact.phone, faults) == ("湖里区兴隆路 7 号", "", [])
    assert reader.read(3, ["M2", "huli", ""], faults).contact is None
    assert reader.read(4, ["M3", "huli", "长" * 201], faults) is None
    assert [(one.code, one.path) for one in faults] == [("contact_place_long", "4:住址")]
