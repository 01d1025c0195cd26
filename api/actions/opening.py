"""Opening a round: a second person looks at what the first one set up, and from then on codes are good."""

from datetime import datetime

from sqlalchemy import Connection

from api.store import people, rounds, survey_setup
from survey_forms.refusal import Fault, Refused

MOST_TOLD = 12


def missing_to_open(connection: Connection, round_id: int) -> list[Fault]:
    """What stands between a round in draft and its opening; a path begins with the survey's number."""
    survey_ids = rounds.surveys_of_round(connection, round_id)
    missing = [] if survey_ids else [Fault("round_without_survey")]
    for survey_id in survey_ids:
        path = str(survey_id)
        if not survey_setup.is_rehearsed(connection, survey_id):
            missing.append(Fault("ballot_not_rehearsed", path))
        if not survey_setup.has_notice(connection, survey_id):
            missing.append(Fault("notice_missing", path))
        if empty := survey_setup.strata_unreached(connection, survey_id):
            told = "、".join(empty[:MOST_TOLD]) + ("……" if len(empty) > MOST_TOLD else "")
            missing.append(Fault("codes_missing", path, {"strata": told, "number": len(empty)}))
    return missing


def open_round(connection: Connection, round_id: int, staff_id: int, now: datetime) -> None:
    """Accept answers from the survey's first moment on. Opening an open round changes nothing.

    Raises:
        Refused: `not_found`; `round_not_draft`; `opener_set_up`, for it takes another person; all that is missing.
    """
    held = rounds.hold_round(connection, round_id)
    if held is None:
        raise Refused("not_found")
    if held.status == "open":
        return
    if held.status != "draft":
        raise Refused("round_not_draft")
    if survey_setup.maker_of(connection, round_id) == staff_id:
        raise Refused("opener_set_up")
    if missing := missing_to_open(connection, round_id):
        raise Refused.of(missing)
    survey_setup.mark_opened(connection, round_id, staff_id, now)
    people.record_act(connection, "round_opened", now, staff_id, round=round_id)
