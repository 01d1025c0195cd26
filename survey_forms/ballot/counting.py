"""The count, as it happens at a table without network: are these the published boxes, open them, shuffle, forget."""

from collections.abc import Callable, Iterable, Iterator

from survey_forms.ballot.crowds import in_crowds
from survey_forms.ballot.envelope import unpack
from survey_forms.ballot.files import Export, Opened, Result
from survey_forms.ballot.roots import box_root, counts_of
from survey_forms.ballot.seal import open_box, public_key_of
from survey_forms.ballot.shuffle import shuffled
from survey_forms.refusal import Fault, Refused

MOST_TOLD = 20  # strata that a refusal names one by one


def count_boxes(export: Export, private_key: bytes, choose: Callable[[int], int]) -> Result:
    """All answers in the boxes of an export, shuffled within each stratum, telling only what crowds tell.

    A box that does not open, or holds no envelope, is spoiled: it is counted as such and stops no other.

    Args:
        export: the closing as it was published, and its boxes.
        private_key: the campaign's, joined from two shares.
        choose: chance; `choose(k)` returns one of 0..k-1.

    Raises:
        Refused: the key is not the campaign's (`shares_of_another_key`), or the boxes are not those published
            (`export_count_differs` by stratum, `export_root_differs`, `box_twice`).
    """
    check_export(export, private_key)
    answers: list[Opened] = []
    spoiled: list[str] = []
    for box in export.boxes:
        try:
            plain = open_box(private_key, export.closing.survey_id, box.stratum, box.sealed)
            answers.append(Opened(box.stratum, unpack(plain)))
        except Refused:
            spoiled.append(box.stratum)
    return Result(
        export.closing.survey_id,
        export.closing.box_root,
        counts_of(spoiled),
        tuple(_by_stratum(in_crowds(answers), choose)),
    )


def check_export(export: Export, private_key: bytes) -> None:
    """Refuse what does not fit the closing, all of it at once."""
    closing, faults = export.closing, []
    if public_key_of(private_key).hex() != closing.public_key:
        faults.append(Fault("shares_of_another_key"))
    found = counts_of(box.stratum for box in export.boxes)
    differing = sorted(one for one in {*found, *closing.counts} if found.get(one, 0) != closing.counts.get(one, 0))
    faults += [
        Fault("export_count_differs", one, {"found": found.get(one, 0), "published": closing.counts.get(one, 0)})
        for one in differing[:MOST_TOLD]
    ]
    if len({box.digest for box in export.boxes}) < len(export.boxes):
        faults.append(Fault("box_twice"))
    if box_root(export.boxes).hex() != closing.box_root:
        faults.append(Fault("export_root_differs"))
    if faults:
        raise Refused.of(faults)


def _by_stratum(answers: Iterable[Opened], choose: Callable[[int], int]) -> Iterator[Opened]:
    by_stratum: dict[str, list[Opened]] = {}
    for one in answers:
        by_stratum.setdefault(one.stratum, []).append(one)
    for stratum in sorted(by_stratum):
        yield from shuffled(by_stratum[stratum], choose)
