"""RQ is a doorbell: only the dispatcher rings it, and nothing else may lean on the queue."""

import ast
from pathlib import Path

from tests.house.source import files, tree

DISPATCHER = Path("worker/dispatch.py")


def test_only_the_dispatcher_enqueues():
    ringing = {
        path
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr.startswith("enqueue")
    }
    assert ringing == {DISPATCHER}
