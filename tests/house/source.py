"""What the house tests read: our own Python files, parsed once."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "survey_forms", "worker")


@cache
def files() -> dict[Path, str]:
    """Every Python file of the product by its path below the repository; migrations are written by a machine."""
    found = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {
        path.relative_to(ROOT): path.read_text(encoding="utf-8")
        for path in found
        if "versions" not in path.parts and "__pycache__" not in path.parts
    }


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(files()[path])


@cache
def strings() -> frozenset[str]:
    """Every string literal of the product's source."""
    return frozenset(
        node.value
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
