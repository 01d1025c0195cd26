"""`mingcha draw`: repeat a published draw, or ask why one unit was or was not drawn."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import click

from survey_forms.refusal import Refused
from survey_forms.sampling.drawing import Draw, Standing, StratumDraw, draw_plan, standing
from survey_forms.sampling.frame import read_frame
from survey_forms.sampling.plan import read_plan

FORMAT = "survey-draw/1"


@click.command("draw", help="复核抽样：由抽样框、方案和公开随机数重算样本。Repeat a draw from its public inputs.")
@click.option("--frame", "frame_file", required=True, type=click.Path(path_type=Path), help="CSV: stratum,unit_id")
@click.option("--plan", "plan_file", required=True, type=click.Path(path_type=Path), help="CSV: stratum,n")
@click.option("--randomness", required=True, help="公开随机数，原样。The published randomness, word for word.")
@click.option("--check-id", help="查一个编号是否抽中。Was this unit drawn, and why?")
def draw_command(frame_file: Path, plan_file: Path, randomness: str, check_id: str | None) -> None:
    """Print the draw's record as one JSON object; with `--check-id`, also where that unit stands."""
    with _opened(plan_file) as lines:
        plan = read_plan(lines, plan_file.name)
    with _opened(frame_file) as lines:
        frame = read_frame(lines, frame_file.name)
    if not plan.lines:
        raise Refused("draw_plan_empty", plan_file.name)
    drawing = draw_plan(frame, plan, randomness)
    record = _record(drawing)
    if check_id is not None:
        found = standing(frame, plan, drawing, check_id)
        record["check"] = asdict(found)
        _tell(found, drawing)
    json.dump(record, sys.stdout, ensure_ascii=False, indent=1)  # in pieces: 300,000 drawn ids are 20 MB of text
    click.echo()


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """The file's lines; bytes that are not UTF-8 come through as surrogates, and the rules name their row."""
    try:
        stream = file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise Refused("draw_file_unreadable", str(file), reason=error.strerror) from error
    with stream:
        yield stream


def _record(drawing: Draw) -> dict[str, object]:
    return {
        "format": FORMAT,
        "randomness": drawing.randomness,
        "frame_sha256": drawing.frame_sha256,
        "plan_sha256": drawing.plan_sha256,
        "seed": drawing.seed,
        "strata": {drawn.stratum: _stratum(drawn) for drawn in drawing.strata},
    }


def _stratum(drawn: StratumDraw) -> dict[str, object]:
    return {
        "N": drawn.size,
        "n": drawn.n,
        "srs_sample": drawn.sample,
        "reserve_first5": drawn.reserve,
        "srs_threshold": drawn.threshold,
        "systematic_indices_0based": drawn.systematic,
    }


def _tell(found: Standing, drawing: Draw) -> None:
    """The answer in words, on standard error: the ticket, the threshold, what follows."""
    drawn = next(drawn for drawn in drawing.strata if drawn.stratum == found.stratum)
    zh, en = ("抽中", "drawn") if found.drawn else ("未抽中", "not drawn")
    sign = "<=" if found.drawn else ">"
    click.echo(
        f"{found.unit_id} {zh}：票号在层 {found.stratum} 的 {drawn.size} 个中排第 {found.place}，样本量 {drawn.n}。\n"
        f"{found.unit_id} was {en}: ticket {found.place} of {drawn.size} in stratum {found.stratum}, n = {drawn.n}.\n"
        f"  ticket    {found.ticket} {sign}\n  threshold {drawn.threshold or '-'}",
        err=True,
    )
