"""The record of a double-random draw: all that anybody needs to repeat it, and what was changed afterwards and why.

Whoever committed the plan does not know the randomness; whoever draws does not know the secret, which the service
made when the plan was committed and of which only the SHA-256 was shown. So nobody can work out from public numbers
where the inspectors go, until the record is published with the secret, when the last day is over. The record's own hash
is shown at the draw: what is published later is what was drawn then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from survey_forms.inspection.double_random import Draw, Plan, Sent, draw, stand_in
from survey_forms.inspection.double_random_plan import hashes_of, read_plan
from survey_forms.refusal import Refused
from survey_forms.sampling.tickets import seed_of
from survey_forms.scoring.intake import Intake
from survey_forms.transparency import canonical_json

FORMAT = "mingcha-inspection-draw/1"
SECRET_BYTES = 32
REPLACED, WITHDRAWN = "replaced", "withdrawn"
_ABOUT = ("committed_at", "committed_by", "drawn_at", "drawn_by")


@dataclass(frozen=True, slots=True)
class Drawn:
    """The inputs of a draw besides the plan, and who did what when (texts as they are published)."""

    secret: bytes
    randomness: str
    about: Mapping[str, str]  # committed_at, committed_by, drawn_at, drawn_by


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed after the draw, in the order of time.

    `barred`: who could not come besides those who left this crew before: gone from the directory or recused since.
    """

    kind: str  # replaced, withdrawn
    site: str
    at: str
    by: str
    reason: str
    leaves: str = ""
    joins: str = ""
    barred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing in which a record is not what repeating it gives; values as JSON texts, cut."""

    place: str
    says: str
    repeated: str


def seed_for(document: Mapping[str, Any], randomness: str, secret: bytes) -> str:
    """The seed: that of a sample's draw, the directories in the frame's place, the secret behind the randomness.

    Raises:
        Refused: `draw_randomness_missing`.
    """
    hashes = hashes_of(dict(document))
    if not randomness.strip():
        raise Refused("draw_randomness_missing", "randomness")
    return seed_of(hashes.directories, hashes.plan, f"{randomness}|{secret.hex()}")


def record_of(document: Mapping[str, Any], drawn: Drawn) -> dict[str, Any]:
    """The record of a draw as its hash is shown at once; `published` adds the changes.

    Raises:
        Refused: the plan does not read, no randomness.
    """
    seed = seed_for(document, drawn.randomness, drawn.secret)
    return {
        "format": FORMAT,
        "plan": document,
        "plan_sha256": hashes_of(dict(document)).plan,
        "commitment": sha256(drawn.secret).hexdigest(),
        "secret": drawn.secret.hex(),
        "randomness": drawn.randomness,
        "seed": seed,
        **{key: drawn.about[key] for key in _ABOUT},
        **_result(draw(read_plan(document), seed)),
    }


def record_hash(record: Mapping[str, Any]) -> str:
    """Hex SHA-256 of a record's canonical JSON, without its own hash and without later changes."""
    return _hash_without(record, "record_sha256", "changes", "published_sha256")


