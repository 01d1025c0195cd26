"""Checking one submission, against an orjson round trip of the same answers in the same run.

    .venv/bin/python -m tests.bench.bench_forms [--times 4000]

Prints the median microseconds of CPU of each, their ratio, and the budget (500 µs, of a cascade of 3,100 choices too).
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import orjson
from pyxform.xls2xform import convert

from survey_forms.forms.answers import ratings, read_answers, relevant_pages, shown
from survey_forms.forms.compile import compile_form
from survey_forms.forms.workbook import convert_workbook
from tests.rules.books import BOOKS, TODAY

BUDGET_US = 500
SLICES = 40


def a_submission() -> dict[str, str | list[str]]:
    """A resident who used services and was dissatisfied once, so that every page of the form is asked."""
    units = (
        "education",
        "civil_affairs",
        "health",
        "human_resources",
        "public_security",
        "justice",
        "culture",
        "sports",
    )
    return {
        "district": "siming",
        "age_band": "a60",
        "years": "41",
        "used": "yes",
        "units_used": ["health", "justice"],
        "channel": "window",
        "visits": "2",
        **{f"overall_{unit}": "satisfied" for unit in units},
        "overall_health": "dissatisfied",
        "reasons": ["slow", "opaque"],
        "reason_detail": "挂号要排很久的队。",
        "change": "better",
        "suggestion": "多开几个窗口。",
    }


def median_us(act: Callable[[], object], times: int) -> float:
    """The median over slices of one call's CPU time; slices so that a busy neighbour spoils one of them only."""
    each = max(1, times // SLICES)
    slices = []
    for _ in range(SLICES):
        start = time.process_time()
        for _ in range(each):
            act()
        slices.append((time.process_time() - start) / each * 1e6)
    return statistics.median(slices)


def a_large_form() -> tuple[bytes, dict[str, str | list[str]]]:
    """Provinces, cities and districts (3,100 choices) asked once and in each entry of a repeat, with sums over it."""
    places = [("province", f"p{n}", "") for n in range(31)]
    places += [("city", f"p{n}c{m}", f"p{n}") for n in range(31) for m in range(9)]
    places += [("district", f"p{n}c{m}d{k}", f"p{n}c{m}") for n in range(31) for m in range(9) for k in range(10)]
    choices = [{"list_name": one, "name": code, "label": f"地名 {code}", "above": above} for one, code, above in places]
    asked = [("province", ""), ("city", "above = ${province}"), ("district", "above = ${city}")]

    def cascade(prefix: str) -> list[dict[str, str]]:
        return [
            {
                "type": f"select_one {one}",
                "name": f"{prefix}{one}",
                "label": f"{one} ${{name}}",
                "choice_filter": wanted.replace("${", f"${{{prefix}"),
            }
            for one, wanted in asked
        ]

    rows: list[dict[str, str]] = [
        {"type": "text", "name": "name", "label": "name", "required": "yes"},
        *cascade(""),
        {"type": "begin_repeat", "name": "stay", "label": "stay"},
        *cascade("stay_"),
        {"type": "integer", "name": "days", "label": "days", "constraint": ". > 0 and . < 400"},
        {
            "type": "text",
            "name": "why",
            "label": "why",
            "relevant": "${days} > 30",
            "constraint": "regex(., '^.{1,99}$')",
        },
        {"type": "calculate", "name": "share", "calculation": "${days} div sum(../../stay/days)"},
        {"type": "end_repeat", "name": ""},
        {"type": "calculate", "name": "all_days", "calculation": "sum(${days})"},
        {"type": "note", "name": "told", "label": "${all_days}", "relevant": "${all_days} > 3"},
    ]
    sheets = {"survey": rows, "choices": choices, "settings": [{"form_id": "large", "form_title": "large"}]}
    heads = {f"{sheet}_header": [dict.fromkeys(key for row in lines for key in row)] for sheet, lines in sheets.items()}
    raw: dict[str, str | list[str]] = {
        "name": "张三",
        "province": "p3",
        "city": "p3c2",
        "district": "p3c2d1",
        "stay": "4",
    }
    for entry in range(1, 5):
        stay = {"province": f"p{entry}", "city": f"p{entry}c8", "district": f"p{entry}c8d9"}
        raw |= {f"stay.{entry}.stay_{one}": code for one, code in stay.items()}
        raw |= {f"stay.{entry}.days": str(20 * entry), f"stay.{entry}.why": "探亲"}
    return convert({**sheets, **heads}, form_name="data").xform.encode(), raw


def report(name: str, xform: bytes, raw: dict[str, str | list[str]], times: int) -> float:
    """Prints what reading one form costs; gives the time of a check."""
    form = compile_form(xform)
    answers = read_answers(form, raw, TODAY)
    stop = relevant_pages(form, raw, TODAY)[-1]
    check = median_us(lambda: read_answers(form, raw, TODAY), times)
    page = median_us(lambda: shown(form, stop, raw, TODAY, "zh"), times)
    round_trip = median_us(lambda: orjson.loads(orjson.dumps(answers.as_json())), times)
    compiled = median_us(lambda: compile_form(xform), SLICES)
    print(f"{name}: {len(raw)} answers, {len(form.steps)} nodes, XForm of {len(xform) / 1000:.0f} kB")
    print(f"  check a submission      {check:8.1f} µs   budget {BUDGET_US} µs, used {check / BUDGET_US:.0%}")
    print(f"  one page as it is shown {page:8.1f} µs")
    print(f"  its ratings             {median_us(lambda: ratings(form, answers), times):8.1f} µs")
    print(f"  orjson round trip       {round_trip:8.1f} µs   check / round trip = {check / round_trip:.1f}")
    print(f"  compile the form, once  {compiled / 1000:8.1f} ms")
    return check


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=4_000)
    times = parser.parse_args().times
    residents = convert_workbook((BOOKS / "residents.xlsx").read_bytes()).xform
    slowest = max(
        report("residents", residents, a_submission(), times),
        report("a cascade of 3,100 choices, twice, in a repeat of four", *a_large_form(), times),
    )
    sys.exit(slowest > BUDGET_US)


if __name__ == "__main__":
    main()
