"""`mingcha ledger`: export a copy, verify it, witness the log, recompute scores, sign a checkpoint.

`verify`, `witness` and `score` need no database: whoever doubts the service uses them elsewhere.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from api.actions.checkpoints import (
    ASKED,
    NOTES,
    ask_checkpoint,
    checkpoint,
    copy_of,
    keep_checkpoint,
    last_look,
    signer_of,
)
from api.actions.note_files import keep_note
from api.commands.database import opened_database
from api.commands.notes_given import files_of, key_given, lines_of, signed, tell, text_of
from api.commands.running import inherited
from api.commands.score import print_data, read_input
from api.commands.serve import data_option
from api.commands.witness import log_key, signer_in
from api.commands.witness import witness as visit
from api.config import Settings
from api.store import checkpoints as stored
from api.transaction import Database
from survey_forms.ledger_examination import examine
from survey_forms.ledger_inclusion import faults_of, read_entry, read_proof
from survey_forms.ledger_scores import at_size
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_scheme
from survey_forms.scoring.compute import score
from survey_forms.scoring.exchange import parse_document
from survey_forms.scoring.intake import printable

MOST_SHOWN = 50
PATIENCE_SECONDS = 30
LEDGERS_FAULT = frozenset({"witness_bad_signature", "witness_shrank", "witness_forked", "witness_state_bent"})
"""What a witness must shout about, and not merely try again."""

copy_argument = click.argument(
    "copy", metavar="COPY.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.group("ledger")
def ledger_group() -> None:
    """台账：导出副本、核对、见证、复算、签署校验点。 The ledger: export, verify, witness, recompute, sign."""


@ledger_group.command("verify")
@copy_argument
@click.option(
    "--checkpoint",
    "notes",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="签名校验点文件，可多个。 A file with a checkpoint; several may be given.",
)
@click.option("--key", required=True, help="公布的台账公钥，或存放它的文件。 The announced key, or a file with it.")
@click.option(
    "--witness", "witnesses", multiple=True, help="见证人公钥，校验点须有其签名。 A witness who must have signed."
)
def verify(copy: Path, notes: Sequence[Path], key: str, witnesses: Sequence[str]) -> None:
    """不用数据库核对一份台账副本，指出哪里不对。 Check a copy against checkpoints; name what is wrong, exit 1 then."""
    checkpoints, faults = signed(files_of(notes), [key_given(key), *map(key_given, witnesses)])
    lines = list(lines_of(copy))
    found = examine(lines, checkpoints)
    faults += found.faults
    for fault in faults[:MOST_SHOWN]:
        tell(fault)
    if faults:
        more = len(faults) - MOST_SHOWN
        if more > 0:
            click.echo(f"✗ 另有 {more} 处 / and {more} more")
        click.echo(f"✗ 有 {len(faults)} 处不对 / wrong: {len(faults)}")
        sys.exit(1)
    if found.proven is None:
        raise Refused("verify_nothing_proven", str(copy))
    click.echo(f"✓ {found.proven} 条台账与 {len(checkpoints)} 个签名校验点逐一相符", nl=False)
    click.echo(f" / {found.proven} entries agree with {len(checkpoints)} signed checkpoints")
    if len(lines) > found.proven:
        after = len(lines) - found.proven
        click.echo(f"– 其后 {after} 条还没有校验点 / the {after} entries after them have no checkpoint yet")


@ledger_group.command("inclusion")
@click.argument("proof_file", metavar="PROOF.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="公布的台账公钥，或存放它的文件。 The announced key, or a file with it.")
@click.option(
    "--checkpoint",
    "note",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="另取的签名校验点，代替文件里的。 A signed checkpoint from elsewhere, in place of the one in the file.",
)
@click.option(
    "--entry",
    "line",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="条目内容（JSON，或副本的一行），代替文件里的。 The entry, or its line of a copy, in place of the file's.",
)
@click.option(
    "--witness", "witnesses", multiple=True, help="见证人公钥，校验点须有其签名。 A witness who must have signed."
)
def inclusion(proof_file: Path, key: str, note: Path | None, line: Path | None, witnesses: Sequence[str]) -> None:
    """不用数据库核对一条台账在不在签名校验点里。 Check that one entry stands in a signed checkpoint; exit 1 if not.

    PROOF.json is what the page of the entry gives to download, as it is.
    """
    proof = read_proof(proof_file.read_bytes())
    if line is not None:
        proof = replace(proof, entry=read_entry(line.read_bytes()))
    content = note.read_bytes() if note else proof.note
    if content is None:
        raise Refused("inclusion_note_missing", "--checkpoint")
    checkpoints, faults = signed([(str(note or proof_file), content)], [key_given(one) for one in (key, *witnesses)])
    faults += [fault for one in checkpoints for fault in faults_of(proof, one)]
    for fault in faults:
        tell(fault)
    if faults:
        sys.exit(1)
    seq, size = proof.seq, proof.size
    click.echo(f"✓ 第 {seq} 条在校验点 {size} 内 / entry {seq} stands in the checkpoint of {size}")
    if proof.entry is None:
        click.echo("– 只核对了指纹，文件里没有条目内容 / its hash alone: the entry is not in the file")
        return
    unit, rule, points, back = map(proof.shown, ("unit", "rule", "points", "reverses"))
    click.echo(f"  单位 {unit}，规则 {rule}，{points} 分 / unit {unit}, rule {rule}, points {points}", nl=not back)
    if back:
        click.echo(f"；撤销第 {back} 条 / takes back entry {back}")


@ledger_group.command("witness")
@click.argument("url", metavar="URL")
@click.option(
    "--state",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="保存校验点的目录。 Where notes are kept.",
)
@click.option(
    "--key-file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="见证人的私钥文件。 The witness's own key.",
)
@click.option("--name", default="", help="见证人名称，第一次时给出。 The witness's name, at the first visit.")
@click.option(
    "--key", "given", default="", help="公布的台账公钥，第一次时给出。 The announced key, at the first visit."
)
def witness(url: str, state: Path, key_file: Path, name: str, given: str) -> None:
    """见证一次：取校验点，验签名和一致性，副署并保存。 Fetch, verify, countersign, keep; exit 1 on a fork."""
    key = log_key(state, text_of(given) if given else "")
    signer = signer_in(key_file, name)
    try:
        seen = visit(url, key, signer, state, int(datetime.now(UTC).timestamp()))
    except Refused as refused:
        if refused.code not in LEDGERS_FAULT:
            raise
        tell(refused.faults[0])
        sys.exit(1)
    click.echo(str(seen.note), nl=False)
    before = "第一次 / the first visit" if seen.before is None else f"上次 {seen.before} 条 / {seen.before} before"
    click.echo(
        f"✓ {seen.checkpoint.size} 条，只增未改（{before}） / {seen.checkpoint.size} entries, only grown", err=True
    )
    click.echo(f"  见证人公钥 / witness key: {signer.verifier}", err=True)


@ledger_group.command("score")
@copy_argument
@click.option("--size", required=True, type=click.IntRange(0), help="校验点的条数。 Size of the checkpoint.")
@click.option(
    "--input", "input_file", required=True, metavar="INPUT.json", help="综合得分的输入。 The composite's input."
)
@click.option(
    "--evaluation",
    default="",
    help="考评代码；副本只含一次考评时可省。 Code of the evaluation, where several are in the copy.",
)
@click.option(
    "--checkpoint",
    "notes",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="签名校验点文件，条数不少于 --size。 A signed checkpoint of at least that size.",
)
@click.option("--key", default="", help="公布的台账公钥，或存放它的文件。 The announced key, or a file with it.")
@click.option("--trace", is_flag=True, help="逐步列出计算过程。 Give the lines of the arithmetic.")
def score_at(  # noqa: PLR0917 - what a person may say
    copy: Path, size: int, input_file: str, evaluation: str, notes: Sequence[Path], key: str, *, trace: bool
) -> None:
    """按台账在某个校验点时的扣分复算得分。 Recompute the scores with the deductions of the ledger at a checkpoint.

    With --checkpoint and --key the copy is verified first; without them standard error says that it was not.
    """
    lines = list(lines_of(copy))
    if bool(notes) != bool(key):
        raise click.UsageError("--checkpoint 与 --key 要一起给出 / give --checkpoint and --key together")
    checkpoints, faults = signed(files_of(notes), [key_given(key)] if key else [])
    found = examine(lines if notes else lines[:size], checkpoints)
    faults += found.faults
    if len(lines) < size:
        faults.append(Fault("copy_ends_early", "", {"last": len(lines), "size": size}))
    if faults:
        raise Refused.of(faults)
    if not notes:
        click.echo("– 副本没有与签名校验点核对 / the copy was not verified against a signed checkpoint", err=True)
    elif found.proven is None or found.proven < size:
        raise Refused("score_not_proven", "--checkpoint", size=size, proven=found.proven or 0)
    bodies = [line.body for line in lines[:size] if line.body is not None]
    codes = {body["evaluation"] for body in bodies}
    if not evaluation and len(codes) > 1:
        raise Refused("copy_evaluations", "--evaluation", codes=", ".join(sorted(codes)))
    document = parse_document(read_input(input_file), printable(input_file))
    scheme = load_scheme(document["scheme"])
    past = at_size(scheme, document, bodies, evaluation or next(iter(codes), ""), size)
    print_data(orjson.dumps(score(past, trace=trace), option=orjson.OPT_INDENT_2))


@ledger_group.command("export")
@click.option("--size", type=click.IntRange(0), help="到第几条为止，缺省为全部。 Up to this entry; all if absent.")
@click.option(
    "--notes",
    type=click.Path(file_okay=False, path_type=Path),
    help="同时导出全部校验点的目录。 Directory for all checkpoints.",
)
@data_option
def export(size: int | None, notes: Path | None, data: Path) -> None:
    """把台账副本写到标准输出。 Write a copy of the ledger to standard output."""
    out = sys.stdout.buffer
    with opened_database(data) as database, database.read() as connection:
        out.writelines(copy_of(connection, 1, stored.ledger_size(connection) if size is None else size))
        if notes:
            for one in stored.checkpoints(connection):
                keep_note(notes, one.size, one.note)
    out.flush()


@ledger_group.command("checkpoint")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="签署主机自己保存校验点的目录。 The signing host's own notes.",
)
@data_option
def sign(state: Path | None, data: Path) -> None:
    """现在签署一个校验点。 Sign a checkpoint now: with MINGCHA_LEDGER_KEY here, without it by the worker.

    A host that signs alone runs this every hour with its own --state; the workers then have
    MINGCHA_LEDGER_KEY=elsewhere.
    """
    env = inherited()
    with opened_database(data) as database:
        if env.get("MINGCHA_LEDGER_KEY", "").strip():
            settings = Settings.from_env(env)
            own = state or settings.data_dir / NOTES
            with database.write() as connection:
                wrong = keep_checkpoint(connection, signer_of(settings), ASKED, datetime.now(UTC), own_notes=own)
            if wrong:
                tell(wrong)
                sys.exit(1)
        else:
            _ask_worker(database)
        with database.read() as connection:
            click.echo(checkpoint(connection).note, nl=False)


def _ask_worker(database: Database) -> None:
    """Owe the worker a checkpoint and wait until it has looked.

    Raises:
        Refused: `worker_silent`.
    """
    asked = datetime.now(UTC)
    with database.write() as connection:
        ask_checkpoint(connection, asked)
    for _ in range(PATIENCE_SECONDS * 2):
        with database.read() as connection:
            look = last_look(connection)
        if look and look.at > asked:
            if look.wrong:
                tell(look.wrong)
                sys.exit(1)
            return
        time.sleep(0.5)
    raise Refused("worker_silent", seconds=PATIENCE_SECONDS)
