"""Slips on paper: A4, real text that can be read and searched, all that was said and nothing run as markup."""

import io

import pypdfium2
import pytest

from api.documents_pdf.slip_words import TITLES, told
from api.documents_pdf.slips import Printed, slip_page

ABOUT = {
    "evaluation_zh": "二〇二六年度考评", "evaluation_en": "Evaluation 2026", "unit_zh": "市民政局", "unit_en": "civil",
    "seq": 7, "component_zh": "察访核验", "component_en": "inspection", "rule_zh": "迟到早退", "rule_en": "late",
    "article": "第十条", "points": "2.5", "basis": "9:40 未到岗", "entered_on": "2026-11-21",
    "site_zh": "办事大厅", "site_en": "hall", "address": "湖滨南路 1 号", "seen_on": "2026-11-20", "photos": 2,
}  # fmt: skip
SAYS = {
    "deduction": {"last_day": "2026-11-26", "days": 5, "terms": ""},
    "decision": {"verdict": "reduced", "note": "情节较轻", "left": "1", "by": 8, "instead": 9, "grounds": "有批文"},
    "rectification": {"demand": "双人值守", "due_on": "2026-12-12", "reason": ""},
    "reminder": {"demand": "双人值守", "due_on": "2026-12-12", "days_left": 3},
    "urging": {"demand": "双人值守", "due_on": "2026-12-12", "days_late": 8, "times": 2, "escalated": True},
}


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return "".join("\n".join(pages).split())


@pytest.mark.parametrize("kind", TITLES)
def test_a_slip_is_a4_with_every_word_as_text(kind):
    pdf = slip_page(Printed(kind, "〔2026〕3号", "2026年11月21日", ABOUT | SAYS[kind]))
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        assert [round(side / 72 * 25.4) for side in document[0].get_size()] == [210, 297]
        assert len(document) == 1
    text = text_of(pdf)
    words = told(kind, ABOUT | SAYS[kind])
    for said in (words.title[0], words.lead[0], words.closing[0], "〔2026〕3号", "市民政局", "2026年11月21日"):
        assert "".join(said.split()) in text
    for name, value in words.rows:
        assert "".join(name[0].split()) in text
        assert "".join(value[0].split()) in text


@pytest.mark.parametrize("hostile", ['#panic("x")', '#read("/etc/passwd")', "$ 1/0 $", "]] *粗*", "\\", "<b>", "`x`"])
def test_what_somebody_wrote_is_text(hostile):
    pdf = slip_page(Printed("deduction", "〔2026〕1号", "-", ABOUT | SAYS["deduction"] | {"basis": hostile}))
    assert "".join(hostile.split()) in text_of(pdf)


def test_long_grounds_run_on_to_further_pages():
    about = ABOUT | SAYS["decision"] | {"grounds": "理由。" * 900}
    with pypdfium2.PdfDocument(io.BytesIO(slip_page(Printed("decision", "〔2026〕1号", "-", about)))) as document:
        assert len(document) > 1


@pytest.mark.parametrize("verdict", ["upheld", "reduced", "dismissed", "reversed"])
def test_every_decision_has_its_own_words_in_both_languages(verdict):
    words = told("decision", ABOUT | SAYS["decision"] | {"verdict": verdict})
    assert words.lead[0] != words.lead[1]
    assert "L7" in words.lead[0]
    assert "L7" in words.lead[1]


def test_an_entry_without_a_visit_names_no_site():
    bare = {name: value for name, value in ABOUT.items() if name not in {"site_zh", "site_en", "address", "seen_on"}}
    names = [name[1] for name, _ in told("deduction", bare | SAYS["deduction"]).rows]
    assert "Site" not in names
    assert "Points" in names
