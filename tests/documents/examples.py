"""The worked examples, a clone's own copy, and documents built from them."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).with_name("worked_examples")
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))


def an_example(name: str) -> dict[str, Any]:
    """`{"input", "expected"}` of one worked example."""
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def an_input(name: str) -> dict[str, Any]:
    """A fresh copy of one worked example's input."""
    return deepcopy(an_example(name)["input"])


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The document with the value at `path` set; steps are parted by `/`, list places are numbers."""
    *above, last = path.split("/")
    inner: Any = document
    for step in above:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    if isinstance(inner, list):
        inner[int(last)] = value
    else:
        inner[last] = value
    return document


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    """The document with the key at `path` taken out."""
    *above, last = path.split("/")
    inner: Any = document
    for step in above:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    del inner[last]
    return document
