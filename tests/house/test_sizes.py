"""A file over 300 lines or a function over 50 carries the reason, as a comment starting `# Size:`."""

import ast

from tests.house.source import ROOT, files, tree

FILE_LINES = 300
FUNCTION_LINES = 50


def test_a_long_file_says_why():
    silent = [
        f"{path}: {text.count(chr(10))} lines"
        for path, text in files().items()
        if text.count("\n") > FILE_LINES and "# Size:" not in "\n".join(text.splitlines()[:40])
    ]
    assert not silent


def test_a_long_function_says_why():
    silent = []
    for path, text in files().items():
        lines = text.splitlines()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                body = "\n".join(lines[node.lineno - 2 : node.end_lineno])
                if length > FUNCTION_LINES and "# Size:" not in body:
                    silent.append(f"{path}:{node.lineno} {node.name}: {length} lines")
    assert not silent


def test_no_package_stands_at_the_top_but_the_four():
    assert {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} == {
        "api",
        "survey_forms",
        "worker",
        "tests",
    }
