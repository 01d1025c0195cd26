"""What the page of a frame shows: its strata against the survey's, its plans, its draw, the reserves let out."""

from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from api.actions.frames import OPEN_ROUNDS
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import draws, frames, surveys
from api.store.evaluations import evaluation_numbered
from api.store.reserves import lost_of, releases_of, reserves_of
from api.store.surveys import Stratum
from api.store.windows import window_of
from survey_forms.estimation.outcomes import CODES
from survey_forms.refusal import Fault, Refused

FIELDS = frozenset({"randomness", "checked"})
MOST_LOST = 50
UNSAID = {"known": "…", "strata": "…", "form": "…"}
"""Facts that a kept refusal no longer has."""


@dataclass(frozen=True, slots=True)
class Line:
    """A stratum of the survey, and how many members the frame has of it."""

    stratum: Stratum
    members: int

    @property
    def differs(self) -> bool:
        """Whether the survey's population is another number."""
        return self.members != self.stratum.population


def frame_page(number: int, refused: Refused | None = None) -> Response:
    """The page, with what was refused on it.

    Raises:
        Refused: `not_found`, and `refused` itself where it is no matter of the page.
    """
    if refused is not None and refused.code in {"not_found", "try_again"}:
        raise refused
    with services().database.read() as connection:
        found = frames.frame_numbered(connection, number)
        window = window_of(connection, found.survey_id) if found else None
        if found is None or window is None:
            raise Refused("not_found")
        sizes = frames.sizes_of(connection, number)
        lines = [Line(one, sizes.get(one.code, 0)) for one in surveys.strata_of(connection, found.survey_id)]
        evaluation = evaluation_numbered(connection, window.evaluation_id)
        drawn = draws.draw_of(connection, number)
        plans = draws.plans_of(connection, number)
        refusals = draws.refusals_of(connection, number)
        reserves = reserves_of(connection, drawn.id) if drawn else {}
        releases = releases_of(connection, drawn.id) if drawn else []
        lost = lost_of(connection, drawn.id, MOST_LOST) if drawn else []
    told = [
        (fault.path if fault.path in FIELDS else "", say(fault, language()))
        for fault in (refused.faults if refused else ())
    ]
    return page(
        "office/frame.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        window=window,
        frame=found,
        lines=lines,
        may=window.round_status in OPEN_ROUNDS,
        plans=plans,
        draw=drawn,
        reserves=reserves,
        releases=releases,
        lost=[(one, CODES[one.outcome] if one.outcome else None) for one in lost],
        refusals=[(one.tried_at, say(Fault(one.code, "", UNSAID), language())) for one in refusals],
        names={line.stratum.code: line.stratum for line in lines},
        faults=told,
        wrong=dict(reversed(told)),
        given=request.form,
        now=utc_now(),
        here="/office/frames",
    )
