"""Every join says on what. Left to guess, SQLAlchemy once joined a visit to some assignment of the same inspector."""

import ast
from pathlib import Path

from tests.house.source import files, tree


def test_every_join_of_tables_names_its_condition():
    guessed = [
        f"{path}:{node.lineno}"
        for path in files()
        if path.is_relative_to(Path("api/store"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"join", "outerjoin"}
        and not isinstance(node.func.value, ast.Constant)
        and len(node.args) + len(node.keywords) < 2
    ]
    assert guessed == []
