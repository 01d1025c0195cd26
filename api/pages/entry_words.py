"""How the life of an entry is told: kinds of visits, steps of a rectification, papers, words of a checklist."""

from typing import Any

from flask import Blueprint

from api.pages.render import t
from survey_forms.forms.model import wording

KINDS = {
    "random": ("双随机抽查", "Double random check"),
    "special": ("专项检查", "Special inspection"),
    "patrol": ("日常巡查", "Daily patrol"),
    "third_party": ("第三方核验", "Third-party inspection"),
    "revisit": ("回头看", "Re-inspection"),
}
STEPS = {
    "ordered": ("下达整改", "Ordered"),
    "proven": ("单位报送整改结果", "Proof handed in"),
    "returned": ("退回补正", "Returned"),
    "extended": ("延期", "Extended"),
    "revisit": ("安排回头看", "Re-inspection arranged"),
    "closed": ("销号", "Closed"),
    "reminded": ("提醒", "Reminded"),
    "urged": ("催办", "Urged"),
    "escalated": ("升级督办", "Escalated"),
}


def kind_name(kind: str) -> str:
    """A kind of visit in the reader's language."""
    return t(*KINDS[kind])


def step_name(kind: str) -> str:
    """A step of a rectification in the reader's language."""
    return t(*STEPS[kind])


def init_pages(pages: Blueprint) -> None:
    """Give a blueprint's templates these words."""

    @pages.context_processor
    def words() -> dict[str, Any]:
        return {"kind_name": kind_name, "step_name": step_name, "in_language": wording}
