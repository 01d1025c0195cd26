"""`mingcha ballots`: the sealed boxes leave for the count, and the answers come back."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from api.actions import ballots, count
from api.commands.database import opened_database
from api.commands.serve import data_option
from survey_forms.ballot.files import read_answers_file

survey_option = click.option(
    "--survey", "survey_id", type=click.IntRange(1, 2**31 - 1), required=True, help="评议编号。"
)


@click.group("ballots")
def ballots_group() -> None:
    """密封票箱：关闭、导出、载入计票结果。 Sealed ballots: close, export, load the result."""


@ballots_group.command("close")
@survey_option
@data_option
def close(survey_id: int, data: Path) -> None:
    """关闭已截止评议的票箱并公布根。 Close the ballot of a survey that has ended, and publish its roots."""
    with opened_database(data) as database, database.write() as connection:
        ballots.close_ballot(connection, survey_id, None, datetime.now(UTC))
        closed = ballots.closing_of(connection, survey_id)
    click.echo(f"密封票 boxes           {closed.boxes}")
    click.echo(f"回执根 receipt root    {closed.merkle_root}")
    click.echo(f"票箱根 root of boxes   {closed.box_root}")


@ballots_group.command("export")
@survey_option
@data_option
def export(survey_id: int, data: Path) -> None:
    """把密封票写到标准输出，不带回执。 Write the boxes to standard output, without receipts."""
    out = sys.stdout.buffer
    with opened_database(data) as database, database.read() as connection:
        out.writelines(ballots.export(connection, survey_id))
    out.flush()


@ballots_group.command("load")
@click.argument("answers", metavar="ANSWERS.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@survey_option
@click.option("--digest", required=True, help="计票现场公布的结果摘要。 The digest announced at the count.")
@data_option
def load(answers: Path, survey_id: int, digest: str, data: Path) -> None:
    """载入计票结果，只能载入一次。 Load the result of the count, once."""
    with answers.open("rb") as lines:
        result = read_answers_file(lines)
    with opened_database(data) as database, database.write() as connection:
        is_new = count.load(connection, survey_id, result, digest, None, datetime.now(UTC))
    words = "已载入 / loaded" if is_new else "以前已载入，没有变化 / loaded before, nothing changed"
    click.echo(f"{words}: {len(result.answers)}")
