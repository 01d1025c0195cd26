"""`mingcha draw`: repeat a published draw, or ask why one unit was or was not drawn."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TextIO

import click

from survey_forms.refusal import Refused
from survey_forms.sampling.drawing import Standing, StratumDraw, draw_plan, standing
from survey_forms.sampling.frame import Frame, read_frame
from survey_forms.sampling.plan import Plan, read_plan
from survey_forms.sampling.plan_file import resolve
from survey_forms.sampling.plan_reading import LONGEST, read_plan_file
from survey_forms.sampling.record import record_of

ROLES = {
    "main": ("抽中", "drawn"),
    "reserve": ("未抽中，列为备用", "not drawn, but in reserve"),
    "none": ("未抽中", "not drawn"),
}


@click.command("draw", help="复核抽样：由抽样框、方案和公开随机数重算样本。Repeat a draw from its public inputs.")
@click.option(
    "--frame",
    "frame_file",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV: stratum,unit_id[,latitude,longitude,size,sort]",
)
@click.option(
    "--plan",
    "plan_file",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV (stratum,n) / TOML (docs/draw.md); rotation.permanent: 首轮公开抽样的种子。The seed of wave 1's draw.",
)
@click.option("--randomness", required=True, help="公开随机数，原样。The published randomness, word for word.")
@click.option("--check-id", help="查一个编号是否抽中。Was this unit drawn, and why?")
def draw_command(frame_file: Path, plan_file: Path, randomness: str, check_id: str | None) -> None:
    """Print the draw's record as one JSON object; with `--check-id`, also where that unit stands."""
    frame, plan = _inputs(frame_file, plan_file)
    drawing = draw_plan(frame, plan, randomness)
    record = record_of(plan, drawing)
    if check_id is not None:
        found = standing(frame, plan, drawing, check_id)
        record["check"] = asdict(found)
        _tell(found, next(drawn for drawn in drawing.strata if drawn.stratum == found.stratum))
    json.dump(record, sys.stdout, ensure_ascii=False, indent=1)  # in pieces: 300,000 drawn ids are 20 MB of text
    click.echo()


def _inputs(frame_file: Path, plan_file: Path) -> tuple[Frame, Plan]:
    """The frame and its plan; a plan that ends in `.toml` is read as one, and tells which columns are read."""
    if plan_file.suffix.lower() == ".toml":
        with _opened(plan_file) as lines:
            written = read_plan_file(lines.read(LONGEST + 1), plan_file.name)
        with _opened(frame_file) as lines:
            frame = read_frame(lines, frame_file.name, written.columns)
        return frame, resolve(written, frame.sizes, frame.facts_sha256)
    with _opened(plan_file) as lines:
        plan = read_plan(lines, plan_file.name)
    with _opened(frame_file) as lines:
        frame = read_frame(lines, frame_file.name)
    if not plan.lines:
        raise Refused("draw_plan_empty", plan_file.name)
    return frame, plan


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """The file's lines; bytes that are not UTF-8 come through as surrogates, and the rules name their row."""
    try:
        stream = file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise Refused("draw_file_unreadable", str(file), reason=error.strerror) from error
    with stream:
        yield stream


def _tell(found: Standing, drawn: StratumDraw) -> None:
    """The answer in words, on standard error: what it was drawn by, what it was measured against."""
    zh, en = ROLES[found.role]
    if drawn.selection in {"tickets", "pareto"}:
        why_zh = f"在层 {found.stratum} 的 {drawn.size} 个中排第 {found.place}，样本量 {drawn.n}。"
        why_en = f"place {found.place} of {drawn.size} in stratum {found.stratum}, n = {drawn.n}."
        sign = "<=" if found.drawn else ">"
        told = f"  {_shown(found.value)} {sign}\n  {_shown(drawn.threshold)} (threshold)"
    else:
        why_zh = f"沿层 {found.stratum} 的次序（{drawn.order}）排第 {found.place}，共 {drawn.size} 个。"
        why_en = f"place {found.place} of {drawn.size} along the order ({drawn.order}) of stratum {found.stratum}."
        told = f"  places taken around it: {_around(drawn.systematic, found.place - 1)}"
    click.echo(
        f"{found.unit_id} {zh}：{why_zh}\n{found.unit_id} was {en}: {why_en}\n  ticket {found.ticket}\n{told}", err=True
    )


def _shown(value: str | None) -> str:
    """A ticket, or a rank value to fifteen digits (the record has it in full)."""
    if value is None:
        return "-"
    return f"{float(Fraction(value)):.15g}" if "/" in value else value


def _around(taken: tuple[int, ...], place: int) -> str:
    """The places, from 1, that were taken next to one: what a walk's answer hangs on."""
    before = [one + 1 for one in taken if one <= place][-1:]
    after = [one + 1 for one in taken if one > place][:1]
    return ", ".join(map(str, before + after)) or "-"
