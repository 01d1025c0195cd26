"""`mingcha inspections`: repeat a published double-random draw from its record alone."""

import click

from api.commands.score import read_input
from survey_forms.inspection.double_random_record import first_difference
from survey_forms.scoring.exchange import parse_document
from survey_forms.scoring.intake import printable

LARGEST_RECORD = 64 * 1024 * 1024


@click.group("inspections", help="检查：复核已公布的双随机抽查。Inspections: repeat a published double-random draw.")
def inspections_group() -> None:
    """The verbs about inspections."""


@inspections_group.command("verify")
@click.argument("record_file", metavar="RECORD.json")
@click.option("--hash", "shown", default="", help="抽取当时公布的记录指纹。The record's hash as shown at the draw.")
@click.pass_context
def verify(context: click.Context, record_file: str, shown: str) -> None:
    """只凭公布的记录，重算一遍抽查。Repeat a draw from its record alone.

    Exit status: 0 it comes out again, 1 it does not (the first difference is named), 2 it is no record.
    """
    document = parse_document(read_input(record_file), printable(record_file))
    found = first_difference(document)
    if found is None and shown and shown.strip().lower() != document["record_sha256"]:
        click.echo(f"不符 differs: --hash\n  当时公布 shown:    {shown}\n  记录 record: {document['record_sha256']}")
        context.exit(1)
    if found is not None:
        click.echo(f"不符 differs: {found.place}\n  记录 record:   {found.says}\n  重算 repeated: {found.repeated}")
        context.exit(1)
    sent, left = len(document["assignments"]), len(document["infeasible"])
    click.echo(
        f"一致：{sent} 组派出，{left} 处无人可派，{len(document['changes'])} 次变更。\n"
        f"It comes out again: {sent} crews, {left} sites without one, {len(document['changes'])} changes.\n"
        f"record {document['record_sha256']}"
    )
