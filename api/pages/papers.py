"""Papers as downloads: for the office, and for the unit whose matter it is. Never shown in a page, never run."""

from urllib.parse import quote

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from api.actions.papers import AREA, EXTENSIONS
from api.auth import allow, current_staff
from api.pages.evidence import HEADERS
from api.services import services
from api.store.papers import paper_numbered
from survey_forms.refusal import Refused

pages = Blueprint("papers", __name__)


@pages.get("/papers/<int(max=2147483647):paper_id>")
@allow("office", "unit")
def read(paper_id: int) -> Response:
    """Hand a paper out under the name that it was told, with the ending of what it is."""
    staff = current_staff()
    with services().database.read() as connection:
        paper = paper_numbered(connection, paper_id, staff.unit_id if staff.role == "unit" else None)
    content = services().objects.get(AREA, paper.sha256) if paper else None
    if paper is None or content is None:
        raise Refused("not_found")
    response = current_app.response_class(content, mimetype=paper.media_type)
    response.headers.update(HEADERS)
    ending = EXTENSIONS[paper.media_type]
    told = quote(f"{paper.name.rpartition('.')[0] or paper.name}.{ending}", safe="")
    plain = f"{paper.sha256.hex()[:12]}.{ending}"
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{told}"
    return response
