"""Handing out codes on paper: per stratum, as many as the office says, to whom it never learns.

The codes are made, printed and forgotten within one request; the database gets their MACs. A print file that was
lost is not made again: its batch is revoked with a reason, which leaves spent codes as they are, and a new one made.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from api.actions.responses import CODE_NAMESPACE
from api.actions.tally import form_of_version
from api.store import invitations, listed, people, surveys
from api.store.invitations import NewCode, Whose
from api.store.notices import KeptNotice, latest_notice
from api.store.windows import Window, window_of
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.assign import block_of, blocks_for, deal, rated_units
from survey_forms.sampling.codes import (
    canonical,
    code_mac,
    new_code,
    new_digits,
    order_key,
    read_code,
    token_of,
)

MOST_SHEETS = 2000  # of one print run
LONGEST_REASON = 500

Spelling = Literal["letters", "digits"]
_MAKE: Mapping[str, Callable[[Callable[[int], int]], str]] = {"letters": new_code, "digits": new_digits}


@dataclass(frozen=True, slots=True)
class Code:
    """A code that exists nowhere but here: as it is typed, and the token of its QR code or link."""

    typed: str = field(repr=False)
    token: str = field(repr=False)
    mac: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrintRun:
    """A batch whose sheets are to be printed now: stratum → its codes, in an order that tells nothing."""

    batch_id: int
    codes: Mapping[str, Sequence[Code]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """How many codes of which strata, how they are spelt, and the newest batch that whoever asks has seen."""

    numbers: Mapping[str, int]
    spelling: Spelling = "letters"
    seen: int = 0


def inviting(connection: Connection, survey_id: int, now: datetime) -> tuple[Window, KeptNotice]:
    """A survey that people may be invited to, and the notice that names who asks.

    Raises:
        Refused: `not_found`; `invitations_over` where it takes no answers any more; `invitations_need_notice`.
    """
    window = window_of(connection, survey_id)
    if window is None:
        raise Refused("not_found")
    if window.is_over(now):
        raise Refused("invitations_over")
    notice = latest_notice(connection, survey_id)
    if notice is None:
        raise Refused("invitations_need_notice")
    return window, notice


def make_print_run(  # noqa: PLR0913, PLR0917 - whose, what, how many, who, when
    connection: Connection, pepper: bytes, survey_id: int, wish: Wish, staff_id: int, now: datetime
) -> PrintRun:
    """Make codes to be printed; whoever calls prints them in the same transaction and forgets them.

    Raises:
        Refused: as `inviting`; `print_page_stale` where somebody, or a second tap, was faster; every wrong number at
            once (`print_number_wrong`, path: the stratum), `print_nothing`, `print_too_many`; `too_few_for_blocks`.
    """
    inviting(connection, survey_id, now)
    invitations.hold_invitations(connection, survey_id)
    if invitations.newest_batch(connection, survey_id) != wish.seen:
        raise Refused("print_page_stale")
    _check(wish, {one.code for one in surveys.strata_of(connection, survey_id)})
    numbers = {stratum: number for stratum, number in wish.numbers.items() if number}
    batch_id = invitations.add_batch(connection, survey_id, "printed", numbers, staff_id, now)
    dealt = deal_blocks(connection, survey_id, numbers)
    codes = {
        stratum: mint(connection, pepper, survey_id, batch_id, stratum, dealt[stratum], wish.spelling)
        for stratum in sorted(numbers)
    }
    for sheets in codes.values():
        secrets.SystemRandom().shuffle(sheets)  # codes were dealt to blocks in order; the sheets must not tell
    people.record_act(
        connection, "codes_printed", now, staff_id, survey=survey_id, batch=batch_id, sheets=sum(numbers.values())
    )
    return PrintRun(batch_id, codes)


def hand_over(connection: Connection, run: PrintRun, staff_id: int, now: datetime) -> None:
    """Write that the print file was made and handed over, and is kept nowhere."""
    invitations.mark_handed_over(connection, run.batch_id, now)
    people.record_act(connection, "print_file_handed_over", now, staff_id, batch=run.batch_id, kept="no")


def revoke_batch(  # noqa: PLR0913, PLR0917 - whose, which, why, who, when
    connection: Connection, survey_id: int, batch_id: int, reason: str, staff_id: int, now: datetime
) -> int:
    """Revoke the unspent codes of a batch; what was answered with the others stays. Returns how many.

    Raises:
        Refused: `not_found`; `batch_revoked_already`; `revocation_reason_missing`.
    """
    batch = invitations.hold_batch(connection, batch_id)
    if batch is None or batch.survey_id != survey_id:
        raise Refused("not_found")
    if batch.revoked_at is not None:
        raise Refused("batch_revoked_already")
    if not reason.strip():
        raise Refused("revocation_reason_missing", "reason")
    if batch.kind == "listed":
        listed.withdraw_messages_of_batch(connection, batch_id)
    number = invitations.revoke_codes_of(connection, batch_id)
    invitations.mark_revoked(connection, batch_id, staff_id, reason.strip(), now)
    people.record_act(connection, "codes_revoked", now, staff_id, batch=batch_id, codes=number, reason=reason.strip())
    return number


def reissue_printed(  # noqa: PLR0913, PLR0917 - as make_print_run
    connection: Connection, pepper: bytes, survey_id: int, typed: str, staff_id: int, now: datetime
) -> PrintRun:
    """Put a new sheet in the place of one that came back unreadable; its code is worth nothing from now on.

    Raises:
        Refused: as `inviting`; `code_mistyped`; `reissue_refused`, the same for a code that is unknown, spent, revoked,
            another survey's or a listed case's: the office is not to learn who has answered.
    """
    inviting(connection, survey_id, now)
    read = read_code(typed)
    mac = code_mac(pepper, CODE_NAMESPACE, canonical(pepper, CODE_NAMESPACE, read))
    if invitations.is_listed(connection, mac):
        raise Refused("reissue_refused", "code")
    old = invitations.revoke_code(connection, survey_id, mac)
    if old is None:
        raise Refused("reissue_refused", "code")
    spelling: Spelling = "digits" if read.isdecimal() else "letters"
    batch_id = invitations.add_batch(connection, survey_id, "printed", {old.stratum: 1}, staff_id, now)
    codes = mint(connection, pepper, survey_id, batch_id, old.stratum, [old.block], spelling)
    people.record_act(connection, "code_reissued", now, staff_id, survey=survey_id, batch=batch_id)
    return PrintRun(batch_id, {old.stratum: codes})


def deal_blocks(connection: Connection, survey_id: int, numbers: Mapping[str, int]) -> dict[str, list[int | None]]:
    """Which block of units each new code rates, by stratum; None where everybody rates all.

    Raises:
        Refused: every `too_few_for_blocks` at once, path: the stratum.
    """
    booths = {code: booth for (survey, code), booth in surveys.booths(connection).items() if survey == survey_id}
    used = invitations.blocks_used(connection, survey_id)
    dealt: dict[str, list[int | None]] = {}
    faults: list[Fault] = []
    for stratum, number in numbers.items():
        booth = booths[stratum]
        if booth.units_per_respondent is None:
            dealt[stratum] = [None] * number
            continue
        units = rated_units(form_of_version(connection, booth.form_version))
        before = used.get(stratum, {})
        try:
            count = max(before) + 1 if before else blocks_for(number, len(units), booth.units_per_respondent)
        except Refused as refused:
            faults += [Fault(one.code, stratum, one.facts) for one in refused.faults]
            continue
        dealt[stratum] = [*deal(number, [before.get(block, 0) for block in range(count)])]
    if faults:
        raise Refused.of(faults)
    return dealt


def mint(  # noqa: PLR0913, PLR0917 - what a code is made of
    connection: Connection,
    pepper: bytes,
    survey_id: int,
    batch_id: int,
    stratum: str,
    blocks: Sequence[int | None],
    spelling: Spelling = "letters",
    whose: Sequence[Whose] = (),
    over: int | None = None,
) -> list[Code]:
    """Make a code for each block given, in its order; one that exists already is drawn again.

    `whose` says of each code what it carries to its answer; empty where codes are nobody's. `over` hides the blocks:
    codes are drawn until one has its block by itself (`assign.block_of`), and the database learns only over how many.
    """
    about = whose or [Whose()] * len(blocks)
    made: dict[int, Code] = {}
    while len(made) < len(blocks):
        drawn = {
            place: _drawn(pepper, spelling) if over is None else _drawn_in(pepper, spelling, blocks[place], over)
            for place in range(len(blocks))
            if place not in made
        }
        rows = {
            code.mac: NewCode(code.mac, stratum, None if over else blocks[place], over, about[place])
            for place, code in drawn.items()
        }
        new = invitations.add_codes(connection, survey_id, batch_id, list(rows.values()))
        for place, code in drawn.items():
            if code.mac in new:
                new.discard(code.mac)  # drawn twice at once: only one of the two places has it
                made[place] = code
    return [made[place] for place in range(len(blocks))]


def _drawn(pepper: bytes, spelling: Spelling) -> Code:
    typed = _MAKE[spelling](secrets.randbelow)
    code = canonical(pepper, CODE_NAMESPACE, typed)
    return Code(typed, token_of(pepper, CODE_NAMESPACE, code), code_mac(pepper, CODE_NAMESPACE, code))


def _drawn_in(pepper: bytes, spelling: Spelling, block: int | None, over: int) -> Code:
    """A code that draws this block by itself; any code where the block does not matter."""
    while True:
        code = _drawn(pepper, spelling)
        key = order_key(pepper, CODE_NAMESPACE, canonical(pepper, CODE_NAMESPACE, code.typed))
        if block is None or block_of(key, over) == block:
            return code


def hidden_blocks(
    connection: Connection, survey_id: int, numbers: Mapping[str, int]
) -> dict[str, tuple[list[int | None], int | None]]:
    """As `deal_blocks` for codes of listed cases: the blocks in an order that nobody can work out, and over how many.

    Raises:
        Refused: as `deal_blocks`.
    """
    over_known = invitations.blocks_over(connection, survey_id)
    fresh = deal_blocks(connection, survey_id, {one: n for one, n in numbers.items() if one not in over_known})
    dealt: dict[str, tuple[list[int | None], int | None]] = {}
    for stratum, number in numbers.items():
        blocks = [block for block in fresh.get(stratum, ()) if block is not None]
        over = over_known.get(stratum) or (max(blocks) + 1 if blocks else None)
        wanted: list[int | None] = [*deal(number, [0] * over)] if over else [None] * number
        secrets.SystemRandom().shuffle(wanted)
        dealt[stratum] = wanted, over
    return dealt


def _check(wish: Wish, strata: set[str]) -> None:
    faults = [
        Fault("print_number_wrong", stratum, {"most": MOST_SHEETS})
        for stratum, number in wish.numbers.items()
        if stratum not in strata or not 0 <= number <= MOST_SHEETS
    ]
    total = sum(wish.numbers.values())
    if not faults and total == 0:
        faults.append(Fault("print_nothing"))
    if not faults and total > MOST_SHEETS:
        faults.append(Fault("print_too_many", "", {"number": total, "most": MOST_SHEETS}))
    if faults:
        raise Refused.of(faults)
