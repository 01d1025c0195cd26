"""Where an entry's rows come from: the SPEC's data sets by name, or paths; every file is read once."""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from survey_forms.estimation.spec.data import Table, read_table
from survey_forms.estimation.spec.satisfaction import Satisfaction
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed, printable

Read = Callable[[str], bytes]
"""The bytes of a file by its name, relative to the SPEC's folder; refuses what is not there."""

PARTS = ("cases", "ratings", "margins")
_NONE = (None, "", "none")


class Sources:
    """The data sets that a SPEC names and the files that have been read."""

    def __init__(self, read: Read, datasets: Mapping[str, Any]) -> None:
        self._read = read
        self._datasets = datasets
        self._tables: dict[str, Table] = {}
        self._surveys: dict[tuple[str, ...], Satisfaction] = {}

    def file(self, name: str) -> Table:
        """A CSV file as a table.

        Raises:
            Refused: it is not there or cannot be read as CSV.
        """
        if name not in self._tables:
            self._tables[name] = read_table(self._read(name), printable(name))
        return self._tables[name]

    def table(self, dataset: Any, path: str) -> Table:
        """The one file of a data set.

        Raises:
            Refused: no data set, or one of several files.
        """
        files = self._files(dataset, path)
        if len(files) != 1:
            raise Refused("estimate_dataset_wrong", _at(path), value=brief(dataset), known=listed(self._datasets))
        return self.file(next(iter(files.values())))

    def satisfaction_files(self, dataset: Any, design: Mapping[str, Any], path: str) -> dict[str, str] | None:
        """The files of a satisfaction survey by their part; None if the entry is about one plain table."""
        if "cases" not in design and "ratings" not in design:
            files = {} if dataset in _NONE else self._files(dataset, path)
            return files if {"cases", "ratings"} <= set(files) else None
        if not (isinstance(dataset, str) and dataset not in self._datasets):
            files = self._files(dataset, path)
            if {"cases", "ratings"} <= set(files):
                return files
        found = {part: design[part] for part in PARTS if isinstance(design.get(part), str)}
        if not {"cases", "ratings"} <= set(found):
            raise Refused("estimate_dataset_wrong", _at(path), value=brief(dataset), known=", ".join(PARTS))
        folder = _folder(dataset if isinstance(dataset, str) else "", found["cases"])
        found.setdefault("margins", found["cases"].replace("cases", "margins"))
        return {part: str(PurePath(folder, name)) for part, name in found.items()}

    def satisfaction(self, files: Mapping[str, str]) -> Satisfaction:
        """The satisfaction survey of these files; the margins are read when they are asked for."""
        key = (files["cases"], files["ratings"], files.get("margins", ""))
        if key not in self._surveys:
            margins = files.get("margins")
            self._surveys[key] = Satisfaction(
                self.file(files["cases"]),
                self.file(files["ratings"]),
                (lambda: self.file(margins)) if margins else None,
            )
        return self._surveys[key]

    def _files(self, dataset: Any, path: str) -> dict[str, str]:
        """The files of a data set, by part where they have one."""
        found = self._datasets.get(dataset, dataset) if isinstance(dataset, str) else dataset
        if found in _NONE if not isinstance(found, list | dict) else not found:
            raise Refused("estimate_no_dataset", _at(path), known=listed(self._datasets))
        if isinstance(found, Mapping):
            found = found.get("file") or found.get("files") or {k: v for k, v in found.items() if k in PARTS}
        if isinstance(found, str):
            return {"file": found}
        named = dict(found) if isinstance(found, Mapping) else {}
        if isinstance(found, list) and all(isinstance(name, str) for name in found):
            named = {_part(name, index): name for index, name in enumerate(found)}
        if not named or not all(isinstance(name, str) for name in named.values()):
            raise Refused("estimate_dataset_wrong", _at(path), value=brief(dataset), known=listed(self._datasets))
        return named


def _part(name: str, index: int) -> str:
    stem = PurePath(name).stem
    return next((part for part in PARTS if stem.endswith(part)), f"file {index + 1}")


def _folder(dataset: str, cases: str) -> str:
    """The folder that a design's file names are relative to: the data set's path may be a file, prefix or folder."""
    last = PurePath(dataset)
    if PurePath(cases).is_absolute():
        return ""
    if last.suffix or PurePath(cases).name.startswith(last.name or "/"):
        return str(last.parent) if len(last.parts) > 1 else ""
    return dataset


def _at(path: str) -> str:
    return f"{path}.dataset" if path else "dataset"
