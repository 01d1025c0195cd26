"""`mingcha score`: composites from one file, with no database."""

import sys
from pathlib import Path

import click
import orjson

from survey_forms.refusal import Refused
from survey_forms.scoring.compute import score
from survey_forms.scoring.exchange import parse_document

STANDARD_INPUT = "-"


@click.command("score")
@click.argument("input_file", metavar="INPUT.json")
@click.option("--trace", is_flag=True, help="逐步列出每个单位的计算过程。 Give each unit the lines of its arithmetic.")
def score_command(input_file: str, *, trace: bool) -> None:
    """按考评方案计算综合得分,输出 JSON。 Compute composites from a file (`-`: standard input) and print JSON."""
    document = parse_document(read_input(input_file), input_file)
    click.echo(orjson.dumps(score(document, trace=trace), option=orjson.OPT_INDENT_2))


def read_input(name: str) -> bytes:
    """The bytes of a file, or of standard input for "-".

    Raises:
        Refused: there is no such file, or it cannot be read.
    """
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except FileNotFoundError as error:
        raise Refused("input_missing", name) from error
    except (OSError, ValueError) as error:
        raise Refused("input_unreadable", name, why=getattr(error, "strerror", None) or str(error)) from error
