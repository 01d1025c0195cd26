"""Scheme files from `survey_forms/documents/<id>/`, read once and kept."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.resources import files

from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.check import faults_against_scheme, faults_of, faults_of_catalogue
from survey_forms.scheme.model import Catalogue, Scheme
from survey_forms.scheme.tables import Reader, parse_toml, table_lines
from survey_forms.scheme.tree import expanded

DOCUMENTS = files("survey_forms.documents")


def read_scheme(data: bytes, name: str = "scheme.toml") -> Scheme:
    """A scheme from the bytes of its file, checked.

    Raises:
        Refused: every fault of the file at once, each with table, key and line.
    """
    raw = parse_toml(data, name)
    reader = Reader(table_lines(data.decode("utf-8-sig")))
    scheme = reader.table(Scheme, raw, "")
    scheme = replace(scheme, components=expanded(scheme.components), digest=sha256(data).hexdigest())
    faults_of(scheme, reader)
    _refuse(reader.faults)
    return scheme


def read_catalogue(data: bytes, name: str = "catalogue.toml", scheme: Scheme | None = None) -> Catalogue:
    """A catalogue of finding rules from the bytes of its file, checked, with `scheme` against that too.

    Raises Refused like `read_scheme`.
    """
    raw = parse_toml(data, name)
    reader = Reader(table_lines(data.decode("utf-8-sig")))
    catalogue = replace(reader.table(Catalogue, raw, ""), digest=sha256(data).hexdigest())
    faults_of_catalogue(catalogue, reader)
    if scheme:
        faults_against_scheme(catalogue, scheme, reader)
    _refuse(reader.faults)
    return catalogue


@cache
def scheme_ids() -> tuple[str, ...]:
    """The ids of the schemes at hand: one folder of `survey_forms/documents` each."""
    return tuple(sorted(entry.name for entry in DOCUMENTS.iterdir() if (entry / "scheme.toml").is_file()))


@cache
def load_scheme(scheme_id: str) -> Scheme:
    """The scheme of this id.

    Raises:
        Refused: `unknown_scheme`, or the file's faults.
    """
    if scheme_id not in scheme_ids():
        raise Refused("unknown_scheme", "scheme", value=scheme_id[:60], known=", ".join(scheme_ids()))
    scheme = read_scheme((DOCUMENTS / scheme_id / "scheme.toml").read_bytes(), f"{scheme_id}/scheme.toml")
    if scheme.id != scheme_id:
        raise Refused("scheme_id_is_folder", "id", line="-", value=scheme.id, folder=scheme_id)
    return scheme


@cache
def load_catalogue(scheme_id: str) -> Catalogue | None:
    """The scheme's catalogue of finding rules, or None where there is no `catalogue.toml`."""
    scheme = load_scheme(scheme_id)
    file = DOCUMENTS / scheme.id / "catalogue.toml"
    return read_catalogue(file.read_bytes(), f"{scheme_id}/catalogue.toml", scheme) if file.is_file() else None


def _refuse(faults: Iterable[Fault]) -> None:
    """Raise what was found, each once and in the file's order, or return."""
    once = {(fault.code, fault.path, fault.facts.get("value")): fault for fault in faults}
    if once:
        raise Refused.of(sorted(once.values(), key=_in_file_order))


def _in_file_order(fault: Fault) -> tuple[int, str]:
    line = fault.facts["line"]
    return (line if isinstance(line, int) else 0, fault.path)
