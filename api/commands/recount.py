"""`mingcha recount`: add up every answer again and compare with the stored cells, bit for bit."""

import sys
from pathlib import Path

import click
from sqlalchemy import select

from api.actions.tally import Difference, recount
from api.commands.database import opened_database
from api.commands.serve import data_option
from api.store.surveys import survey

MOST_SHOWN = 50


@click.command("recount")
@click.option("--repair", is_flag=True, help="用重新统计的结果替换不一致的单元。 Replace the cells that differ.")
@data_option
def recount_command(data: Path, *, repair: bool) -> None:
    """重新统计全部答卷，与已存的整数单元逐一核对。 Count all answers again and compare with the stored cells.

    Each cell that differs is a line: survey, stratum /
    weighting cell / unit / item, the stored n s1 s2, the recounted n s1 s2. Exit status 1 when one differs, also
    when it was repaired, so that a nightly run is noticed.
    """
    found: list[Difference] = []
    with opened_database(data) as database:
        with database.read() as connection:
            survey_ids = list(connection.execute(select(survey.c.id).order_by(survey.c.id)).scalars())
        for survey_id in survey_ids:
            with database.write() as connection:
                found += recount(connection, survey_id, repair=repair)
    for one in found[:MOST_SHOWN]:
        click.echo(f"{one.survey_id}\t{'/'.join(one.cell)}\t{_numbers(one.kept)}\t{_numbers(one.recounted)}")
    click.echo(_summary(len(survey_ids), len(found), repaired=repair), err=True)
    sys.exit(1 if found else 0)


def _numbers(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers)) or "-"


def _summary(surveys: int, differences: int, *, repaired: bool) -> str:
    if not differences:
        return f"{surveys} 次调查的单元与答卷逐一相符 / the cells of {surveys} surveys agree with their answers"
    zh, en = (",已替换", ", replaced") if repaired else ("", "")
    return f"{differences} 个单元与答卷不符{zh} / {differences} cells differ from their answers{en}"
