"""A slip on paper: A4, in Chinese, in the words of `slip_words` and from the slip's own facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from api.documents_pdf.press import set_pages
from api.documents_pdf.slip_words import told

TEMPLATE = "slip.typ"


@dataclass(frozen=True, slots=True)
class Printed:
    """What is printed of a slip."""

    kind: str
    numbered: str  # 〔2026〕3号
    issued_on: str
    about: Mapping[str, Any]


def slip_page(slip: Printed, kind: Literal["pdf", "png"] = "pdf", ppi: float = 110.0) -> bytes:
    """The slip as a PDF, or as a picture of it.

    Raises:
        Refused: `print_failed`.
    """
    words = told(slip.kind, slip.about)
    data = {
        "title": words.title[0],
        "numbered": f"{words.title[0]}{slip.numbered}",
        "evaluation": slip.about["evaluation_zh"],
        "to": slip.about["unit_zh"],
        "lead": words.lead[0],
        "rows": [[name[0], value[0]] for name, value in words.rows],
        "closing": words.closing[0],
        "issued_on": slip.issued_on,
    }
    return set_pages(TEMPLATE, data, kind, ppi)
