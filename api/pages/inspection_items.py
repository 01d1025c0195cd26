"""The item list (抽查事项清单) at the office's desk."""

from collections.abc import Mapping

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from api.actions.inspection_items import CLASSES, ItemSaid, components_of, enter_item, withdraw_item
from api.auth import allow, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.directories import told
from api.pages.field_forms import read_line, read_whole
from api.pages.render import page, t
from api.problems import status_of
from api.services import services, utc_now
from api.store.inspection_draws import checklists, items_of
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_scheme

pages = Blueprint("inspection_items", __name__, url_prefix="/office/directories/items")

MOST_CHECKLISTS = 100


@pages.get("")
@allow("office")
def items() -> Response:
    """The item list, and the form for an item."""
    return _items()


@pages.post("")
@allow("office")
def item() -> Response:
    """Enter an item, change the one with its code, or withdraw one."""
    form, staff_id, now = request.form, current_staff().id, utc_now()
    try:
        with services().database.write() as connection:
            if form.get("do") == "withdraw":
                withdraw_item(connection, read_whole(form, "item"), staff_id, now)
            else:
                enter_item(connection, evaluation_in_view(connection).id, _item_said(form), staff_id, now)
    except Refused as refused:
        return _items(form, refused)
    return redirect("/office/directories/items", 303)


def _item_said(form: Mapping[str, str]) -> ItemSaid:
    return ItemSaid(
        code=read_line(form, "code"),
        name_zh=read_line(form, "name_zh"),
        name_en=read_line(form, "name_en"),
        key_item=form.get("key_item") == "yes",
        component=read_line(form, "component"),
        skill=read_line(form, "skill"),
        rates={
            name: (form.get(f"share_{name}", ""), form.get(f"least_{name}", ""), form.get(f"times_{name}", ""))
            for name in CLASSES
        },
        form_version=read_line(form, "form_version"),
    )


def _items(given: Mapping[str, str] | None = None, refused: Refused | None = None) -> Response:
    status = status_of(refused.code) if refused else 200
    if refused and status not in {409, 422}:
        raise refused
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        listed = items_of(connection, evaluation.id)
        components = components_of(connection, evaluation.id)
        forms = checklists(connection, MOST_CHECKLISTS)
    names = {one.path: (one.zh, one.en) for one in load_scheme(evaluation.scheme).components}
    faults = told(refused.faults) if refused else []
    return page(
        "inspections/items.html",
        status,
        evaluation=evaluation,
        here="/office/inspections",
        items=listed,
        classes=CLASSES,
        checklists=[(version, f"{name} · {version[:8]}") for version, name in forms],
        components=[(one, t(*names.get(one, (one, one)))) for one in components],
        names=names,
        given=given or {},
        faults=faults,
        wrong=dict(faults),
    )
