"""JavaRosa's answers kept in a file: `python -m tests.javarosa.record` asks for them anew (needs a JDK).

A recording knows the form and the questions it answers, so that it cannot pass for an answer to others. It
holds, for each node, one sign a submission (`_SIGNS`) and the value where JavaRosa has another than was sent.
"""

import hashlib
import json
import lzma
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.javarosa.compare import at_the_day
from tests.javarosa.fields import read_paper
from tests.javarosa.forms import xforms
from tests.javarosa.oracle import Oracle, Seen, Told, running
from tests.javarosa.submissions import Raw, submissions

FOLDER = Path(__file__).with_name("recorded")
RENEW = "python -m tests.javarosa.record"
SEED = "mingcha"
NUMBER = 300
_SIGNS = {(True, "ok"): "k", (True, "required"): "r", (True, "constraint"): "c", (False, "ok"): "i"}
_SEEN = {sign: said for said, sign in _SIGNS.items()}
_AS_SENT = -1
Table = dict[str, list[object]]


def asked(xform: bytes, number: int = NUMBER) -> list[Raw]:
    """The filled forms that a recording answers."""
    paper = read_paper(xform)
    return list(submissions(paper, f"{SEED}/{hashlib.sha256(xform).hexdigest()}", number))


def answered(oracle: Oracle, xform: bytes, raws: Sequence[Raw]) -> list[Told]:
    paper = read_paper(xform)
    oracle.load(at_the_day(xform))
    return [oracle.fill(paper.filled(raw)) for raw in raws]


def identity(xform: bytes, raws: Sequence[Raw]) -> dict[str, str]:
    """What a recording is about: the form's version and a digest of the submissions."""
    said = json.dumps([sorted(raw.items()) for raw in raws], ensure_ascii=False)
    return {"form": hashlib.sha256(xform).hexdigest(), "asked": hashlib.sha256(said.encode()).hexdigest()}


def packed(raws: Sequence[Raw], answers: Sequence[Told]) -> dict[str, object]:
    """Column by column: a node's signs as one string, its values as numbers of distinct values."""
    keys = dict.fromkeys(key for told in answers for key in told.nodes)
    nodes = {}
    for key in keys:
        seen = [told.nodes.get(key) for told in answers]
        values = [
            None if one is None or one.value == _sent(raw, key) else one.value
            for raw, one in zip(raws, seen, strict=True)
        ]
        nodes[key] = ["".join(map(_sign, seen)), *_numbered(values)]
    return {
        "nodes": nodes,
        "lists": {key: _numbered([told.lists.get(key) for told in answers]) for key in _keys(answers, "lists")},
        "labels": {
            "\t".join(key): column
            for key in _keys(answers, "labels")
            if len((column := _numbered([told.labels.get(key) for told in answers]))[0]) > 1
        },
    }


def unpacked(raws: Sequence[Raw], kept: Mapping[str, Mapping[str, Sequence[object]]]) -> list[Told]:
    answers = [Told({}, {}, {}) for _ in raws]
    for key, (signs, distinct, numbers) in kept["nodes"].items():
        for told, raw, sign, number in zip(answers, raws, signs, numbers, strict=True):
            if sign != "-":
                relevant, verdict = _SEEN[sign.lower()]
                value = _sent(raw, key) if number == _AS_SENT else distinct[number]
                told.nodes[key] = Seen(value, relevant, verdict, sign.isupper())
    for part in ("lists", "labels"):
        for key, (distinct, numbers) in kept[part].items():
            for told, number in zip(answers, numbers, strict=True):
                if number != _AS_SENT:
                    getattr(told, part)[tuple(key.split("\t")) if part == "labels" else key] = distinct[number]
    return answers


def file_of(name: str) -> Path:
    return FOLDER / f"{name}.json.xz"


def save(name: str, xform: bytes, raws: Sequence[Raw], answers: Sequence[Told]) -> None:
    said = json.dumps({**identity(xform, raws), **packed(raws, answers)}, ensure_ascii=False, separators=(",", ":"))
    file_of(name).write_bytes(lzma.compress(said.encode(), preset=9 | lzma.PRESET_EXTREME))


def load(name: str) -> Mapping[str, object]:
    return json.loads(lzma.decompress(file_of(name).read_bytes()))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with running() as oracle:
        for name, xform in xforms().items():
            raws = asked(xform)
            answers = answered(oracle, xform, raws)
            failed = [told.failed for told in answers if told.failed]
            if failed:
                sys.exit(f"{name}: JavaRosa failed {len(failed)} times, first with {failed[0]}")
            save(name, xform, raws, answers)
            sys.stdout.write(f"{name}: {len(raws)} submissions, {file_of(name).stat().st_size} bytes\n")


def _sent(raw: Raw, key: str) -> str:
    given = raw.get(key, "")
    return given if isinstance(given, str) else " ".join(given)


def _sign(seen: Seen | None) -> str:
    if seen is None:
        return "-"
    sign = _SIGNS[seen.relevant, seen.verdict]
    return sign.upper() if seen.cleared else sign


def _numbered(values: Sequence[str | None]) -> list[list[object]]:
    distinct = list(dict.fromkeys(value for value in values if value is not None))
    place = {value: number for number, value in enumerate(distinct)}
    return [distinct, [_AS_SENT if value is None else place[value] for value in values]]


def _keys(answers: Sequence[Told], part: str) -> list[object]:
    return list(dict.fromkeys(key for told in answers for key in getattr(told, part)))


if __name__ == "__main__":
    main()
