"""Which evaluation the desk's pages show: the one that was chosen, else the newest."""

from flask import Flask, g, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.store import evaluations
from api.store.evaluations import Evaluation
from survey_forms.refusal import Refused

EVALUATION_COOKIE = "mc_evaluation"


def init_app(app: Flask) -> None:
    """Let the choice of an evaluation outlast the page on which it was made."""
    app.after_request(_remember_choice)


def _remember_choice(response: Response) -> Response:
    if "chosen_evaluation" in g:
        response.set_cookie(EVALUATION_COOKIE, g.chosen_evaluation, httponly=True, samesite="Lax")
    return response


def evaluation_in_view(connection: Connection) -> Evaluation:
    """The evaluation that this request is about: `?evaluation=code`, else the cookie's, else the newest.

    Raises:
        Refused: `no_evaluation` while there is none, `not_found` where the address names an unknown one.
    """
    asked = request.args.get("evaluation", "")
    if asked:
        found = evaluations.evaluation_called(connection, asked)
        if found is None:
            raise Refused("not_found", "evaluation")
        g.chosen_evaluation = found.code
        return found
    chosen = request.cookies.get(EVALUATION_COOKIE, "")
    known = evaluations.evaluations(connection)
    if not known:
        raise Refused("no_evaluation")
    return next((one for one in known if one.code == chosen), known[0])


def number_in_address(name: str) -> int:
    """A page number from the address, 1 where there is none.

    Raises:
        Refused: `not_found` for anything else.
    """
    text = request.args.get(name, "1")
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text)):
        raise Refused("not_found", name)
    return int(text)