def published(record: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """The record as it is published: with its hash, the changes as an addendum, and the hash of all of it."""
    told = [
        {
            "kind": one.kind,
            "site": one.site,
            "at": one.at,
            "by": one.by,
            "reason": one.reason,
            "leaves": one.leaves,
            "joins": one.joins,
            "barred": list(one.barred),
        }
        for one in changes
    ]
    whole = {**record, "record_sha256": record_hash(record), "changes": told}
    return {**whole, "published_sha256": _hash_without(whole)}


def standing_after(plan: Plan, seed: str, sent: Iterable[Sent], changes: Sequence[Change]) -> dict[str, Sent]:
    """Who goes where after changes, by site; each replacement is worked out anew and not taken from the record.

    Raises:
        Refused: as `stand_in`; `inspection_change_unknown` for a change of no crew that stands.
    """
    crews = {one.place: one for one in sent}
    left: dict[str, set[str]] = {}
    for one in changes:
        if one.site not in crews:
            raise Refused("inspection_change_unknown", "changes", site=one.site)
        if one.kind == WITHDRAWN:
            del crews[one.site]
            continue
        gone = left.setdefault(one.site, set())
        gone.add(one.leaves)
        crews[one.site] = stand_in(plan, seed, crews.values(), one.site, one.leaves, frozenset({*gone, *one.barred}))
    return crews


def first_difference(record: Any) -> Difference | None:
    """Repeat a published record from itself alone; the first difference, None when everything comes out again.

    Raises:
        Refused: it is no such record: `inspection_record_format`, or the faults of its parts with their paths.
    """
    read = _read(record)
    return next(_differences(record, *read), None)


def _differences(record: Mapping[str, Any], plan: Plan, secret: bytes, changes: list[Change]) -> Iterator[Difference]:
    yield from _unlike("plan_sha256", record["plan_sha256"], hashes_of(record["plan"]).plan)
    yield from _unlike("commitment", record["commitment"], sha256(secret).hexdigest())
    seed = seed_for(record["plan"], record["randomness"], secret)
    yield from _unlike("seed", record["seed"], seed)
    repeated = draw(plan, seed)
    for key, value in _result(repeated).items():
        yield from _unlike(key, record[key], value)
    yield from _unlike("record_sha256", record["record_sha256"], record_hash(record))
    for at, one in enumerate(changes):
        found = _comes(plan, seed, repeated, changes[: at + 1])
        yield from _unlike(f"changes[{at}].joins", one.joins, found)
    yield from _unlike("published_sha256", record["published_sha256"], _hash_without(record, "published_sha256"))


def _comes(plan: Plan, seed: str, repeated: Draw, changes: Sequence[Change]) -> str:
    """Who comes into a crew by the last of some changes, "" for one withdrawn; a refusal's code where none can be."""
    site = changes[-1].site
    try:
        before = standing_after(plan, seed, repeated.sent, changes[:-1])
        after = standing_after(plan, seed, repeated.sent, changes)
    except Refused as refused:
        return refused.code
    if site not in after:
        return ""
    return next(one for one in after[site].crew if one not in before[site].crew)


def _read(record: Any) -> tuple[Plan, bytes, list[Change]]:
    intake = Intake()
    table = intake.table(record, "record")
    if table.get("format") != FORMAT:
        raise Refused("inspection_record_format", "format", format=FORMAT)
    texts = ("plan_sha256", "commitment", "secret", "randomness", "seed", "record_sha256", "published_sha256", *_ABOUT)
    intake.keys(table, ("format", "plan", *texts, "groups", "assignments", "infeasible", "changes"), "")
    for key in texts:
        intake.text(table.get(key), key)
    changes = [
        _change(intake, one, f"changes[{at}]") for at, one in enumerate(intake.items(table.get("changes"), "changes"))
    ]
    intake.refuse()
    try:
        secret = bytes.fromhex(table["secret"])
        canonical_json(table)
    except (TypeError, ValueError) as error:
        raise Refused("inspection_record_uncanonical", "record", what=str(error)) from error
    return read_plan(table["plan"]), secret, changes


def _change(intake: Intake, raw: Any, path: str) -> Change:
    table = intake.table(raw, path)
    texts = {key: intake.text(table.get(key), f"{path}.{key}") for key in ("kind", "site", "at", "by", "reason")}
    intake.known(texts["kind"], (REPLACED, WITHDRAWN), f"{path}.kind")
    if texts["kind"] == REPLACED:
        texts |= {key: intake.text(table.get(key), f"{path}.{key}") for key in ("leaves", "joins")}
    barred = intake.items(table.get("barred"), f"{path}.barred")
    return Change(**texts, barred=tuple(intake.text(one, f"{path}.barred") for one in barred))


def _hash_without(record: Mapping[str, Any], *names: str) -> str:
    return sha256(canonical_json({key: value for key, value in record.items() if key not in names})).hexdigest()


def _result(drawn: Draw) -> dict[str, Any]:
    """What came of a draw."""
    return {
        "groups": {
            one.group: {"N": one.size, "n": len(one.drawn), "left_out": list(one.left_out), "drawn": list(one.drawn)}
            for one in drawn.groups
        },
        "assignments": [{"site": one.place, "day": one.day, "crew": list(one.crew)} for one in drawn.sent],
        "infeasible": [{"site": site, "reason": why.value} for site, why in drawn.unsent],
    }


def _unlike(place: str, says: Any, repeated: Any) -> Iterator[Difference]:
    """The first difference of two JSON values, as deep as it can be named."""
    if canonical_json(says) == canonical_json(repeated):
        return
    if isinstance(says, dict) and isinstance(repeated, dict):
        for key in sorted({*says, *repeated}, key=str):
            yield from _unlike(f"{place}.{key}", says.get(key), repeated.get(key))
    elif isinstance(says, list) and isinstance(repeated, list):
        for at in range(max(len(says), len(repeated))):
            one, other = (listed[at] if at < len(listed) else None for listed in (says, repeated))
            yield from _unlike(f"{place}[{at}]", one, other)
    else:
        yield Difference(place, _short(says), _short(repeated))


def _short(value: Any) -> str:
    text = canonical_json(value).decode()
    return text if len(text) <= 100 else f"{text[:99]}…"
