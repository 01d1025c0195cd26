"""Checking one submission, against an orjson round trip of the same answers in the same run.

    .venv/bin/python -m tests.bench.bench_forms [--times 4000]

Prints the median microseconds of each, their ratio, and the budget (500 µs for a form of twelve questions).
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import orjson

from survey_forms.forms.answers import ratings, read_answers
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
    """The median over slices of the time of one call; slices so that a busy neighbour spoils one of them only."""
    each = max(1, times // SLICES)
    slices = []
    for _ in range(SLICES):
        start = time.perf_counter()
        for _ in range(each):
            act()
        slices.append((time.perf_counter() - start) / each * 1e6)
    return statistics.median(slices)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=4_000)
    times = parser.parse_args().times
    xform = convert_workbook((BOOKS / "residents.xlsx").read_bytes()).xform
    form, raw = compile_form(xform), a_submission()
    answers = read_answers(form, raw, TODAY)
    round_trip = median_us(lambda: orjson.loads(orjson.dumps(answers.as_json())), times)
    check = median_us(lambda: read_answers(form, raw, TODAY), times)
    rated = median_us(lambda: ratings(form, answers), times)
    compiled = median_us(lambda: compile_form(xform), SLICES)
    print(f"check a submission      {check:8.1f} µs   budget {BUDGET_US} µs, used {check / BUDGET_US:.0%}")
    print(f"its ratings             {rated:8.1f} µs")
    print(f"orjson round trip       {round_trip:8.1f} µs   check / round trip = {check / round_trip:.1f}")
    print(f"compile the form, once  {compiled:8.1f} µs")
    sys.exit(check > BUDGET_US)


if __name__ == "__main__":
    main()
