"""The survey that a supervisor's or the office's page is about, with the evaluation that it belongs to."""

from sqlalchemy import Connection

from api.store import evaluations
from api.store.evaluations import Evaluation
from api.store.windows import Window, window_of
from survey_forms.refusal import Refused


def survey_in_view(connection: Connection, survey_id: int) -> tuple[Evaluation, Window]:
    """The survey of that number.

    Raises:
        Refused: `not_found`.
    """
    window = window_of(connection, survey_id)
    if window is None:
        raise Refused("not_found")
    return evaluations.evaluation_numbered(connection, window.evaluation_id), window
