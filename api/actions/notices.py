"""What respondents are told about their data (PIPL article 17), as versions that can never be changed afterwards.

A version's digest is the SHA-256 of one canonical document: survey, moment and words. Whoever keeps the digest, or
the page that it names, can prove later what was promised when the answer was given.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import Connection

from api.actions import notice_words
from api.store import notices, people
from api.store.evaluations import evaluation_numbered
from api.store.notices import KeptNotice
from api.store.windows import Window, window_of
from survey_forms.refusal import Fault, Refused
from survey_forms.transparency import canonical_json

PARTS = ("sponsor", "purpose", "kinds", "retention", "rights", "contact", "help_line")
LONGEST = {"sponsor": 200, "contact": 400, "help_line": 40}
LONGEST_PART = 1500
NEEDED = ("zh",)
"""The wording that counts in law; a version without it says nothing."""

_NUMBER = re.compile(r"(?:\+[0-9]{1,3} ?)?(?:\([0-9]{2,4}\) ?)?[0-9]{3,15}(?:[ -][0-9]{3,})*")

Words = Mapping[str, Mapping[str, str]]
"""Language → part → words."""


def document_of(notice: KeptNotice) -> bytes:
    """The one byte string that a version's digest is taken of; anybody can recompute it."""
    return canonical_json(
        {
            "survey": notice.survey_id,
            "published_at": notice.published_at.astimezone(UTC).isoformat(timespec="seconds"),
            "notice": {language: dict(parts) for language, parts in notice.words.items()},
        }
    )


def publish_notice(connection: Connection, survey_id: int, words: Words, staff_id: int | None, now: datetime) -> str:
    """Put a new version in force; returns its digest. The versions before it stay readable for ever.

    Args:
        connection: the transaction.
        survey_id: whose notice it is.
        words: language → part → words; a language with no word at all is left out.
        staff_id: who publishes it; None for the demonstration.
        now: the present; the version carries it to the second.

    Raises:
        Refused: `not_found` without that survey; `notice_part_missing` and `notice_part_too_long`, every one at once
            (path: language.part); `notice_help_line_unfit` where nobody could dial it; `notice_unchanged`.
    """
    notices.hold_notices(connection, survey_id)
    if window_of(connection, survey_id) is None:
        raise Refused("not_found")
    kept = _checked(words)
    before = notices.latest_notice(connection, survey_id)
    if before is not None and before.words == kept:
        raise Refused("notice_unchanged")
    moment = now.replace(microsecond=0)
    if before is not None and before.published_at >= moment:
        raise Refused("try_again")  # two versions within one second would share a moment
    notice = KeptNotice("", survey_id, kept, moment, None)
    digest = sha256(document_of(notice)).hexdigest()
    notices.add_notice(connection, KeptNotice(digest, survey_id, kept, moment, None), staff_id)
    people.record_act(connection, "notice_published", now, staff_id, survey=survey_id, digest=digest)
    return digest


def notice_in_force(connection: Connection, survey_id: int) -> KeptNotice | None:
    """The published version, if the office has published one."""
    return notices.latest_notice(connection, survey_id)


def default_words(connection: Connection, survey_id: int) -> dict[str, dict[str, str]]:
    """A notice made of what the database knows of a survey: what holds until the office publishes its own.

    Raises:
        Refused: `not_found`.
    """
    window = window_of(connection, survey_id)
    if window is None:
        raise Refused("not_found")
    return _default(connection, window)


def _default(connection: Connection, window: Window) -> dict[str, dict[str, str]]:
    evaluation = evaluation_numbered(connection, window.evaluation_id)
    return notice_words.default_notice(evaluation.name_zh, evaluation.name_en, sealed=window.secrecy == "sealed")


def _checked(words: Words) -> dict[str, dict[str, str]]:
    """The words as they are kept.

    Raises:
        Refused: everything that is wrong with them.
    """
    kept = {
        language: {part: parts.get(part, "").strip() for part in PARTS}
        for language, parts in words.items()
        if language in NEEDED or any(word.strip() for word in parts.values())
    }
    faults = [Fault("notice_part_missing", f"{language}.sponsor") for language in NEEDED if language not in kept]
    for language, parts in kept.items():
        for part, word in parts.items():
            most = LONGEST.get(part, LONGEST_PART)
            if not word:
                faults.append(Fault("notice_part_missing", f"{language}.{part}"))
            elif len(word) > most:
                faults.append(Fault("notice_part_too_long", f"{language}.{part}", {"most": most}))
            elif part == "help_line" and not dialled(word):
                faults.append(Fault("notice_help_line_unfit", f"{language}.{part}"))
    if faults:
        raise Refused.of(faults)
    return kept


def dialled(help_line: str) -> str:
    """What a telephone dials for a help line as it is written: the first number in it; empty when there is none."""
    found = _NUMBER.search(help_line)
    return "".join(letter for letter in found[0] if letter in "+0123456789") if found else ""
