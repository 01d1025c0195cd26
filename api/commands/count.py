"""`mingcha count`: open the sealed boxes at the counting table, with two shares and without database or network."""

import os
import secrets
import sys
from pathlib import Path

import click

from api.commands.keys import FILE, read_shares, share_option
from survey_forms.ballot.counting import count_boxes
from survey_forms.ballot.files import Export, Result, read_boxes, write_answers
from survey_forms.ballot.keys import join_shares, key_bytes
from survey_forms.ballot.roots import counts_of
from survey_forms.refusal import Refused


@click.command("count")
@click.argument("export", metavar="EXPORT", type=FILE)
@share_option
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="结果文件。 The result file."
)
@click.option("--root", help="网站上公布的票箱根，用来核对。 The published root of the boxes, to compare.")
def count_command(export: Path, shares: tuple[Path, ...], out: Path, root: str | None) -> None:
    """开箱计票（离线）：核对、解密、打乱，写出不带编号的答卷。 Check, open and shuffle the boxes, offline.

    Exit status 1 when a box was spoiled; the others are counted all the same. The digest that is printed last is
    announced at the table and typed again by whoever loads the result; another count of the same boxes prints the
    same digest, though its answers lie in another order.
    """
    if out.exists():
        raise Refused("file_exists", str(out))
    with export.open("rb") as lines:
        boxes = read_boxes(lines)
    if root and root.strip().lower() != boxes.closing.box_root:
        raise Refused("export_root_unpublished")
    private_key = join_shares(read_shares(shares), key_bytes(boxes.closing.public_key))
    result = count_boxes(boxes, private_key, secrets.SystemRandom().randrange)
    with out.open("xb") as file:
        file.writelines(write_answers(result))
        file.flush()
        os.fsync(file.fileno())
    _tell(boxes, result)
    sys.exit(1 if result.spoiled else 0)


def _tell(boxes: Export, result: Result) -> None:
    closing, counted = boxes.closing, counts_of(one.stratum for one in result.answers)
    click.echo(f"评议 survey            {closing.survey_id}")
    click.echo(f"票箱根 root of boxes   {closing.box_root}")
    click.echo("层 stratum             密封票 boxes  有效 counted  废票 spoiled")
    for stratum, number in sorted(closing.counts.items()):
        good, spoiled = counted.get(stratum, 0), result.spoiled.get(stratum, 0)
        click.echo(f"{stratum:<22} {number:>12} {good:>13} {spoiled:>13}")
    click.echo(f"结果摘要 result digest {result.digest}")
