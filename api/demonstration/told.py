"""What the demonstration's inspectors found, and how they filled in the hall's checklist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """A finding: in which visit, under which rule, and what became of it.

    `fate`: waiting, confirmed, reversed; reduced (the unit objected), objected (it has, and waits), overdue (it was to
    be put right long ago).
    """

    visit: int
    rule: str
    points: str | None
    description: str
    fate: str


FINDINGS = (
    Told(0, "overdue_matter", "4", "抽查 5 件已办结事项，2 件超过承诺时限，最长超 6 个工作日。", "reduced"),
    Told(2, "unattended_window", None, "2 号窗口无人值守约 15 分钟，没有暂停服务的提示。", "confirmed"),
    Told(6, "late_or_early", None, "应到 5 人，实到 3 人，没有外出登记。", "overdue"),
    Told(9, "no_duty_roster", None, "大厅未见值班安排公示。", "reversed"),
    Told(13, "no_one_time_notice", None, "首次咨询未告知须带户口簿，群众往返两次。", "waiting"),
    Told(16, "unattended_window", None, "1 号、3 号窗口无人值守，等候群众 8 人。", "objected"),
    Told(17, "late_or_early", None, "两名工作人员迟到，没有请假记录。", "waiting"),
)

ANSWERS = {
    "open": "yes", "windows": "4", "staffed": "4", "wait": "6", "due": "6", "present": "6", "private": "no",
    "displayed": "roster fees guide phone hours book", "extra": "no", "told": "yes", "files": "5", "overdue": "0",
    "phone": "0592-0000000", "phone_answered": "yes", "manner_seen": "good", "complaints": "2", "replied": "2",
}  # fmt: skip
"""A hall in which all is well."""

SEEN = {
    "staffed": "3", "empty_which": "2 号窗口，等了 15 分钟", "wait": "18", "present": "5", "leave": "leave",
    "explained": "yes", "explanation": "值班人员临时送文件，未安排顶岗。",
}  # fmt: skip
"""What is otherwise where a window was unattended."""
