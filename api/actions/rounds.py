"""The office takes a round further: extend it, freeze it, publish it, correct what it published.

Frozen and published are never one flag. Freezing is one person's act and cannot be taken back: from then on no answer
is accepted. Publishing is a second person's: the units see their results. What nobody handed in goes with the freeze:
its drafts are deleted.
"""

from datetime import datetime

from sqlalchemy import Connection

from api.actions.ballots import close_if_sealed
from api.actions.due import day_of
from api.actions.publication import standing_publication
from api.store import closings, people, results, rounds
from api.store.objections import undecided_in
from api.store.open_matters import OpenMatters, open_matters
from api.store.owed import emit, is_owed
from api.store.rounds import RoundState
from api.store.windows import drop_drafts_of
from survey_forms.refusal import Fault, Refused

MOST_TOLD = 12  # inputs that a refusal names one by one; their number is told whole
FROZEN_ONCE = 1  # the version of the obligation that a freeze leaves: a round is frozen once


def freeze(connection: Connection, round_id: int, staff_id: int, now: datetime) -> None:
    """Accept no more answers: each one is wholly before the freeze, and counts, or is refused.

    Freezing a frozen round changes nothing.

    Raises:
        Refused: `not_found`; `round_not_open` where the round is neither open nor frozen.
    """
    held = _hold(connection, round_id)
    if held.status == "frozen":
        return
    if held.status != "open":
        raise Refused("round_not_open")
    surveys = rounds.surveys_of_round(connection, round_id)
    rounds.shut_out_answers(connection, surveys)
    drop_drafts_of(connection, surveys)
    rounds.mark_frozen(connection, round_id, staff_id, now)
    for survey_id in surveys:
        close_if_sealed(connection, survey_id, staff_id, now)
        emit(connection, "quality", f"{survey_id}:round", FROZEN_ONCE)
    emit(connection, "compose", f"{held.evaluation_id}:round:{round_id}", FROZEN_ONCE)
    emit(connection, "checkpoints", str(round_id), FROZEN_ONCE)
    people.record_act(connection, "round_frozen", now, staff_id, round=round_id)


def publish(connection: Connection, round_id: int, staff_id: int, now: datetime) -> None:
    """Show the units their results; whoever froze the round cannot.

    Publishing a published round changes nothing.

    Raises:
        Refused: `not_found`; `round_not_frozen`; `publisher_froze`; else all that is missing (`missing_to_publish`).
    """
    held = _hold(connection, round_id)
    if held.status == "published":
        return
    if held.status != "frozen":
        raise Refused("round_not_frozen")
    if held.frozen_by == staff_id:
        raise Refused("publisher_froze")
    digest = _pin(connection, held, now)
    rounds.mark_published(connection, round_id, digest, staff_id, now)
    people.record_act(connection, "round_published", now, staff_id, round=round_id, inputs_digest=digest)


def publish_correction(connection: Connection, round_id: int, reason: str, staff_id: int, now: datetime) -> None:
    """Show the units what stands now instead of what was published; somebody else than published last does it.

    What was published before stays kept, and in the round's history.

    Raises:
        Refused: `not_found`; `round_not_published`, while another round of the evaluation is not, too;
            `correction_elsewhere`; `corrector_published`; `correction_reason_missing`; `nothing_to_correct`; else all
            that is missing (`missing_to_publish`).
    """
    held = _hold(connection, round_id)
    standing = standing_publication(connection, held.evaluation_id)
    if standing is None:
        raise Refused("round_not_published")
    if standing.id != round_id:
        raise Refused("correction_elsewhere")
    if held.last_publisher == staff_id:
        raise Refused("corrector_published")
    if not reason.strip():
        raise Refused("correction_reason_missing", "correction")
    digest = _pin(connection, held, now)
    if digest == held.published_digest:
        raise Refused("nothing_to_correct")
    rounds.mark_corrected(connection, round_id, digest, staff_id, now)
    people.record_act(
        connection,
        "round_corrected",
        now,
        staff_id,
        round=round_id,
        inputs_digest=digest,
        instead_of=held.published_digest,
        reason=reason.strip(),
    )


def _pin(connection: Connection, held: RoundState, now: datetime) -> str:
    """Keep the composite that stands now for good; its digest. No other is computed until the transaction ends."""
    results.hold_composites(connection, held.evaluation_id)
    missing = missing_to_publish(connection, held, now)
    composite = results.latest_composite(connection, held.evaluation_id)
    if missing or composite is None:
        raise Refused.of(missing)
    results.pin_composite(connection, composite.id)
    return composite.inputs_digest


def missing_to_publish(connection: Connection, held: RoundState, now: datetime) -> list[Fault]:
    """What stands between a round and its publication: matters under way, answers to count, a composite to complete.

    Read in the order in which work passes from one to the next, so that what the worker finishes meanwhile is seen at
    the next station and never slips between two.
    """
    matters = open_matters(connection, held.evaluation_id, now)
    objected = undecided_in(connection, held.evaluation_id)
    surveys = rounds.surveys_of_round(connection, held.id)
    sealed = closings.ballots_to_count(connection, surveys)
    uncounted = rounds.answers_uncounted(connection, surveys)
    is_behind = is_owed(connection, "compose", str(held.evaluation_id))
    composite = results.latest_composite(connection, held.evaluation_id)
    missing = [Fault("ballot_uncounted", str(survey_id)) for survey_id in sealed]
    missing += _under_way(matters)
    if objected:
        missing.append(Fault("objections_undecided", "", {"number": objected}))
    if uncounted:
        missing.append(Fault("answers_uncounted", "", {"number": uncounted}))
    if is_behind:
        missing.append(Fault("composite_behind"))
    if composite is None:
        missing.append(Fault("composite_none"))
    elif composite.output is None:
        missing.append(Fault("composite_incomplete", "", {"number": len(composite.problems)}))
        missing += [Fault(one["code"], one["path"], one["facts"]) for one in composite.problems[:MOST_TOLD]]
    return missing


def _under_way(matters: OpenMatters) -> list[Fault]:
    counts = {
        "findings_undecided": matters.findings,
        "reversals_undecided": matters.reversals,
        "deductions_untold": matters.untold,
    }
    faults = [Fault(code, "", {"number": number}) for code, number in counts.items() if number]
    if matters.terms and matters.term_ends:
        last = day_of(matters.term_ends).isoformat()
        faults.append(Fault("objection_terms_running", "", {"number": matters.terms, "last": last}))
    return faults


def extend(  # noqa: PLR0913, PLR0917 - who, what, until when, why
    connection: Connection, round_id: int, closes_at: datetime, reason: str, staff_id: int, now: datetime
) -> None:
    """Let an open round, and the surveys that end with it, end later.

    Raises:
        Refused: `not_found`; `round_not_open`; `extension_reason_missing`; `extension_not_later` than its end and now.
    """
    held = _hold(connection, round_id)
    if held.status != "open":
        raise Refused("round_not_open")
    faults = []
    if closes_at <= max(held.closes_at, now):
        faults.append(Fault("extension_not_later", "closes_at"))
    if not reason.strip():
        faults.append(Fault("extension_reason_missing", "reason"))
    if faults:
        raise Refused.of(faults)
    rounds.move_end(connection, held, closes_at)
    people.record_act(
        connection,
        "round_extended",
        now,
        staff_id,
        round=round_id,
        before=held.closes_at.isoformat(),
        after=closes_at.isoformat(),
        reason=reason.strip(),
    )


def _hold(connection: Connection, round_id: int) -> RoundState:
    held = rounds.hold_round(connection, round_id)
    if held is None:
        raise Refused("not_found")
    return held
