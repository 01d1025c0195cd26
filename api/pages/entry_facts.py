"""Everything a deducted point can be followed to: rule, finding, visit, photos, place, decisions, and what came of it.

The office sees all of it. A unit sees its own entries, and of people only those who decided: it may ask a decider to
stand aside, while an inspector who is named to everybody inspected finds no more. Whoever reads, the figures are
the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup
from sqlalchemy import Connection

from api.actions.checkpoints import Inclusion, Trees, inclusion
from api.actions.inspections import CHINA
from api.pages.checklist_shown import ChecklistShown, checklist_shown
from api.pages.place_drawing import place_drawing
from api.services import services
from api.store import evaluations
from api.store.checkpoints import Kept, last_checkpoint
from api.store.entry_trail import HandedIn, Task, checklists_of, handed_in, task_of
from api.store.evaluations import Evaluation, Unit
from api.store.findings import Finding, finding_numbered
from api.store.inspections import CheckIn, Visit, check_ins_of, visit_numbered
from api.store.ledger import Entry, ReversalRequest, entries_of, people_of, requests_in
from api.store.objections import Objection, objection_of, objection_that_led_to
from api.store.papers import Paper, papers_of_objection, papers_of_rectification
from api.store.photos import Photo, photos_hashed
from api.store.rectifications import Rectification, Step, rectification_of, steps_of
from api.store.signatures import is_signature
from api.store.slips import Slip, slip_of, slips_about
from survey_forms.refusal import Refused
from survey_forms.scheme.components import Component
from survey_forms.scheme.load import load_catalogue, load_scheme
from survey_forms.scheme.model import Aspect, Rule

TREES = Trees()
"""Kept from page to page: a checkpoint never changes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The visit behind an entry, and what it brought."""

    finding: Finding
    visit: Visit
    task: Task
    check_ins: Sequence[CheckIn]
    photos: Sequence[Photo]
    checklists: Sequence[ChecklistShown]
    uploads: Sequence[HandedIn]
    drawing: Markup | None
    shows_signature: bool  # whether its picture has been made clean


@dataclass(frozen=True, slots=True)
class Trail:
    """One entry with all that leads to it and from it."""

    entry: Entry
    unit: Unit
    component: Component | None
    aspect: Aspect | None
    rule: Rule | None
    people: Mapping[int, str]
    seen: Seen | None
    reversed_by: Entry | None
    replaced_by: Entry | None
    requests: Sequence[ReversalRequest]
    objection: Objection | None
    objection_papers: Sequence[Paper]
    made_by: Objection | None  # the objection whose decision made this entry
    rectification: Rectification | None
    steps: Sequence[Step]
    papers: Mapping[int, Sequence[Paper]]  # step → what was handed in with it
    slips: Sequence[Slip]
    checkpoint: Kept | None  # the last one
    proof: Inclusion | None  # in it; none before it comes, or where the ledger no longer meets its checkpoint
    today: date

    @property
    def article(self) -> str:
        """Where the document, or the office's catalogue, says so."""
        return (self.rule.article if self.rule else "") or (self.component.article if self.component else "")

    @property
    def is_contradicted(self) -> bool:
        """Whether the ledger as it stands is not the one that the checkpoint was signed over."""
        return self.proof is None and self.checkpoint is not None and self.entry.seq <= self.checkpoint.size

    @property
    def counts(self) -> bool:
        """Whether its points stand."""
        return self.entry.reverses is None and self.reversed_by is None


def trail_of(connection: Connection, evaluation: Evaluation, seq: int, now: datetime, unit_id: int | None) -> Trail:
    """The entry of that number in that evaluation, and of that unit where one is given.

    Raises:
        Refused: `not_found` for any other number, also where the entry is another unit's.
    """
    entries = entries_of(connection, evaluation.id)
    entry = next((one for one in entries if one.seq == seq), None)
    if entry is None or unit_id not in {None, entry.unit_id}:
        raise Refused("not_found", "entry")
    scheme, catalogue = load_scheme(evaluation.scheme), load_catalogue(evaluation.scheme)
    first = next((one for one in entries if one.seq == entry.reverses), entry)  # a reversal shows what it reverses
    rectification = rectification_of(connection, first.seq)
    objection = objection_of(connection, first.seq)
    headings = (*scheme.aspects, *(catalogue.aspects if catalogue else ()))
    papers: dict[int, list[Paper]] = {}
    for paper in papers_of_rectification(connection, rectification.id) if rectification else ():
        papers.setdefault(paper.step_id or 0, []).append(paper)
    told = slip_of(connection, first.seq)
    kept = last_checkpoint(connection)
    today = now.astimezone(CHINA).date()
    told_on = None if unit_id is None else today
    return Trail(
        entry=entry,
        unit=next(one for one in evaluations.units_of(connection, evaluation.id) if one.id == entry.unit_id),
        component=scheme.by_path.get(entry.component),
        aspect=next((one for one in headings if one.id == entry.aspect and one.of == entry.component), None),
        rule=catalogue.rule(entry.rule) if catalogue else None,
        people=people_of(connection, evaluation.id),
        seen=_seen(connection, first) or _seen(connection, _replaced(entries, first)),
        reversed_by=next((one for one in entries if one.reverses == seq), None),
        replaced_by=next((one for one in entries if one.instead_of == first.seq), None),
        requests=[one for one in requests_in(connection, evaluation.id) if one.seq == first.seq],
        objection=objection,
        objection_papers=papers_of_objection(connection, objection.id) if objection else (),
        made_by=objection_that_led_to(connection, seq),
        rectification=rectification,
        steps=steps_of(connection, rectification.id, told_on) if rectification else (),
        papers=papers,
        slips=[*([told] if told else []), *(slips_about(connection, rectification.id) if rectification else ())],
        checkpoint=kept,
        proof=_proof(connection, seq, kept),
        today=today,
    )


def _shows(connection: Connection, signature: bytes | None) -> bool:
    if signature is None or not is_signature(connection, signature):
        return False
    return services().objects.has("renditions", signature)


def _proof(connection: Connection, seq: int, kept: Kept | None) -> Inclusion | None:
    if kept is None or seq > kept.size:
        return None
    try:
        return inclusion(connection, TREES, seq, kept.size)
    except Refused:  # `ledger_rewritten`: the page says so beside everything else that there is to see
        return None


def _replaced(entries: Sequence[Entry], entry: Entry) -> Entry | None:
    """The entry that this one stands instead of; its finding is that one's."""
    return next((one for one in entries if entry.instead_of is not None and one.seq == entry.instead_of), None)


def _seen(connection: Connection, entry: Entry | None) -> Seen | None:
    finding = finding_numbered(connection, entry.finding_id) if entry and entry.finding_id else None
    visit = visit_numbered(connection, finding.visit_id) if finding else None
    if finding is None or visit is None:
        return None
    check_ins = check_ins_of(connection, visit.id)
    photos = photos_hashed(connection, list(finding.photos))
    day = visit.claimed_at.astimezone(CHINA).date()
    located = any(one.lat is not None for one in check_ins) or any(one.exif_lat is not None for one in photos)
    return Seen(
        finding,
        visit,
        task_of(connection, visit.assignment.id),
        check_ins,
        photos,
        [checklist_shown(one, day) for one in checklists_of(connection, visit.id)],
        handed_in(connection, visit.id),
        place_drawing(visit.assignment.site, check_ins, photos) if located else None,
        _shows(connection, visit.signature),
    )
