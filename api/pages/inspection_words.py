"""How inspections are told on pages: classes, flags and verdicts as words, with the tone they are shown in."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint

from api.pages.render import language, t
from api.problems import say
from api.store.sites import Site
from survey_forms.inspection.presence import FENCE_SENTENCES, SENTENCES, Presence
from survey_forms.refusal import Fault

PRESENCE = {
    "certain": ("good", "确在现场", "At the site"),
    "likely": ("good", "很可能在现场", "Probably at the site"),
    "unclear": ("warn", "位置不明", "Position unclear"),
    "outside": ("bad", "在范围外", "Outside the site"),
}
VERDICTS = {
    "pending": ("info", "处理中", "Being prepared"),
    "clean": ("good", "已收存", "Kept"),
    "refused": ("bad", "不可用", "Not usable"),
}
STATUSES = {
    "filed": ("info", "待核定", "Waiting for a decision"),
    "confirmed": ("good", "已认定", "Confirmed"),
    "rejected": ("warn", "未认定", "Rejected"),
    "asked": ("info", "冲销待核定", "Reversal asked for"),
    "granted": ("good", "同意冲销", "Reversal granted"),
    "declined": ("warn", "不予冲销", "Reversal declined"),
}


def tone(table: dict[str, tuple[str, str, str]], key: str) -> str:
    """The tone of a state."""
    return table[key][0]


def name(table: dict[str, tuple[str, str, str]], key: str) -> str:
    """A state's name in the reader's language."""
    return t(*table[key][1:])


def presence_sentence(seen: Any, site: Site) -> str:
    """What the check-in's class means, with its numbers; `seen` is a check-in or a judgement."""
    distance = "—" if seen.distance_m is None else round(seen.distance_m)
    codes = FENCE_SENTENCES if site.fence else SENTENCES
    return said(codes[Presence(seen.presence)], distance_m=distance, radius_m=site.radius_m)


def said(code: str, **facts: object) -> str:
    """The sentence behind a code: a flag, a class, a refusal."""
    return say(Fault(code, "", facts), language())


def size_words(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / 1_048_576:.1f} MB" if size >= 1_048_576 else f"{max(1, round(size / 1024))} kB"


def told(faults: Iterable[Fault]) -> list[tuple[str, str]]:
    """Faults as an error summary takes them: (the field's id, the sentence)."""
    return [(fault.path, say(fault, language())) for fault in faults]


def init_pages(pages: Blueprint) -> None:
    """Give a blueprint's templates these words."""

    @pages.context_processor
    def words() -> dict[str, Any]:
        return {
            "PRESENCE": PRESENCE,
            "VERDICTS": VERDICTS,
            "STATUSES": STATUSES,
            "state_tone": tone,
            "state_name": name,
            "presence_sentence": presence_sentence,
            "said": said,
            "size_words": size_words,
        }
