"""Eight schemes worked out by an examiner, from the specification's words alone and without the product's code.

In fractions, one function a scheme, as plainly as the words allow; the product must agree in every field. Each takes
a document of the exchange format and gives the units of its output.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

Document = Mapping[str, Any]
Unit = dict[str, Any]
Parts = dict[str, Fraction]


def plain(value: Fraction) -> str:
    """The exact decimal, without trailing zeros."""
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(abs(value.numerator * 10**places // value.denominator)).zfill(places + 1)
    text = f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else digits
    return f"-{text}" if value < 0 else text


def two_places(value: Fraction) -> Fraction:
    """四舍五入, away from zero."""
    rounded = Fraction(floor(abs(value) * 100 + Fraction(1, 2)), 100)
    return -rounded if value < 0 else rounded


def printed(value: Fraction) -> str:
    """With its two decimals."""
    cents = abs(int(value * 100))
    return f"{'-' if value < 0 else ''}{cents // 100}.{cents % 100:02}"


def split(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Largest remainder; equal remainders to the earlier."""
    exact = [total * share / sum(shares) for share in shares]
    counts = [floor(one) for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: (counts[place] - exact[place], place))
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return counts


def at_place(rank: int, counts: Iterable[int], names: Iterable[str]) -> str:
    """Whose places, counted from the top, the rank is among."""
    filled = 0
    for count, name in zip(counts, names, strict=True):
        filled += count
        if rank <= filled:
            return name
    raise AssertionError(rank)


def against(unit: Unit, component: str) -> Fraction:
    """The points that stand against a component of the unit."""
    lines = unit.get("deductions", [])
    gone = {line["reverses"] for line in lines if "reverses" in line}
    return sum(
        (
            Fraction(line["points"])
            for line in lines
            if "points" in line and line["id"] not in gone and line.get("to", "inspection") == component
        ),
        Fraction(0),
    )


def weighted(scores: Mapping[str, str], shares: Mapping[str, Any]) -> Fraction:
    """Scores by shares of 100."""
    return sum((Fraction(scores[key]) * Fraction(share) for key, share in shares.items()), Fraction(0)) / 100


def placed(units: Sequence[Unit], parts: Sequence[Parts], group: Callable[[str], str] | None = None) -> list[Unit]:
    """The units with composite, parts and ranks; `_figure` and `_group` are ours."""
    out: list[Unit] = []
    for unit, own in zip(units, parts, strict=True):
        figure = two_places(sum(own.values(), Fraction(0)))
        shown = {key: plain(part) for key, part in own.items()}
        out.append({"id": unit["id"], "_figure": figure, "composite": printed(figure), "parts": shown})
        out[-1] |= {"cut_by_cap": "0", "consequences": {}, "_group": group(unit["class"]) if group else ""}
    for one in out:
        one["rank"] = 1 + sum(other["_figure"] > one["_figure"] for other in out)
        if group:
            better = (other for other in out if other["_group"] == one["_group"])
            one["rank_in_class"] = 1 + sum(other["_figure"] > one["_figure"] for other in better)
    return out


def reached(figure: Fraction, bands: Iterable[tuple[str, Any]]) -> str | None:
    """The best band whose lowest score is reached; one from nought is open below."""
    return next((name for name, lowest in bands if figure >= Fraction(lowest) or not Fraction(lowest)), None)


def with_supplied_grades(out: list[Unit], supplied: Mapping[str, Any]) -> list[Unit]:
    """Grades where the document has none."""
    for one in out:
        one["grade"] = reached(one["_figure"], supplied.get("grades", []))
        if one["grade"] is None:
            one["grade_missing"] = "grades"
    return out


