"""Printed sheets, looked at as pictures: what a camera reads, how large it is, and that data is never markup."""

import io
import re
import subprocess
import sys
import zlib
from random import Random

import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from api.documents_pdf import press
from api.documents_pdf.code_sheets import Letter, Printed, Stratum, code_sheets, link, shown_address, symbol
from api.documents_pdf.press import pictures, set_pages
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import canonical, new_code, new_digits, read_code, token_of

PEPPER = b"a test's pepper, thirty-two bytes at least"
BASE = "https://pingyi.example.gov.cn"
DPI = 200


def a_letter(**changed):
    facts = {
        "title_zh": "某市 2026 年度公众评议", "title_en": "A city's public review 2026", "sponsor_zh": "市效能办",
        "sponsor_en": "Performance Office", "base_url": BASE, "closes": "2026-12-12 18:00",
        "help_line": "0592-12345", "secrecy": "sealed", "batch": "第 3 批",
    } | changed  # fmt: skip
    return Letter(**facts)


def printed(typed):
    return Printed(typed, token_of(PEPPER, "mingcha", canonical(PEPPER, "mingcha", typed)))


def some_sheets(number, seed=1, make=new_code):
    chance = Random(seed)
    return [printed(make(chance.randrange)) for _ in range(number)]


def pages_of(letter, strata):
    return [Image.open(io.BytesIO(one)) for one in pictures(code_sheets(letter, strata, "png", DPI))]


def test_every_sheet_carries_its_own_code_and_each_stratum_begins_with_its_count():
    town, village = some_sheets(3), some_sheets(2, 2, new_digits)
    pages = pages_of(a_letter(), [Stratum("思明区", "Siming", town), Stratum("同安区", "Tong'an", village)])
    read = [[found.text for found in zxingcpp.read_barcodes(page)] for page in pages]
    wanted = [[], *([link(BASE, one.token)] for one in town), [], *([link(BASE, one.token)] for one in village)]
    assert read == wanted


def test_the_code_is_at_least_25_mm_wide_on_a5():
    (_, page) = pages_of(a_letter(), [Stratum("思明区", "Siming", some_sheets(1))])
    assert [round(side / DPI * 25.4) for side in page.size] == [148, 210]
    (found,) = zxingcpp.read_barcodes(page)
    corners = found.position
    width = (corners.top_right.x - corners.top_left.x) / DPI * 25.4
    assert width >= 25


def test_the_link_is_upper_case_where_that_means_the_same_and_the_code_is_in_its_fragment():
    (one,) = some_sheets(1)
    assert link(BASE, one.token) == f"HTTPS://PINGYI.EXAMPLE.GOV.CN/#{one.token}"
    assert link("http://h.cn/Review", one.token) == f"HTTP://H.CN/Review/#{one.token}"
    assert shown_address(BASE) == "pingyi.example.gov.cn"
    assert shown_address("http://127.0.0.1:8000") == "http://127.0.0.1:8000"
    assert read_code(link(BASE, one.token).partition("#")[2]) == one.token


def test_a_symbol_is_level_q_and_small():
    (one,) = some_sheets(1)
    made = symbol("https://pingyi.xm.gov.cn", one.token)
    assert (made.error, made.version) == ("Q", 3)
    assert symbol("https://pingyi.a-longer-name.example.gov.cn", one.token).version <= 5


@pytest.mark.parametrize("seed", range(12))
def test_a_turned_blurred_and_blotted_code_is_read(seed):
    chance = Random(seed)
    (one,) = some_sheets(1, seed)
    picture = io.BytesIO()
    symbol(BASE, one.token).save(picture, kind="png", scale=6, border=4)
    image = Image.open(picture).convert("L")
    side = int(image.size[0] * 0.18)  # about 5 % of the area, in the middle, where no finder stands
    at = [chance.randrange(image.size[0] // 3, image.size[0] * 2 // 3 - side) for _ in range(2)]
    ImageDraw.Draw(image).rectangle((at[0], at[1], at[0] + side, at[1] + side), fill=255)
    worn = image.rotate(chance.uniform(-20, 20), expand=True, fillcolor=255).filter(ImageFilter.GaussianBlur(1.2))
    assert [found.text for found in zxingcpp.read_barcodes(worn)] == [link(BASE, one.token)]


@pytest.mark.parametrize(
    "hostile", ['#panic("x")', '#read("/etc/passwd")', "$ integral", "]] #let a", "*bold*", '"', "\\", "<b>", "评议😀"]
)
def test_whatever_stands_in_a_name_is_text(hostile):
    one = some_sheets(1)
    plain = pages_of(a_letter(title_zh="x"), [Stratum("x", "x", one)])
    pages = pages_of(a_letter(title_zh=hostile, sponsor_en=hostile), [Stratum(hostile, hostile, one)])
    assert len(pages) == len(plain) == 2
    assert zxingcpp.read_barcodes(pages[1])[0].text == link(BASE, one[0].token)


def test_the_pdf_holds_a_page_a_code_and_no_code_as_plain_text():
    sheets = some_sheets(4)
    pdf = code_sheets(a_letter(), [Stratum("思明区", "Siming", sheets)])
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type */Page\b", _unpacked(pdf))) == 5


def _unpacked(pdf: bytes) -> bytes:
    """The file with its compressed streams opened."""
    whole = pdf
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            whole += zlib.decompress(packed)
        except zlib.error:
            continue
    return whole


def test_a_template_that_fails_is_one_refusal_without_a_word_of_the_data(caplog):
    with pytest.raises(Refused) as refused:
        set_pages("code_sheets.typ", {"title": "SECRET-CODE"})
    assert refused.value.code == "print_failed"
    assert "SECRET-CODE" not in caplog.text + str(refused.value) + repr(refused.value.__cause__)


def test_nothing_of_a_print_run_touches_a_disk(tmp_path, monkeypatch):
    """The process writes to its pipe alone: run under a limit of no file at all, it still sets the sheets."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    program = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
        f"runpy.run_path({str(press.SCRIPT)!r}, run_name='__main__')"
    )
    made = []

    def run(command, **how):
        made.append(command)
        return real([sys.executable, "-I", "-c", program], **how)

    real = subprocess.run
    monkeypatch.setattr(press.subprocess, "run", run)
    pdf = code_sheets(a_letter(), [Stratum("思明区", "Siming", some_sheets(1))])
    assert pdf.startswith(b"%PDF-")
    assert made
    assert list(tmp_path.iterdir()) == []
