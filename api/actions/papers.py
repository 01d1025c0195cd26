"""Papers that units hand in: up to five PDFs or pictures, known by their first bytes, kept once, never run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from api.evidence.header import read_header
from api.objects import Objects
from api.store.papers import Paper, put_paper
from survey_forms.refusal import Fault, Refused

AREA = "papers"
MOST = 5
LARGEST = 10 * 1024 * 1024  # bytes
LONGEST_NAME = 120
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
FIELD = "papers"


@dataclass(frozen=True, slots=True)
class PaperSent:
    """A file as it came, its type by its first bytes."""

    name: str  # as told, for reading only
    media_type: str
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """Where its bytes are kept."""
        return sha256(self.content).digest()


def read_papers(files: Sequence[tuple[str, bytes]]) -> tuple[PaperSent, ...]:
    """Files by name and content, once each.

    Raises:
        Refused: `papers_too_many`; of each `paper_empty`, `paper_too_large`, `paper_other_kind`, or what a picture's
            header is refused for.
    """
    if len(files) > MOST:
        raise Refused("papers_too_many", FIELD, most=MOST, number=len(files))
    papers: dict[bytes, PaperSent] = {}
    faults: list[Fault] = []
    for told, content in files:
        name = "".join(letter for letter in told if letter.isprintable())[-LONGEST_NAME:]
        try:
            one = PaperSent(name, _kind(name, content), content)
        except Refused as refused:
            faults += [Fault(fault.code, FIELD, {**fault.facts, "name": name}) for fault in refused.faults]
        else:
            papers.setdefault(one.sha256, one)
    if faults:
        raise Refused.of(faults)
    return tuple(papers.values())


def further_papers(kept: Sequence[Paper], sent: Sequence[PaperSent]) -> list[PaperSent]:
    """What was sent and is not kept yet.

    Raises:
        Refused: `papers_too_many`, where together they would be.
    """
    known = {one.sha256 for one in kept}
    new = [one for one in sent if one.sha256 not in known]
    if new and len(kept) + len(new) > MOST:
        raise Refused("papers_too_many", FIELD, most=MOST, number=len(kept) + len(new))
    return new


def keep_papers(  # noqa: PLR0913 - what is kept, where, for what, by whom
    connection: Connection,
    objects: Objects,
    papers: Sequence[PaperSent],
    *,
    objection_id: int | None = None,
    step_id: int | None = None,
    staff_id: int,
    now: datetime,
) -> None:
    """Keep the bytes, then write whose they are.

    Raises:
        Refused: `paper_store_unavailable`; nothing of the transaction then stays.
    """
    for one in papers:
        try:
            objects.put(AREA, one.sha256, one.content)
        except OSError as error:
            raise Refused("paper_store_unavailable", FIELD) from error
        put_paper(
            connection,
            {
                "objection_id": objection_id,
                "step_id": step_id,
                "sha256": one.sha256,
                "name": one.name,
                "media_type": one.media_type,
                "size": len(one.content),
                "added_by": staff_id,
                "added_at": now,
            },
        )


def _kind(name: str, content: bytes) -> str:
    if not content:
        raise Refused("paper_empty", name=name)
    if len(content) > LARGEST:
        raise Refused("paper_too_large", name=name, most=LARGEST // 1024 // 1024)
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise Refused("paper_other_kind", name=name)
    return read_header(content).media_type
