"""One concept, one word (docs/vocabulary.md): the synonyms that would creep in are refused in names."""

import ast
import re

from tests.house.source import files, tree

FORBIDDEN = {
    "journal": "ledger",
    "appeal": "objection",
    "penalty": "deduction",
    "geofence": "site with radius_m",
    "questionnaire_result": "response",
    "respondee": "respondent",
    "checkin": "check_in",
    "photograph": "photo",
    "utils": "a name that says what it holds",
    "helpers": "a name that says what it holds",
}


def names() -> dict[str, str]:
    """Every name that the source gives to something → the file."""
    found = {}
    for path in files():
        found[path.stem] = str(path)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[node.name] = str(path)
            elif isinstance(node, ast.arg):
                found[node.arg] = str(path)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = str(path)
    return found


def test_no_name_uses_a_forbidden_synonym():
    wrong = {
        f"{place}: {name} (say {instead})"
        for name, place in names().items()
        for word, instead in FORBIDDEN.items()
        if re.search(rf"(^|_){word}(s|_|$)", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    }
    assert wrong == set()
