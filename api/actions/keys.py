"""The campaign key of a sealed survey: the office uploads the public half, the custodians show that theirs opens it.

Before that no round with the survey opens: a key that nobody can join again would lose every answer.
"""

import secrets
from datetime import datetime

from sqlalchemy import Connection

from api.actions.tally import form_of_version
from api.store import boxes, people, surveys, windows
from api.store.boxes import Key
from api.store.windows import Window
from survey_forms.ballot.keys import read_public
from survey_forms.ballot.rehearsal import BALLOTS, WORD_BYTES, read_proof, seal_tests, word_hash, write_tests
from survey_forms.ballot.seal import KEY_LENGTH
from survey_forms.forms.model import Form
from survey_forms.refusal import Fault, Refused


def add_key(connection: Connection, survey_id: int, content: bytes, staff_id: int, now: datetime) -> None:
    """Keep the public half of a survey's key; in the place of another one as long as the round is in draft.

    Raises:
        Refused: `not_found`; `survey_not_sealed`; `key_after_opening`; what `read_public` refuses;
            `key_of_other_survey`; `sealed_form_with_pictures` for each questionnaire that asks for pictures.
    """
    _hold(connection, survey_id)
    key = read_public(content)
    other = boxes.survey_with_key(connection, key.public_key)
    if other not in {None, survey_id}:
        raise Refused("key_of_other_survey", "key", survey=other)
    if faults := forms_with_pictures(connection, survey_id):
        raise Refused.of(faults)
    boxes.put_key(connection, survey_id, key.public_key, key.custodians, [], staff_id, now)
    people.record_act(
        connection,
        "campaign_key_added",
        now,
        staff_id,
        survey=survey_id,
        public_key=key.public_key.hex(),
        custodians=list(key.custodians),
    )


def new_tests(connection: Connection, survey_id: int, staff_id: int, now: datetime) -> bytes:
    """Fresh test ballots for the custodians; of their words only the hashes stay here.

    Raises:
        Refused: `not_found`; `survey_not_sealed`; `key_after_opening`; `campaign_key_missing`.
    """
    _hold(connection, survey_id)
    key = _key(connection, survey_id)
    words = [secrets.token_hex(WORD_BYTES) for _ in range(BALLOTS)]
    tests = seal_tests(key.public_key, survey_id, words, [secrets.token_bytes(KEY_LENGTH) for _ in words])
    boxes.put_tests(connection, survey_id, [word_hash(word) for word in words])
    people.record_act(connection, "rehearsal_begun", now, staff_id, survey=survey_id)
    return write_tests(tests)


def rehearse(connection: Connection, survey_id: int, content: bytes, staff_id: int, now: datetime) -> None:
    """Compare what two custodians read in the test ballots; when it is right, the round may open.

    Raises:
        Refused: `not_found`; `survey_not_sealed`; `key_after_opening`; `campaign_key_missing`; `rehearser_added_key`,
            for it takes another person; `not_a_rehearsal_file`; `rehearsal_wrong`.
    """
    _hold(connection, survey_id)
    key = _key(connection, survey_id)
    if key.rehearsed_at is not None:
        return
    if key.added_by == staff_id:
        raise Refused("rehearser_added_key")
    survey, words = read_proof(content)
    if survey != survey_id or not key.tests or tuple(map(word_hash, words)) != key.tests:
        raise Refused("rehearsal_wrong", "proof")
    if faults := forms_with_pictures(connection, survey_id):
        raise Refused.of(faults)
    boxes.mark_rehearsed(connection, survey_id, staff_id, now)
    people.record_act(connection, "rehearsal_passed", now, staff_id, survey=survey_id, public_key=key.public_key.hex())


def forms_with_pictures(connection: Connection, survey_id: int) -> list[Fault]:
    """The questionnaires of a survey that ask for pictures: a picture does not fit a box of one size."""
    asking = sorted(
        {
            group.form_version
            for group in surveys.groups_of(connection, survey_id)
            if asks_for_pictures(form_of_version(connection, group.form_version))
        }
    )
    return [Fault("sealed_form_with_pictures", version[:12]) for version in asking]


def asks_for_pictures(form: Form) -> bool:
    """Whether a questionnaire has an image question."""
    return any(step.question is not None and step.question.type == "image" for step in form.steps)


def _hold(connection: Connection, survey_id: int) -> Window:
    window = windows.hold_window(connection, survey_id)
    if window is None:
        raise Refused("not_found")
    if window.secrecy != "sealed":
        raise Refused("survey_not_sealed")
    if window.round_status != "draft":
        raise Refused("key_after_opening")
    return window


def _key(connection: Connection, survey_id: int) -> Key:
    key = boxes.key_of(connection, survey_id, hold=True)
    if key is None:
        raise Refused("campaign_key_missing")
    return key
