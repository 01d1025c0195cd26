"""The two files that travel between the service and the counting table, as JSON lines: boxes out, answers back.

The first line says what the file is; every other line is a box, or an answer without any id. A reader tells the
first line that it cannot read, and repeats nothing of it: it could be an answer.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from survey_forms.ballot.envelope import Envelope, read, written
from survey_forms.ballot.roots import Box
from survey_forms.refusal import Refused
from survey_forms.transparency import canonical_json

BOXES, ANSWERS = "mingcha/boxes/1", "mingcha/answers/1"


@dataclass(frozen=True, slots=True)
class Closing:
    """What was published when the survey closed: boxes by stratum and the two roots in hexadecimal."""

    survey_id: int
    public_key: str
    counts: Mapping[str, int]
    merkle_root: str
    box_root: str

    @property
    def boxes(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Export:
    """The closing and its boxes, in the order of their SHA-256 within each stratum."""

    closing: Closing
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """One answer as the count found it: which stratum's, and what its envelope holds."""

    stratum: str
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that came out of the boxes: answers in shuffled order, boxes that did not open by stratum."""

    survey_id: int
    box_root: str
    spoiled: Mapping[str, int]
    answers: tuple[Opened, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over what was counted, whatever order it lies in: two counts of the same boxes agree on it."""
        head = canonical_json({"survey_id": self.survey_id, "box_root": self.box_root, "spoiled": dict(self.spoiled)})
        return sha256(b"\n".join([head, *sorted(map(_answer_line, self.answers))])).hexdigest()


def write_boxes(closing: Closing, boxes: Iterable[Box]) -> Iterator[bytes]:
    """The lines of an export; boxes in the order of their SHA-256, which nothing but chance has made."""
    head = {
        "file": BOXES,
        "survey_id": closing.survey_id,
        "public_key": closing.public_key,
        "counts": dict(closing.counts),
        "merkle_root": closing.merkle_root,
        "box_root": closing.box_root,
    }
    yield canonical_json(head) + b"\n"
    for box in sorted(boxes, key=lambda one: (one.stratum, one.digest)):
        yield canonical_json({"stratum": box.stratum, "sealed": b64encode(box.sealed).decode()}) + b"\n"


def read_boxes(lines: Iterable[bytes]) -> Export:
    """An export.

    Raises:
        Refused: `not_a_boxes_file`; `line_unreadable` with its number.
    """
    rest = enumerate(lines, start=1)
    try:
        head = json.loads(next(rest)[1])
        closing = Closing(
            int(head["survey_id"]),
            str(head["public_key"]),
            {str(stratum): int(n) for stratum, n in head["counts"].items()},
            str(head["merkle_root"]),
            str(head["box_root"]),
        )
        named = head["file"]
    except (StopIteration, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("not_a_boxes_file") from error
    if named != BOXES:
        raise Refused("not_a_boxes_file")
    return Export(closing, tuple(_box(number, line) for number, line in rest))


def write_answers(result: Result) -> Iterator[bytes]:
    """The lines of a result, in the order in which it holds its answers."""
    head = {
        "file": ANSWERS,
        "survey_id": result.survey_id,
        "box_root": result.box_root,
        "spoiled": dict(result.spoiled),
        "digest": result.digest,
    }
    yield canonical_json(head) + b"\n"
    for one in result.answers:
        yield _answer_line(one) + b"\n"


def read_answers_file(lines: Iterable[bytes]) -> Result:
    """A result.

    Raises:
        Refused: `not_an_answers_file`; `line_unreadable` with its number; `answers_changed` when the digest in the
            first line is not that of the answers.
    """
    rest = enumerate(lines, start=1)
    try:
        head = json.loads(next(rest)[1])
        survey_id, root = int(head["survey_id"]), str(head["box_root"])
        spoiled = {str(stratum): int(n) for stratum, n in head["spoiled"].items()}
        named, digest = head["file"], head["digest"]
    except (StopIteration, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("not_an_answers_file") from error
    if named != ANSWERS:
        raise Refused("not_an_answers_file")
    result = Result(survey_id, root, spoiled, tuple(_opened(number, line) for number, line in rest))
    if result.digest != digest:
        raise Refused("answers_changed")
    return result


def _box(number: int, line: bytes) -> Box:
    try:
        found = json.loads(line)
        return Box(_text(found["stratum"]), b64decode(found["sealed"], validate=True))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("line_unreadable", str(number)) from error


def _answer_line(one: Opened) -> bytes:
    return canonical_json({"stratum": one.stratum, **written(one.envelope)})


def _opened(number: int, line: bytes) -> Opened:
    try:
        found = json.loads(line)
        opened = Opened(_text(found["stratum"]), read(found))
        _answer_line(opened)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("line_unreadable", str(number)) from error
    return opened


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value
