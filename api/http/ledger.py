"""The ledger as a public log: signed checkpoints and proofs for anybody, entries for those who may read them.

Checkpoints, keys and proofs are hashes; they name nobody, and only what everybody can fetch binds the log's keeper.
Entries name units, and their grounds may name people: the office and the bureau read them all, a unit its own, and
publication of a round changes nothing in that, for it publishes results and not findings. Whoever is to witness more
than hashes gets an account of the bureau.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy import Connection

from api.actions.checkpoints import Trees, checkpoint, composite_at, consistency, copy_of, inclusion
from api.auth import allow, allow_anyone, caller
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.results import OFFICES
from api.http.schemas import Text, means
from api.services import services
from api.store import checkpoints, evaluations
from api.store.ledger import body_numbered
from survey_forms.refusal import Refused

blp = ApiBlueprint("log", __name__, url_prefix=f"{PREFIX}/ledger", description="台账校验点与证明 / the ledger as a log")
blp.after_request(never_kept)

MOST_ENTRIES = 2**53  # as JSON readers count
trees = Trees()


class Count(fields.Integer):
    """A number of entries, or of one."""

    def __init__(self, **more: Any) -> None:
        super().__init__(strict=False, validate=validate.Range(0, MOST_ENTRIES), **more)


class BySize(Schema):
    """Which checkpoint."""

    size = Count(metadata=means("条数；缺省为最新", "how many entries; the latest if absent"))


class ByEntry(BySize):
    """Which entry in which checkpoint."""

    seq = Count(required=True, metadata=means("台账序号", "number of the entry"))


class ByRange(Schema):
    """From where to where."""

    first = Count(data_key="from", load_default=1, metadata=means("起", "first"))
    last = Count(data_key="to", metadata=means("止", "last"))


class BySizes(Schema):
    """Which two checkpoints."""

    earlier = Count(data_key="from", required=True, metadata=means("较早的条数", "size of the earlier checkpoint"))
    size = Count(data_key="to", required=True, metadata=means("较晚的条数", "size of the later checkpoint"))


class ByEvaluation(BySize):
    """Which evaluation at which checkpoint."""

    evaluation = Text(required=True, metadata=means("考评代码", "code of the evaluation"))


class CheckpointSchema(Schema):
    """A checkpoint without its note."""

    size = fields.Integer(required=True)
    root = fields.String(required=True, metadata=means("根，十六进制", "root, hexadecimal"))
    occasion = fields.String(required=True, metadata=means("每小时、冻结或请求", "hourly, freeze or asked"))
    made_at = fields.DateTime(required=True)


class ProofSchema(Schema):
    """A path of hashes, the lowest first, hexadecimal."""

    size = fields.Integer(required=True)
    root = fields.String(required=True)
    path = fields.List(fields.String(), required=True)


class InclusionSchema(ProofSchema):
    """That an entry stands in a checkpoint: RFC 9162, section 2.1.3."""

    seq = fields.Integer(required=True, metadata=means("序号；下标为其减一", "the leaf's index is one less"))
    leaf = fields.String(required=True)
    entry = fields.Dict(
        allow_none=True, metadata=means("台账内容，只给有权阅读的人", "the entry, for its readers alone")
    )
    checkpoint = fields.String(required=True, metadata=means("签名校验点，原文", "the signed checkpoint, as it is"))


class ConsistencySchema(ProofSchema):
    """That a checkpoint continues another: RFC 9162, section 2.1.4."""

    earlier = fields.Integer(required=True, data_key="from")


class PastScoreSchema(Schema):
    """The scores with the deductions that stood at a checkpoint."""

    evaluation = fields.String(required=True)
    size = fields.Integer(required=True)
    root = fields.String(required=True)
    result = fields.Dict(
        required=True, metadata=means("同 mingcha score --trace", "as mingcha score --trace prints it")
    )


@blp.route("/checkpoint")
@allow_anyone
@told("签名校验点", "The signed checkpoint as a note of text (C2SP): name, size, root, signatures.", security=[])
@blp.arguments(BySize(), location="query", as_kwargs=True)
@blp.response(200, {"type": "string"}, content_type="text/plain")
def show_checkpoint(size: int | None = None) -> Response:
    """Show the latest checkpoint, or the one of that size."""
    with services().database.read() as connection:
        return Response(checkpoint(connection, size).note, mimetype="text/plain")


@blp.route("/checkpoints")
@allow_anyone
@told("全部校验点", "All checkpoints, the smallest first.", security=[])
@blp.response(200, CheckpointSchema(many=True))
def list_checkpoints() -> list[dict[str, Any]]:
    """List the checkpoints."""
    with services().database.read() as connection:
        return [
            {"size": one.size, "root": one.root.hex(), "occasion": one.occasion, "made_at": one.made_at}
            for one in checkpoints.checkpoints(connection)
        ]


@blp.route("/key")
@allow_anyone
@told("公钥", "The verifier key of the latest checkpoint, one line: name+id+base64.", security=[])
@blp.response(200, {"type": "string"}, content_type="text/plain")
def show_key() -> Response:
    """Show the verifier key; whoever witnesses compares it with the one that was announced."""
    with services().database.read() as connection:
        return Response(checkpoint(connection).verifier_key + "\n", mimetype="text/plain")


@blp.route("/proof/inclusion")
@allow_anyone
@told(
    "收录证明",
    "That an entry stands in a checkpoint. The office, the bureau and the entry's unit get the entry too.",
    security=[],
)
@blp.arguments(ByEntry(), location="query", as_kwargs=True)
@blp.response(200, InclusionSchema())
def prove_inclusion(seq: int, size: int | None = None) -> dict[str, Any]:
    """Prove that an entry is in the log."""
    with services().database.read() as connection:
        kept = checkpoint(connection, size)
        proof = inclusion(connection, trees, seq, kept.size)
        entry = body_numbered(connection, seq) if _may_read(connection, seq) else None
    leaf, root, path = proof.leaf.hex(), proof.root.hex(), _hex(proof.path)
    found = {"seq": seq, "size": proof.size, "leaf": leaf, "path": path, "root": root}
    return found | {"entry": entry, "checkpoint": kept.note}


@blp.route("/proof/consistency")
@allow_anyone
@told("一致性证明", "That the later checkpoint holds everything of the earlier, in its place.", security=[])
@blp.arguments(BySizes(), location="query", as_kwargs=True)
@blp.response(200, ConsistencySchema())
def prove_consistency(earlier: int, size: int) -> dict[str, Any]:
    """Prove that the log only grew."""
    with services().database.read() as connection:
        path = consistency(connection, trees, earlier, size)
        root = checkpoint(connection, size).root
    return {"earlier": earlier, "size": size, "path": _hex(path), "root": root.hex()}


@blp.route("/entries")
@allow(*OFFICES)
@told("台账副本", "The ledger line by line with each leaf hash: what mingcha ledger verify reads.")
@blp.arguments(ByRange(), location="query", as_kwargs=True)
@blp.response(200, {"type": "string"}, content_type="application/jsonl")
def list_entries(first: int, last: int = MOST_ENTRIES) -> Response:
    """Send a copy of the ledger while it is read, from one snapshot."""
    database = services().database

    def lines() -> Iterator[bytes]:
        with database.read() as connection:
            yield from copy_of(connection, first, last)

    return Response(lines(), mimetype="application/jsonl")


@blp.route("/score")
@allow(*OFFICES)
@told("某校验点时的得分", "The scores with the deductions that stood at a checkpoint; all else as computed last.")
@blp.arguments(ByEvaluation(), location="query", as_kwargs=True)
@blp.response(200, PastScoreSchema())
def score_at(evaluation: str, size: int | None = None) -> dict[str, Any]:
    """Compute the scores of a checkpoint again."""
    with services().database.read() as connection:
        found = evaluations.evaluation_called(connection, evaluation)
        if found is None:
            raise Refused("not_found", "evaluation")
        past = composite_at(connection, found.id, checkpoint(connection, size).size)
    kept = past.checkpoint
    return {"evaluation": found.code, "size": kept.size, "root": kept.root.hex(), "result": past.output}


def _may_read(connection: Connection, seq: int) -> bool:
    staff = caller()
    if staff is None:
        return False
    return staff.role in OFFICES or (
        staff.role == "unit" and staff.unit_id == checkpoints.unit_of_entry(connection, seq)
    )


def _hex(path: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in path]
