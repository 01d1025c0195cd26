"""`mingcha scheme list | show | check`: the documents as data."""

import click

from api.commands.score import read_input
from survey_forms.scheme.explain import explain
from survey_forms.scheme.load import load_catalogue, load_scheme, read_scheme, scheme_ids
from survey_forms.scoring.intake import printable


@click.group("scheme")
def scheme_group() -> None:
    """考评方案：列出、显示、检查。 Evaluation schemes: list, show, check."""


@scheme_group.command("list")
def list_schemes() -> None:
    """列出全部方案。 List the schemes."""
    for scheme_id in scheme_ids():
        scheme = load_scheme(scheme_id)
        scored = f"{len(scheme.left_out)} 项待补充" if scheme.left_out else "完整"
        state = scored if scheme.composite else "不计综合得分"
        click.echo(f"{scheme.id}\t{scheme.zh}\t{scheme.en}\t{state}")


@scheme_group.command("show")
@click.argument("scheme_id", metavar="ID")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", help="标签语言。 Language of the labels.")
def show_scheme(scheme_id: str, lang: str) -> None:
    """以 Markdown 显示方案及其条款依据。 Print a scheme as readable Markdown, with its articles."""
    click.echo(explain(load_scheme(scheme_id), load_catalogue(scheme_id), lang).encode())


@scheme_group.command("check")
@click.argument("file", metavar="FILE")
def check_scheme(file: str) -> None:
    """检查方案文件，一次列出全部问题。 Name every fault of a scheme file at once."""
    scheme = read_scheme(read_input(file), printable(file))
    click.echo(f"{file}：没有发现问题({scheme.zh})。 No faults found.")
