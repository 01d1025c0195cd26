"""Quotas on the desk: how far each cell has come, the sheet that makes them, closing and reopening with a reason."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, redirect, request
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import quotas
from api.actions.quota_sheet import COLUMNS, set_cells
from api.auth import allow, current_staff
from api.downloads import Sheet, csv_lines
from api.pages.charts import Share, share_chart
from api.pages.render import language, named, page, t
from api.pages.survey_in_view import survey_in_view
from api.pages.ui import percent
from api.problems import say, status_of
from api.services import services, utc_now
from api.store.quotas import QuotaCell, cells_of
from survey_forms.refusal import Refused
from survey_forms.sampling.traits import wcell_of

pages = Blueprint("quotas", __name__, url_prefix="/office/quotas")

Act = Callable[[Connection, datetime], object]


@pages.get("/<int(max=2147483647):survey_id>")
@allow("office", "supervisor")
def state(survey_id: int) -> Response:
    """Every cell: its places, how many are taken and complete, and the forms to change it."""
    return _page(survey_id)


@pages.post("/<int(max=2147483647):survey_id>")
@allow("office")
def change(survey_id: int) -> Response:
    """Make the cells those of the pasted sheet."""
    sheet, staff = request.form.get("sheet", "").encode(), current_staff().id
    return _do(survey_id, lambda connection, now: set_cells(connection, survey_id, sheet, staff, now))


@pages.post("/<int(max=2147483647):survey_id>/<int(max=2147483647):cell_id>")
@allow("office", "supervisor")
def close(survey_id: int, cell_id: int) -> Response:
    """Close a cell softly or hard, or open it again."""
    reason, closing, staff = request.form.get("reason", ""), request.form.get("closing", ""), current_staff().id
    if closing == "open":
        return _do(survey_id, lambda c, now: quotas.reopen_cell(c, survey_id, cell_id, reason, staff, now), cell_id)
    return _do(survey_id, lambda c, now: quotas.close_cell(c, survey_id, cell_id, closing, reason, staff, now), cell_id)


@pages.get("/<int(max=2147483647):survey_id>.csv")
@allow("office", "supervisor")
def download(survey_id: int) -> Response:
    """The cells as a sheet that can be pasted back."""
    with services().database.read() as connection:
        survey_in_view(connection, survey_id)
        rows = _rows(cells_of(connection, survey_id))
    response = Response(csv_lines(Sheet("quotas", COLUMNS, rows)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="quotas-{survey_id}.csv"'
    return response


def _do(survey_id: int, act: Act, cell_id: int | None = None) -> Response:
    try:
        with services().database.write() as connection:
            survey_in_view(connection, survey_id)
            act(connection, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "try_again"}:
            raise
        return _page(survey_id, refused, cell_id)
    return redirect(f"/office/quotas/{survey_id}", 303)


def _page(survey_id: int, refused: Refused | None = None, about: int | None = None) -> Response:
    faults = refused.faults if refused else ()
    with services().database.read() as connection:
        evaluation, survey = survey_in_view(connection, survey_id)
        cells = cells_of(connection, survey_id)
    fields = {"reason": f"reason-{about}", "closing": f"closing-{about}-1"}
    told = [(fields.get(fault.path, "sheet") if about else "sheet", say(fault, language())) for fault in faults]
    return page(
        "supervisor/quotas.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        survey=survey,
        cells=cells,
        chart=_chart(cells),
        columns=COLUMNS,
        sheet=request.form.get("sheet") or _sheet(cells),
        faults=told,
        wrong=dict(reversed(told)),
        given=request.form,
        about=about,
        traits=lambda cell: wcell_of(cell.traits, ""),
    )


def _chart(cells: list[QuotaCell]) -> Markup:
    shares = [
        Share(
            named(cell),
            cell.taken,
            cell.places,
            f"{cell.taken} / {cell.places} · {percent(cell.taken / cell.places if cell.places else None)}",
        )
        for cell in cells
    ]
    full = sum(cell.taken == cell.places for cell in cells)
    title = t("各配额格的名额", "Places of each quota cell")
    return share_chart(shares, title, t("%d 格，其中 %d 格已满", "%d cells, %d of them full") % (len(cells), full))


def _rows(cells: list[QuotaCell]) -> list[list[str | int]]:
    return [[c.name_zh, c.name_en, wcell_of(c.traits, ""), c.places, c.set_priority] for c in cells]


def _sheet(cells: list[QuotaCell]) -> str:
    lines = [",".join(COLUMNS), *(",".join(str(value) for value in row) for row in _rows(cells))]
    return "\n".join(lines)
