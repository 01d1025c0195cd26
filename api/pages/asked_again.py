"""Pages of inspection planning; after a refusal the same page again, with what was wrong and all that was filled in."""

from werkzeug.wrappers import Response

from api.pages.inspection_words import told
from api.pages.render import page
from api.problems import status_of
from survey_forms.refusal import Refused


def asked_again(template: str, refused: Refused | None, *, has_fields: bool = True, **facts: object) -> Response:
    """The page under `/office/inspections`; a fault leads to the field of its name where `has_fields`.

    Raises:
        Refused: the same, where the form could do nothing about it: not found, not allowed, try again.
    """
    if refused is not None and status_of(refused.code) not in {409, 422}:
        raise refused
    faults = [(path if has_fields else "", words) for path, words in told(refused.faults)] if refused else []
    status = status_of(refused.code) if refused else 200
    return page(template, status, here="/office/inspections", faults=faults, wrong=dict(faults), **facts)
