"""Where the office covers faces and plates on a photo: by dragging, or by four numbers a rectangle."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from api.actions.blurring import MOST_COVERS, cover, read_covers
from api.auth import allow, current_staff
from api.evidence.decoder import Decoder
from api.pages import inspection_words
from api.pages.render import page
from api.problems import status_of
from api.services import services, utc_now
from api.store.photos import Photo, blurrer_of, photo_hashed
from survey_forms.refusal import Fault, Refused

pages = Blueprint("blurring", __name__, url_prefix="/office/photos")
inspection_words.init_pages(pages)

SIDES = ("x", "y", "width", "height")
SPARE_ROWS = 4


@pages.get("/<name>/cover")
@allow("office")
def show(name: str) -> Response:
    """Show the clean copy, what is covered on it, and who covered it."""
    return _page(_photo(name))


@pages.post("/<name>/cover")
@allow("office")
def save(name: str) -> Response:
    """Cover the rectangles given; none uncovers the photo."""
    photo = _photo(name)
    rows = [[request.form.get(f"{side}-{place}", "") for side in SIDES] for place in range(1, MOST_COVERS + 2)]
    try:
        covers = read_covers(rows)
        with Decoder() as decoder, services().database.write() as connection:
            cover(connection, services().objects, decoder, photo.sha256, covers, current_staff().id, utc_now())
    except Refused as refused:
        given = [row for row in rows if any(row)]
        return _page(photo, status_of(refused.code), refused.faults, given)
    return redirect(url_for("blurring.show", name=photo.name), 303)


def _photo(name: str) -> Photo:
    try:
        digest = bytes.fromhex(name)
    except ValueError as error:
        raise Refused("not_found") from error
    with services().database.read() as connection:
        photo = photo_hashed(connection, digest)
    if photo is None:
        raise Refused("not_found")
    return photo


def _page(
    photo: Photo, status: int = 200, faults: tuple[Fault, ...] = (), given: list[list[str]] | None = None
) -> Response:
    with services().database.read() as connection:
        who = blurrer_of(connection, photo.sha256)
    rows = given if given is not None else [[_percent(share) for share in one] for one in photo.blurs or []]
    rows += [[""] * len(SIDES) for _ in range(min(SPARE_ROWS, MOST_COVERS - len(rows)))]
    return page(
        "office/cover.html",
        status,
        photo=photo,
        who=who,
        rows=rows,
        sides=SIDES,
        faults=inspection_words.told(faults),
        here="/office/findings",
    )


def _percent(share: float) -> str:
    return f"{share * 100:.2f}".rstrip("0").rstrip(".")
