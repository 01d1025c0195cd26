"""Every act that is recorded has a name on the office's audit page."""

import ast
import re

from tests.house.source import ROOT, files, strings, tree

PAGE = ROOT / "api/pages/templates/office/audit.html"
FACTS = ROOT / "api/pages/templates/office/audit_facts.html"
HANDED_ON = {"api/actions/quotas.py"}
"""Files in which a function hands an act on that its callers name."""


def named() -> set[str]:
    return set(re.findall(r"'([a-z_]+)': t\(", PAGE.read_text(encoding="utf-8")))


def recorded() -> list[tuple[str, ast.expr]]:
    """The act of every `record_act`, with its file."""
    return [
        (str(path), node.args[1])
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "record_act"
        and len(node.args) > 1
    ]


def test_every_act_has_a_name():
    known, nameless = named(), []
    assert recorded()
    for path, act in recorded():
        if isinstance(act, ast.Constant):
            found = act.value in known
        elif isinstance(act, ast.JoinedStr) and isinstance(act.values[0], ast.Constant):
            found = any(name.startswith(act.values[0].value) for name in known)
        else:
            found = path in HANDED_ON
        if not found:
            nameless.append(f"{path}: {ast.unparse(act)}")
    assert not nameless


def test_every_name_is_one_of_an_act():
    beginnings = [
        act.values[0].value
        for _, act in recorded()
        if isinstance(act, ast.JoinedStr) and isinstance(act.values[0], ast.Constant)
    ]
    assert not {name for name in named() - strings() if not name.startswith(tuple(beginnings))}


def test_every_fact_of_an_act_has_a_name():
    named_facts = set(re.findall(r"'([a-z0-9_]+)': t\(", FACTS.read_text(encoding="utf-8")))
    nameless = [
        f"{path}: {keyword.arg}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "record_act"
        for keyword in node.keywords
        if keyword.arg not in {None, "staff_id"} | named_facts
    ]
    assert not nameless
