"""`/healthz`: whether this process can serve, for the supervisor of a container. It tells nothing else to anybody."""

from flask import Blueprint, jsonify
from sqlalchemy import select
from werkzeug.wrappers import Response

from api.auth import allow_anyone
from api.services import services
from api.store import owed
from survey_forms.refusal import Refused

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@allow_anyone
def health() -> Response:
    """200 while answers can be accepted; the queue may be `degraded` (Redis away) or `stopped` and they still are."""
    try:
        with services().database.read() as connection:
            connection.execute(select(1))
            queue = owed.state_of(connection, owed.DISPATCHER)
    except Refused:
        response = jsonify(database="away", queue="unknown")
        response.status_code = 503
    else:
        response = jsonify(database="ok", queue=queue)
    response.headers["Cache-Control"] = "no-store"
    return response
