"""How interviews end: whether an answer may be taken, decided in the very transaction that takes it, and what is left.

The quota is asked where every way of handing in ends (`api/actions/booths.py`), so that no page, program or late
browser goes around it. Locks are taken in the one order: case files, their codes, quota cells.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from api.actions import attempts, interviews, quotas
from api.actions.attempts import Sent
from api.store import case_codes, cases
from api.store.cases import File
from api.store.quotas import cells_held_by_case, fill, hold_cells
from survey_forms.fieldwork.consequences import QUOTA_FULL


def shut_out(connection: Connection, macs: Collection[bytes], now: datetime) -> frozenset[bytes]:
    """The interview codes whose answer must not be taken: the quota is closed hard, or their place went to another.

    Their cases end as 4.80, and their codes open nothing any more. What is spent already is left to who asks again.
    """
    files = _running(connection, macs)
    codes = {file.case_id: case_codes.hold_codes(connection, file.case_id) for file in files}
    hold_cells(connection, {cell for file in files for cell in cells_held_by_case(connection, file.case_id)})
    shut = set()
    for file in files:
        spent = any(code.spent for code in codes[file.case_id])
        if file.interview is None or spent or quotas.may_end(connection, file.case_id, now):
            continue
        interviews.settle(connection, file, now)
        full = Sent(f"closed-{file.interview.hex()}", file.case_id, QUOTA_FULL)
        attempts.write(connection, file, full, file.held_by, file.held_at or now, now, now)
        shut.add(file.interview)
    return frozenset(shut)


def fill_places(connection: Connection, macs: Collection[bytes]) -> None:
    """Let the interviews that were handed in have their places for good; their cells are held since `shut_out`."""
    for file in _running(connection, macs):
        fill(connection, file.case_id)


def settle_all_left(connection: Connection, survey_id: int, now: datetime) -> None:
    """Settle every interview whose browser was closed or lost: what was handed in is complete, the rest broken off."""
    while interviews.settle_left(connection, survey_id, now):
        pass


def _running(connection: Connection, macs: Collection[bytes]) -> list[File]:
    """The files of the interviews that run under these codes, held in the order of the cases."""
    found = {case_id for mac in macs if (case_id := cases.case_interviewed(connection, mac)) is not None}
    held = (cases.hold_file(connection, case_id) for case_id in sorted(found))
    return [file for file in held if file is not None and file.interview in macs]
