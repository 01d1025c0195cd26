"""What reading a workbook cell by cell has found so far."""

from dataclasses import dataclass, field

from survey_forms.forms.lint_logic import Names
from survey_forms.forms.tables import Table
from survey_forms.refusal import Fault

Where = dict[tuple[str, str], tuple[Table, int, str]]
"""(name, XLSForm column) → the table, row and column where the author wrote it."""


@dataclass(slots=True)
class Linted:
    """What goes on to pyxform, what was wrong, what was put right, and where each name stands.

    `fatal` says that the faults leave nothing worth converting; `logic` holds every expression that was not
    refused (name, column, expression), for the forms of which nothing better can be said.
    """

    survey: list[dict[str, str]] = field(default_factory=list)
    choices: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    where: Where = field(default_factory=dict)
    logic: list[tuple[str, str, str]] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    fatal: bool = False

    def wrong(self, fault: Fault) -> None:
        """A fault of structure: without the cell there is no form."""
        self.faults.append(fault)
        self.fatal = True

    def place(self, rows: list[dict[str, str]], number: int, row: dict[str, str]) -> None:
        """Keep pyxform's row numbers those of the sheet: the first row below the header is number 2."""
        rows.extend({} for _ in range(number - 2 - len(rows)))
        rows.append({name: text for name, text in row.items() if text})
