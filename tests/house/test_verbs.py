"""The command line names its verbs instead of importing them; each must be there, under its own name."""

import subprocess
import sys

import click
import pytest

from api.cli import group
from api.commands import VERBS

HEAVY = {"flask", "sqlalchemy", "pyxform", "openpyxl", "redis", "rq", "PIL"}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_loads_and_explains_itself(name):
    context = click.Context(group)
    verb = group.get_command(context, name)
    assert verb is not None
    assert verb.name == name
    assert verb.get_short_help_str()


def test_a_stranger_is_no_verb():
    assert group.get_command(click.Context(group), "no-such-verb") is None


def test_scoring_a_file_loads_neither_web_nor_database():
    program = (
        "import sys; from api.cli import group; import click; group.get_command(click.Context(group), 'score'); "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