def xiamen(document: Document) -> list[Unit]:
    supplied, units = document["supplied"], document["units"]
    parts = [
        {
            "indicator": Fraction(6, 10)
            * (
                Fraction(6, 10) * Fraction(unit["scores"]["indicator"]["differential"])
                + Fraction(4, 10) * max(1000 - against(unit, "indicator.common"), Fraction(0))
            ),
            "public_review": Fraction(4, 10)
            * weighted(unit["scores"]["public_review"], supplied["public_review.shares"]),
            "inspection": -against(unit, "inspection"),
        }
        for unit in units
    ]
    base = Fraction(supplied["outstanding_base"])
    kept = {"admonition": "2/3", "circulated_criticism": "1/3", "efficiency_warning": "0", None: "1"}
    out = placed(units, parts)
    for unit, one in zip(units, out, strict=True):
        grade = reached(one["_figure"], [("优秀", 900), ("良好", 760), ("一般", 600), ("差", 0)])
        one["grade"] = "良好" if grade == "优秀" and unit.get("binding") else grade
        good = one["grade"] in {"优秀", "良好"}
        one["consequences"] = {
            "award": good,
            "honours": good,
            "rectification_report": not good,
            "outstanding_share": plain(min(base + 5, Fraction(20)) if one["grade"] == "优秀" else base),
            "persons": [{"id": who["id"], "award_fraction": kept[who["sanction"]]} for who in unit.get("persons", [])],
        }
    return out


def bailian(document: Document) -> list[Unit]:
    shares, units = document["supplied"]["public_review.shares"], document["units"]
    parts = [
        {
            "indicator": Fraction(8, 10) * Fraction(unit["scores"]["indicator"]),
            "public_review": Fraction(2, 10) * weighted(unit["scores"]["public_review"], shares),
            "inspection": -min(against(unit, "inspection"), Fraction(3)),
        }
        for unit in units
    ]
    out = placed(units, parts)
    for unit, one in zip(units, out, strict=True):
        one["cut_by_cap"] = plain(max(against(unit, "inspection") - 3, Fraction(0)))
        one["grade"] = reached(one["_figure"], [("优", 90), ("良好", 85), ("一般", 75), ("差", 0)])
        one["consequences"] = {"honours": not unit.get("binding")}
    return out


def yanghe(document: Document) -> list[Unit]:
    supplied, units = document["supplied"], document["units"]
    parts = []
    for unit in units:
        own = {"quantitative": Fraction(0), "social": Fraction(0)}
        for item, weight in supplied["weights"].items():
            part, key = item.split(".")
            own[part] += Fraction(unit["scores"][part][key]) * Fraction(weight) / 100
        parts.append(own)
    return with_supplied_grades(placed(units, parts), supplied)


def water_bureau(document: Document) -> list[Unit]:
    supplied, units = document["supplied"], document["units"]
    parts = []
    for unit in units:
        indicator = unit["scores"]["indicator"]
        business = {
            key: str(
                (90 * Fraction(one["completion"]) + 5 * Fraction(one["progress"]) + 5 * Fraction(one["innovation"]))
                / 100
            )
            for key, one in indicator["business"].items()
        }
        own = {
            "indicator": Fraction(6, 10) * weighted(business, supplied["indicator.business.weights"])
            + Fraction(4, 10) * weighted(indicator["capacity"], supplied["indicator.capacity.weights"]),
            "public_review": weighted(unit["scores"]["public_review"], supplied["public_review.shares"]),
        }
        own = {key: value * Fraction(supplied["weights"][key]) / 100 for key, value in own.items()}
        parts.append(own | {"inspection": -against(unit, "inspection")})
    return with_supplied_grades(placed(units, parts), supplied)


def hami_transport(document: Document) -> list[Unit]:
    units = document["units"]
    parts = [
        {
            "results": Fraction(6, 10) * Fraction(unit["scores"]["results"]),
            "efficiency": Fraction(4, 10)
            * max(100 - Fraction(1, 2) * sum(not one["excused"] for one in unit.get("absences", [])), Fraction(0)),
        }
        for unit in units
    ]
    out = placed(units, parts)
    for unit, one in zip(units, out, strict=True):
        spells = [Fraction(spell["days"]) for spell in unit.get("leave", []) if spell["kind"] in {"personal", "sick"}]
        one["grade"] = reached(one["_figure"], [("优秀", 95), ("合格", 75), ("不合格", 0)])
        failed = one["grade"] == "不合格"
        long_leave = max(spells, default=Fraction(0)) > 15 or sum(spells) > 30
        one["consequences"] = {"honours": not (failed or long_leave), "criticised": failed}
    return out


