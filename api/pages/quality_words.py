"""What flags and verdicts are called, and their figures in words."""

from collections.abc import Mapping
from typing import Any

from api.pages.render import t
from api.pages.ui import points, when

FLAG_NAMES: dict[str, tuple[str, str]] = {
    "no_duration": ("没有时长", "No duration"),
    "speeding": ("过快", "Too short"),
    "overlap": ("同时两个访问", "Two interviews at a time"),
    "outside_hours": ("规定时间以外", "Outside the hours"),
    "crowded": ("一分钟内次数过多", "Too many within a minute"),
    "far_away": ("离地址太远", "Far from the address"),
    "contact_rate": ("联系率与他人不同", "Contact rate unlike the others'"),
    "cooperation": ("合作率与他人不同", "Cooperation unlike the others'"),
    "length": ("时长与他人不同", "Length unlike the others'"),
    "straight_lining": ("一律同答", "Straight-lining"),
    "duplicate": ("与别的答卷雷同", "Copy of another answer"),
    "mean_score": ("平均分与他人不同", "Mean score unlike the others'"),
    "unknown_share": ("“不了解”比例与他人不同", "Share of “don't know” unlike the others'"),
}
VERDICTS: dict[str, tuple[str, str]] = {
    "confirmed": ("属实", "Confirmed"),
    "doubtful": ("存疑", "Doubtful"),
    "false": ("不实", "False"),
    "not_reached": ("未联系上", "Not reached"),
    "open": ("待定", "Open"),
}
_FACTS: dict[str, tuple[str, str]] = {
    "case": ("案号", "case"),
    "mode": ("方式", "mode"),
    "interviewer": ("访问员", "interviewer"),
    "began_at": ("开始", "began"),
    "seconds": ("秒", "seconds"),
    "median": ("该方式中位数（秒）", "median of the mode (s)"),
    "other": ("另一次联系", "other attempt"),
    "metres": ("距离（米）", "metres"),
    "accuracy": ("定位精度（米）", "accuracy (m)"),
    "within_a_minute": ("一分钟内", "within a minute"),
    "items": ("题数", "items"),
    "alike": ("相同答卷", "alike"),
    "flat": ("一律同答", "flat"),
    "of": ("共", "of"),
    "mean": ("本人", "own"),
    "others": ("其他人", "others"),
    "z": ("z", "z"),
    "p": ("p（Holm）", "p (Holm)"),
}
_MODES = {"web": ("网络", "web"), "phone": ("电话", "telephone"), "visit": ("入户", "visit")}


def verdict_name(verdict: str) -> str:
    """A verdict in the reader's language."""
    return t(*VERDICTS[verdict])


def z_words(z: float) -> str:
    """A z with its sign and one decimal."""
    return f"{z:+.1f}".replace("-", "\N{MINUS SIGN}")


def fact_words(facts: Mapping[str, Any], names: Mapping[int, str]) -> list[tuple[str, str]]:
    """A flag's figures: what each is called, and how it is read."""
    known = [(key, facts[key]) for key in _FACTS if facts.get(key) is not None]
    return [(t(*_FACTS[key]), _value(key, value, names)) for key, value in known]


def _value(key: str, value: Any, names: Mapping[int, str]) -> str:
    if key == "began_at":
        return when(value)
    if key == "interviewer":
        return names.get(value, str(value))
    if key == "mode":
        return t(*_MODES[value])
    if key in {"z", "p"}:
        return z_words(value) if key == "z" else f"{value:.2g}"
    if key in {"seconds", "median", "accuracy"}:
        return points(value, 0)
    return points(value, 2) if isinstance(value, float) else str(value)
