"""`mingcha score`: composites from one file, with no database."""

import errno
import os
import sys
from pathlib import Path

import click
import orjson

from survey_forms.refusal import Refused
from survey_forms.scoring.compute import score
from survey_forms.scoring.exchange import parse_document
from survey_forms.scoring.intake import printable

STANDARD_INPUT = "-"


@click.command("score")
@click.argument("input_file", metavar="INPUT.json")
@click.option("--trace", is_flag=True, help="逐步列出每个单位的计算过程。 Give each unit the lines of its arithmetic.")
def score_command(input_file: str, *, trace: bool) -> None:
    """按考评方案计算综合得分，输出 JSON。 Compute composites from a file (`-`: standard input) and print JSON."""
    document = parse_document(read_input(input_file), printable(input_file))
    print_data(orjson.dumps(score(document, trace=trace), option=orjson.OPT_INDENT_2))


def read_input(name: str) -> bytes:
    """The bytes of a file, or of standard input for "-".

    Raises:
        Refused: there is no such file, or it cannot be read.
    """
    shown = printable(name) if name else "''"
    if name == STANDARD_INPUT and sys.stdin is None:  # what Python makes of a standard input that the caller closed
        raise Refused("input_unreadable", shown, why=os.strerror(errno.EBADF))
    try:
        return sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
    except FileNotFoundError as error:
        raise Refused("input_missing", shown) from error
    except (OSError, ValueError) as error:
        raise Refused("input_unreadable", shown, why=getattr(error, "strerror", None) or str(error)) from error


def print_data(data: bytes) -> None:
    """Write to standard output.

    Raises:
        Refused: it takes no more (a full disk, say). A reader that closes its end early is no fault.
    """
    try:
        click.echo(data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Refused("output_unwritable", "stdout", why=error.strerror) from error
