"""Every refusal has a Chinese and an English sentence, and no sentence waits for a refusal that nobody raises."""

import ast
import string

from api.problems import sentences
from tests.house.source import files, strings, tree

RAISERS = {"Refused", "Fault"}


def raised() -> dict[str, str]:
    """Refusal code → where it is raised, for codes written out at the call."""
    found = {}
    for path in files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in RAISERS and isinstance(node.args[0].value, str):
                    found[node.args[0].value] = f"{path}:{node.lineno}"
    return found


def test_every_refusal_has_its_sentences():
    assert {code: place for code, place in raised().items() if code not in sentences()} == {}


def test_no_sentence_is_left_over():
    assert sorted(set(sentences()) - strings()) == []


def test_both_sentences_name_the_same_facts_and_end_like_sentences():
    def blanks(text: str) -> set[str]:
        return {name.split(".")[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    refusals = raised()
    for code, sentence in sentences().items():
        assert blanks(sentence.zh) == blanks(sentence.en), code
        assert sentence.zh.rstrip()[-1] in "。?!:}）)", code
        # A flag is told beside a figure (200); a refusal never is.
        assert 400 <= sentence.status < 600 or (sentence.status == 200 and code not in refusals), code
