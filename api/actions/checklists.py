"""Checklists: forms that go to the inspector's phone, and what the real form says of the answers that come back.

The phone works a checklist out by itself (`survey_forms.forms.portable`) and its verdict is not believed: the compiled
form reads the answers again. Whatever it finds is told beside the visit. A visit is never refused for its checklist.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from api.actions.tally import form_of_version
from api.problems import LANGUAGES, say
from api.store.surveys import xform_of
from survey_forms.forms.answers import read_answers
from survey_forms.forms.fields import LONGEST_TEXT
from survey_forms.forms.model import Json
from survey_forms.forms.portable import not_portable, portable
from survey_forms.refusal import Fault, Refused

_WRONG = (
    *("required", "constraint", "not_a_choice", "not_whole_number", "not_number", "not_a_day"),
    *("too_long", "unreadable"),
)
"""What `logic.js` can find wrong with one answer: the server's own codes without `answer_`."""

_PORTABLE: dict[str, Mapping[str, Json]] = {}
"""Forms as phones read them, by version; a version is the SHA-256 of its form, so an entry is never out of date."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A checklist under its form: what is missing or wrong (`path` names the question), and whether nothing is."""

    faults: tuple[Fault, ...]

    @property
    def complete(self) -> bool:
        """Every question that had to be asked has an answer that fits."""
        return not self.faults

    def in_words(self) -> list[dict[str, str]]:
        """The faults as they are kept with the visit: question, code and both sentences."""
        return [
            {"path": fault.path, "code": fault.code, "zh": say(fault, "zh"), "en": say(fault, "en")}
            for fault in self.faults
        ]


def check_answers(connection: Connection, version: str, answers: Mapping[str, str], day: date) -> Checked:
    """A phone's answers read by the compiled form; `day` is what `today()` meant: the visit's day in China.

    Never raises for what was answered; a version that there is not is a fault as well.
    """
    if xform_of(connection, version) is None:
        return Checked((Fault("checklist_form_unknown", "form", {"version": version}),))
    form = form_of_version(connection, version)
    try:
        read_answers(form, answers, day)
    except Refused as refused:
        return Checked(refused.faults)
    return Checked(())


def unfit_for_phones(connection: Connection, version: str) -> list[Fault]:
    """Why a form cannot be a checklist: for each question what a phone cannot do; empty when it can ask all of it.

    Raises:
        Refused: `form_gone`.
    """
    return not_portable(form_of_version(connection, version))


def forms_for_phones(connection: Connection, versions: Iterable[str]) -> dict[str, Mapping[str, Json]]:
    """The portable form of each version, with the sentences for what can be wrong.

    One that phones cannot ask is left out; no item can have chosen it.
    """
    for version in set(versions) - _PORTABLE.keys():
        form = form_of_version(connection, version)
        if not not_portable(form):
            _PORTABLE[version] = {**portable(form), "sentences": _sentences()}
    return {version: _PORTABLE[version] for version in sorted(set(versions)) if version in _PORTABLE}


def _sentences() -> dict[str, Json]:
    faults = {code: Fault(f"answer_{code}", "", {"limit": LONGEST_TEXT}) for code in _WRONG}
    return {code: {one: say(fault, one) for one in LANGUAGES} for code, fault in faults.items()}