def fangshan(document: Document) -> list[Unit]:
    supplied, units = document["supplied"], document["units"]
    weights = {
        "department": {"key": 75, "functions": 15, "common": 10},
        "department_without_key_work": {"functions": 90, "common": 10},
        "township": {"key": 80, "differential": 10, "common": 10},
    }
    parts = []
    for unit in units:
        daily = weighted(unit["scores"]["daily"], supplied.get(f"weights.{unit['id']}", weights[unit["class"]]))
        daily += sum(Fraction(bonus["points"]) for bonus in unit.get("bonuses", [])) - against(unit, "daily")
        review = weighted(unit["scores"]["report_review"], supplied["report_review.shares"])
        parts.append({"daily": Fraction(8, 10) * daily, "report_review": Fraction(2, 10) * review})
    out = placed(units, parts, lambda unit_class: unit_class.removesuffix("_without_key_work"))
    return with_supplied_grades(out, supplied)


def suqian(document: Document) -> list[Unit]:
    supplied, units = document["supplied"], document["units"]
    half = Fraction(supplied["half_year_share"]) / 100
    parts = [
        {
            "half_year": half * Fraction(unit["scores"]["half_year"]),
            "year_end": (1 - half) * weighted(unit["scores"]["year_end"], supplied["year_end.weights"]),
        }
        for unit in units
    ]
    out = placed(units, parts, str)
    last_year = max((line["year"] for unit in units for line in unit.get("history", [])), default=0)
    for unit, one in zip(units, out, strict=True):
        one["grade"] = None
        if "bands" in supplied:
            top, bottom = (Fraction(supplied["bands"][name]) for name in ("先进", "诫勉"))
            counts = split(sum(other["_group"] == one["_group"] for other in out), [top, 100 - top - bottom, bottom])
            one["grade"] = at_place(one["rank_in_class"], counts, ["先进", "达标", "诫勉"])
        else:
            one["grade_missing"] = "bands"
        talk = one["rank"] > len(units) - 3
        behind = {line["year"] for line in unit.get("history", []) if line["last_three"]}
        one["consequences"] = {
            "outstanding_share": {"先进": "18", "达标": "15", "诫勉": "12", None: None}[one["grade"]],
            "admonition_talk": talk,
            "replacement_proposed": talk and {last_year, last_year - 1} <= behind,
        }
    return out


def jinfeng(document: Document) -> list[Unit]:
    supplied, units = document["supplied"], document["units"]
    parts = []
    for unit in units:
        nought = {supplied["binding_indicators"][condition] for condition in unit.get("binding", [])}
        quarters = {
            quarter: str(weighted(dict(scores) | dict.fromkeys(nought, "0"), supplied["indicator_weights"]))
            for quarter, scores in unit["scores"]["quarters"].items()
        }
        parts.append({"quarters": weighted(quarters, supplied["quarter_shares"])})
    out = with_supplied_grades(placed(units, parts, str), supplied)
    names = [name for name, _ in supplied.get("grades", [])]
    prizes = split(sum(unit["class"] == "town" for unit in units), [Fraction(3), Fraction(5), Fraction(2)])
    for unit, one in zip(units, out, strict=True):
        unmet = bool(unit.get("binding"))
        if unmet and one["grade"] is not None:
            one["grade"] = names[min(names.index(one["grade"]) + 1, len(names) - 1)]
        if unit["class"] == "town":
            one["prize"] = at_place(one["rank_in_class"], prizes, ["一等奖", "二等奖", "三等奖"])
        one["consequences"] = {"grade_lowered": unmet, "honours": not unmet}
    return out


BY_HAND: dict[str, Callable[[Document], list[Unit]]] = {
    "xiamen-wf-2015": xiamen,
    "bailian": bailian,
    "yanghe": yanghe,
    "water-bureau": water_bureau,
    "hami-transport": hami_transport,
    "fangshan-2017": fangshan,
    "suqian": suqian,
    "jinfeng": jinfeng,
}
