"""Pictures of signatures: of what kind they are, and whose business they are."""

from sqlalchemy import Connection, exists, select

from api.store.findings import finding
from api.store.inspections import visit
from api.store.ledger import ledger_entry
from api.store.photos import photo
from api.store.uploads import blob


def signature_type(connection: Connection, sha256: bytes) -> str | None:
    """What the first bytes of a visit's signature say that it is; None for bytes that are no signature."""
    query = select(blob.c.media_type).join(visit, visit.c.signature == blob.c.sha256).where(blob.c.sha256 == sha256)
    return connection.execute(query.limit(1)).scalar()


def is_signature(connection: Connection, sha256: bytes, unit_id: int | None = None) -> bool:
    """Whether a visit was signed with these bytes; with a unit, one that an entry of that unit comes from.

    What is a photo too is shown as that alone: the copy that units see of it may have faces covered.
    """
    query = select(visit.c.id).where(visit.c.signature == sha256, ~exists().where(photo.c.sha256 == sha256))
    if unit_id is not None:
        led = finding.join(ledger_entry, ledger_entry.c.finding_id == finding.c.id)
        of_unit = select(finding.c.id).select_from(led)
        of_unit = of_unit.where(finding.c.visit_id == visit.c.id, ledger_entry.c.unit_id == unit_id)
        query = query.where(exists(of_unit.correlate(visit)))
    return bool(connection.execute(select(exists(query))).scalar_one())
