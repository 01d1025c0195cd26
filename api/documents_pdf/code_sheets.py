"""Sheets of access codes for envelopes: each code once as typed and once as QR code, on paper and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import segno

from api.documents_pdf.press import set_pages
from survey_forms.sampling.codes import DIGITS_LENGTH, display

TEMPLATE = "code_sheets.typ"
MASK = 3
"""Of the eight masks any does: 120 codes each, turned, blurred and blotted, were read equally often under every one,
and choosing the prettiest costs 6 of the 7 ms that a symbol takes."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A code on its sheet: as people type it, and the token of its QR code."""

    typed: str
    token: str


@dataclass(frozen=True, slots=True)
class Stratum:
    """The sheets of one stratum, shuffled."""

    name_zh: str
    name_en: str
    sheets: Sequence[Printed]


@dataclass(frozen=True, slots=True)
class Letter:
    """What all sheets of a print run say."""

    title_zh: str
    title_en: str
    sponsor_zh: str
    sponsor_en: str
    base_url: str
    closes: str
    help_line: str
    secrecy: str
    batch: str


def link(base_url: str, token: str) -> str:
    """The address in a QR code or a message. The token stands in the fragment, which no browser sends.

    Scheme and host are upper case, which QR codes hold in fewer modules; they mean the same (RFC 3986 section 6.2.2).
    """
    return "#".join(_parts(base_url, token))


def symbol(base_url: str, token: str) -> segno.QRCode:
    """The QR code of a link: level Q, three segments, so that all but `#` stands in the alphabet of 45."""
    address, fragment = _parts(base_url, token)
    segments: Any = [address, "#", fragment]  # segno's types know one text only
    return segno.make(segments, error="q", boost_error=False, micro=False, mask=MASK)


def shown_address(base_url: str) -> str:
    """The address as somebody types it: without the scheme where a browser adds the right one."""
    return base_url.removeprefix("https://")


def code_sheets(
    letter: Letter, strata: Sequence[Stratum], kind: Literal["pdf", "png"] = "pdf", ppi: float = 144.0
) -> bytes:
    """The print run as one PDF, 1 + n pages a stratum of n codes.

    Raises:
        Refused: `print_failed`.
    """
    return set_pages(TEMPLATE, _data(letter, strata), kind, ppi)


def _parts(base_url: str, token: str) -> tuple[str, str]:
    address = urlsplit(base_url)
    return f"{address.scheme.upper()}://{address.netloc.upper()}{address.path}/", token


def _data(letter: Letter, strata: Sequence[Stratum]) -> Mapping[str, Any]:
    return {
        "title": {"zh": letter.title_zh, "en": letter.title_en},
        "sponsor": {"zh": letter.sponsor_zh, "en": letter.sponsor_en},
        "address": shown_address(letter.base_url),
        "closes": letter.closes,
        "help_line": letter.help_line,
        "secrecy": letter.secrecy,
        "batch": letter.batch,
        "strata": [
            {
                "name": {"zh": one.name_zh, "en": one.name_en},
                "sheets": [_sheet(letter.base_url, code) for code in one.sheets],
            }
            for one in strata
        ],
    }


def _sheet(base_url: str, code: Printed) -> Mapping[str, Any]:
    is_digits = len(code.typed) == DIGITS_LENGTH
    return {
        "typed": display(code.typed).split(" " if is_digits else "-"),
        "spelling": "digits" if is_digits else "letters",
        "qr": symbol(base_url, code.token).svg_inline(border=4, omitsize=True, svgclass=None, lineclass=None),
    }
