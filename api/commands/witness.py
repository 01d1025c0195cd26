"""What a witness of the ledger does: fetch the checkpoint, see that the log only grew, countersign, keep everything.

Nothing here needs the database or anything of the service but its public address. A witness keeps each note that it
signed; a note that it refused is kept too, for it is the proof of what happened.
"""

import http.client
import json
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from api.actions.note_files import keep_note, kept_notes
from api.embedded.place import write_private
from survey_forms.refusal import Refused
from survey_forms.signed_notes import COSIGNATURE, MOST_NOTE_BYTES, Checkpoint, Note, Signer, Verifier, read_checkpoint
from survey_forms.transparency import verify_consistency

SECONDS = 20
PATH = "/api/v1/ledger"
DENIALS = frozenset({"checkpoint_unknown", "checkpoints_out_of_order", "ledger_rewritten"})
"""What the log itself says in place of a proof: that it does not continue a checkpoint which it signed."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What came of a visit: the countersigned note, and the size that was seen before (None at the first visit)."""

    note: Note
    checkpoint: Checkpoint
    before: int | None


def witness(address: str, log: Verifier, signer: Signer, state: Path, moment: int) -> Witnessed:
    """Visit the log once.

    Args:
        address: of the service, as people type it.
        log: the verifier key that was announced.
        signer: the witness.
        state: directory with the witness's notes.
        moment: seconds since 1970.

    Raises:
        Refused: `note_not_signed`, `witness_shrank`, `witness_forked`: what the log must answer for;
            `witness_state_bent`: the witness's own notes were changed; `witness_no_answer`: the network.
    """
    last = _last(state, log, signer)
    content = _fetched(address, "/checkpoint", {})
    try:
        note, found = read_checkpoint(content, log)
    except Refused as refused:
        raise Refused("witness_bad_signature", address, name=log.name, kept=_refused(state, content)) from refused
    if last is not None:
        _continues(address, last, found, state, content)
    signed = signer.signed(note, moment)
    keep_note(state, found.size, str(signed))
    return Witnessed(signed, found, last.size if last else None)


def _last(state: Path, log: Verifier, signer: Signer) -> Checkpoint | None:
    """The largest checkpoint that this witness signed; its own signature says that nobody changed it since."""
    notes = kept_notes(state)
    if not notes:
        return None
    try:
        read_checkpoint(notes[-1], signer.verifier)
        return read_checkpoint(notes[-1], log)[1]
    except Refused:
        raise Refused("witness_state_bent", str(state)) from None


def _continues(address: str, last: Checkpoint, found: Checkpoint, state: Path, content: bytes) -> None:
    if found.size < last.size:
        raise Refused("witness_shrank", address, size=found.size, last=last.size, kept=_refused(state, content))
    if found.size == last.size:
        consistent = found.root == last.root
    else:
        try:
            told = _fetched(address, "/proof/consistency", {"from": last.size, "to": found.size})
        except Refused as refused:
            if refused.faults[0].facts.get("said") not in DENIALS:  # away, busy or behind a gate is no crime
                raise
            consistent = False
        else:
            consistent = verify_consistency(last.size, found.size, _proof(address, told), last.root, found.root)
    if not consistent:
        raise Refused("witness_forked", address, last=last.size, size=found.size, kept=_refused(state, content))


def _refused(state: Path, content: bytes) -> str:
    """Keep what was refused: signed by the log's own key it is evidence that nobody can talk away."""
    directory = state / "refused"
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{len(list(directory.iterdir())) + 1}.note"
    file.write_bytes(content)
    return str(file)


def _proof(address: str, content: bytes) -> list[bytes]:
    """The hashes of an answer; a page of somebody between is no answer."""
    try:
        told: Any = json.loads(content)
        return [bytes.fromhex(one) for one in told["path"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Refused("witness_no_answer", address, why="no proof of consistency") from None


def _code_in(answer: IO[bytes]) -> str:
    """The code of a refusal as the service says it; nothing where somebody else answered."""
    try:
        told: Any = json.loads(answer.read(MOST_NOTE_BYTES))
        return str(told["code"])[:60]
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError, RecursionError):
        return ""


def _fetched(address: str, path: str, query: dict[str, int]) -> bytes:
    if urlsplit(address).scheme not in {"http", "https"}:
        raise Refused("witness_no_answer", address, why="http:// | https://")
    url = f"{address.rstrip('/')}{PATH}{path}" + (f"?{urlencode(query)}" if query else "")
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - the scheme was looked at above
            content: bytes = answer.read(MOST_NOTE_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            said = _code_in(error)
        raise Refused("witness_no_answer", url, why=f"HTTP {error.code} {said}".rstrip(), said=said) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Refused("witness_no_answer", url, why=str(error)[:200]) from None
    if len(content) > MOST_NOTE_BYTES:
        raise Refused("witness_no_answer", url, why=f"> {MOST_NOTE_BYTES} B")
    return content


def signer_in(file: Path, name: str) -> Signer:
    """The witness's key; made at the first visit, for its owner alone to read.

    Raises:
        Refused: `witness_name_missing` at the first visit; `signer_key_unreadable`.
    """
    if not file.exists():
        if not name:
            raise Refused("witness_name_missing", str(file))
        write_private(file, Signer(name, secrets.token_bytes(32), COSIGNATURE).written() + "\n")
    return Signer.read(file.read_text(encoding="utf-8"))


def log_key(state: Path, given: str) -> Verifier:
    """The log's verifier key: given at the first visit, and kept; another one later is a fault, not an update.

    Raises:
        Refused: `witness_key_missing` at the first visit; `witness_key_differs`; `verifier_key_unreadable`.
    """
    file = state / "log.key"
    if not file.exists():
        if not given:
            raise Refused("witness_key_missing", str(file))
        state.mkdir(parents=True, exist_ok=True)
        write_private(file, str(Verifier.read(given)) + "\n")
    kept = Verifier.read(file.read_text(encoding="utf-8"))
    if given and Verifier.read(given) != kept:
        raise Refused("witness_key_differs", str(file), given=given.strip()[:120], kept=str(kept))
    return kept
