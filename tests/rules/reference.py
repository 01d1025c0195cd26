"""R's answers (`../shared/reference`), where they lie beside the repository; tests that need them say so and skip."""

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "reference"


@cache
def _entries() -> dict[str, Any]:
    text = (FOLDER / "expected_public.json").read_text(encoding="utf-8")
    return {entry["id"]: entry for entry in json.loads(text)["entries"]}


def expected(entry_id: str) -> dict[str, Any]:
    """The entry with this id: `args`, `result`, tolerances."""
    if not FOLDER.is_dir():
        pytest.skip(f"R's reference answers are not at {FOLDER}")
    entry: dict[str, Any] = _entries()[entry_id]
    return entry


def rows(name: str) -> list[dict[str, str]]:
    """A reference data set; empty text is a missing value."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def agrees(entry: dict[str, Any], got: float, want: float) -> bool:
    """Within the entry's own tolerance."""
    return abs(got - want) <= entry["tolerance_abs"] + entry["tolerance_rel"] * abs(want)
