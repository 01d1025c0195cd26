"""`mingcha estimate`: survey estimates with their errors from CSV files, with no database."""

import sys
from pathlib import Path, PurePath

import click
import orjson

from api.commands.score import print_data, read_input
from api.problems import LANGUAGES, say
from survey_forms.estimation.spec.run import answer
from survey_forms.scoring.exchange import parse_document
from survey_forms.scoring.intake import printable


@click.command("estimate")
@click.argument("spec_file", metavar="SPEC.json")
def estimate_command(spec_file: str) -> None:
    """按抽样设计计算估计值与标准误，输出 JSON。 Compute survey estimates from a SPEC (`-`: standard input); print JSON.

    文件名相对于 SPEC 所在目录。能算的都算出来；有一项算不了，退出码就是 2。 File names are relative to the SPEC's
    folder. What can be answered is; one refused entry makes the exit status 2.
    """
    spec = parse_document(read_input(spec_file), printable(spec_file))
    folder = Path() if spec_file == "-" else Path(spec_file).parent
    result, faults = answer(spec, lambda name: read_input(str(PurePath(folder, name))))
    if result is not None:
        print_data(orjson.dumps(result, option=orjson.OPT_INDENT_2))
    for fault in faults:
        for language in LANGUAGES:
            click.echo(say(fault, language), err=True)
    if faults:
        sys.exit(2)
