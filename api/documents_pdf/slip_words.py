"""What a slip says, in both languages, from its facts alone: the same words on the page and on paper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Words = tuple[str, str]
"""Chinese, English."""

TITLES: Mapping[str, Words] = {
    "deduction": ("扣分告知单", "Notice of deduction"),
    "decision": ("处理决定", "Decision"),
    "rectification": ("整改通知", "Order to rectify"),
    "reminder": ("提醒单", "Reminder"),
    "urging": ("催办单", "Urging"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A slip in words: what it is, its first sentence, its facts, and what the unit can or must do."""

    title: Words
    lead: Words
    rows: tuple[tuple[Words, Words], ...]
    closing: Words


def told(kind: str, about: Mapping[str, Any]) -> Told:
    """The words of a slip of this kind, from its facts as they were kept."""
    lead, own, closing = _KINDS[kind](about)
    rows = [*own, *_entry_rows(about)]
    return Told(TITLES[kind], lead, tuple((name, value) for name, value in rows if value[0]), closing)


def _same(value: object) -> Words:
    return (str(value), str(value))


def day_words(day: str | date) -> Words:
    """A day as each language writes it on paper."""
    read = date.fromisoformat(day) if isinstance(day, str) else day
    return (f"{read.year}年{read.month}月{read.day}日", read.isoformat())


def _entry_rows(about: Mapping[str, Any]) -> list[tuple[Words, Words]]:
    """The deduction that every slip is about."""
    place = [(about[f"site_{name}"], about["address"]) for name in ("zh", "en")] if "site_zh" in about else []
    rows = [
        (("台账序号", "Entry"), _same(f"L{about['seq']}")),
        (("扣分事项", "Rule"), (about["rule_zh"], about["rule_en"])),
        (("扣在哪项", "Taken from"), (about["component_zh"], about["component_en"])),
        (("依据条款", "Article"), _same(about["article"])),
        (("情形", "What was found"), _same(about["basis"])),
        (("扣分", "Points"), (f"{about['points']} 分", str(about["points"]))),
        (("入账日期", "Entered on"), day_words(about["entered_on"])),
    ]
    if place:
        (zh, address), (en, _) = place
        rows.insert(5, (("检查点", "Site"), (f"{zh}（{address}）" if address else zh, f"{en} ({address})")))
        rows.insert(6, (("察访日期", "Seen on"), day_words(about["seen_on"])))
    return rows


_Parts = tuple[Words, list[tuple[Words, Words]], Words]


def _deduction(about: Mapping[str, Any]) -> _Parts:
    points, last, days = about["points"], day_words(about["last_day"]), about["days"]
    lead = (
        f"在“{about['evaluation_zh']}”中，你单位有一项扣分已经核定入账，扣 {points} 分。",
        f"In {about['evaluation_en']} a deduction of {points} points was confirmed and entered.",
    )
    term = f"{days} 日，至{last[0]}24时", f"{days} days, to the end of {last[1]}"
    source = about["terms"]
    rows = [
        (("异议期限", "Term to object"), (f"{term[0]}（{source}）", f"{term[1]} ({source})") if source else term),
    ]
    closing = (
        f"有异议的，可在{last[0]}24时前（自告知次日起 {days} 日内）在系统中提出，写明理由并附材料；逾期不再受理。",
        f"You may object, with grounds and papers, to the end of {last[1]} ({days} days, counted from the next).",
    )
    return lead, rows, closing


def _decision(about: Mapping[str, Any]) -> _Parts:
    entry, points, left = f"L{about['seq']}", about["points"], about["left"]
    by, instead = f"L{about.get('by')}", f"L{about.get('instead')}"
    lead = {
        "upheld": (
            f"你单位对 {entry} 号扣分的异议成立：所扣 {points} 分由 {by} 号台账冲销，不再计分。",
            f"Your objection to {entry} is upheld: its {points} points are reversed by {by} and count no more.",
        ),
        "reduced": (
            f"你单位对 {entry} 号扣分的异议部分成立：原扣 {points} 分由 {by} 号冲销，改扣 {left} 分（{instead} 号）。",
            f"Your objection to {entry} is upheld in part: instead of {points} points ({by}) it is {left} ({instead}).",
        ),
        "dismissed": (
            f"你单位对 {entry} 号扣分的异议不成立，维持扣 {points} 分。",
            f"Your objection to {entry} is dismissed; its {points} points stand.",
        ),
        "reversed": (
            f"{entry} 号扣分（{points} 分）已由 {by} 号台账冲销，不再计分。",
            f"{entry} ({points} points) was reversed by {by} and counts no more.",
        ),
    }[about["verdict"]]
    rows = [
        (("你单位的理由", "Your grounds"), _same(about.get("grounds", ""))),
        (("考核部门说明", "Explanation"), _same(about.get("explanation", ""))),
        (("决定理由", "Reasons"), _same(about["note"])),
    ]
    if about["verdict"] == "reversed":
        return lead, rows, ("原扣分记录保留在台账中，不计入得分。", "The entry stays in the ledger and does not count.")
    return lead, rows, ("本决定为最终决定。", "This decision is final.")


def _rectification(about: Mapping[str, Any]) -> _Parts:
    due = day_words(about["due_on"])
    lead = (
        f"请你单位就 L{about['seq']} 号扣分所反映的问题，在{due[0]}前完成整改。",
        f"Please put right by {due[1]} what entry L{about['seq']} is about.",
    )
    rows = [
        (("整改要求", "Demand"), _same(about["demand"])),
        (("完成期限", "Due"), due),
        (("期限说明", "Why then"), _same(about["reason"])),
    ]
    closing = (
        f"请在{due[0]}24时前在系统中提交整改情况和佐证材料。",
        f"Hand in what was put right, with papers, by the end of {due[1]}.",
    )
    return lead, rows, closing


def _reminder(about: Mapping[str, Any]) -> _Parts:
    due, days = day_words(about["due_on"]), about["days_left"]
    left = (f"还有 {days} 天" if days else "就是今天", f"{days} days are left" if days else "that is today")
    lead = (
        f"你单位的一项整改将于{due[0]}到期，{left[0]}。",
        f"A rectification of yours is due on {due[1]}; {left[1]}.",
    )
    rows = [(("整改要求", "Demand"), _same(about["demand"])), (("完成期限", "Due"), due)]
    closing = (
        "请在当日 24 时前在系统中提交整改情况；已提交的，请忽略本单。",
        "Hand in what was put right before that day ends; if you have, disregard this.",
    )
    return lead, rows, closing


def _urging(about: Mapping[str, Any]) -> _Parts:
    due, days, times = day_words(about["due_on"]), about["days_late"], about["times"]
    lead = (
        f"你单位的一项整改应于{due[0]}完成，已逾期 {days} 天。这是第 {times} 次催办。",
        f"A rectification of yours was due on {due[1]} and is {days} days late. This is urging number {times}.",
    )
    rows = [(("整改要求", "Demand"), _same(about["demand"])), (("完成期限", "Due"), due)]
    closing = (
        "请立即提交整改情况。未提交的，每七天催办一次。",
        "Hand it in at once; every seven days you are urged again.",
    )
    if about["escalated"]:
        closing = (
            "请立即提交整改情况。本事项已催办两次以上，已列入逾期督办。",
            "Hand it in at once. It was urged twice or more and is on the list of overdue matters.",
        )
    return lead, rows, closing


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], _Parts]] = {
    "deduction": _deduction,
    "decision": _decision,
    "rectification": _rectification,
    "reminder": _reminder,
    "urging": _urging,
}
