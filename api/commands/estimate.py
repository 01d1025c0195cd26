"""`mingcha estimate`: survey estimates with their errors from CSV files, with no database."""

from pathlib import Path, PurePath

import click
import orjson

from api.commands.score import print_data, read_input
from survey_forms.estimation.spec.run import answer
from survey_forms.refusal import Refused
from survey_forms.scoring.exchange import parse_document
from survey_forms.scoring.intake import printable


@click.command("estimate")
@click.argument("spec_file", metavar="SPEC.json")
def estimate_command(spec_file: str) -> None:
    """按抽样设计计算估计值与标准误，输出 JSON。 Compute survey estimates from a SPEC (`-`: standard input); print JSON.

    文件名先按 SPEC 所在目录、再按当前目录查找。能算的都算出来；有一项算不了，退出码就是 2。 Files are looked for in
    the SPEC's folder, then in the current one. What can be answered is; one refused entry makes the exit status 2.
    """
    spec = parse_document(read_input(spec_file), printable(spec_file))
    folder = Path() if spec_file == "-" else Path(spec_file).parent
    result, faults = answer(spec, lambda name: read_input(_found(folder, name)))
    if result is not None:
        print_data(orjson.dumps(result, option=orjson.OPT_INDENT_2))
    if faults:
        raise Refused.of(faults)


def _found(folder: Path, name: str) -> str:
    """The path of a file that a SPEC in `folder` names."""
    beside = str(PurePath(folder, name))
    return name if not Path(beside).exists() and Path(name).is_file() else beside
