"""Codes for listed cases: contacts, invitations and reminders by message, and a new code for somebody who lost theirs.

Only in sealed surveys. There the database may know whose code it is, for all that a spent code tells is that somebody
took part; in an open survey it could be led on to the answer. A code exists from the moment its message is written
until that message has gone, sealed under the service's key; after that the database has its MAC alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from api.actions.booths import CHINA
from api.actions.contact_sheet import contact_lines
from api.actions.csv_sheet import cell_fault, read_headings, refuse
from api.actions.invitations import Code, hidden_blocks, inviting, mint
from api.actions.sealed_words import Safe, Words
from api.store import invitations, listed, people
from api.store.invitations import Whose
from api.store.listed import Case
from api.store.owed import emit
from api.store.windows import Window
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.codes import display
from survey_forms.sampling.contacts import LONGEST_PLACE, Contact, check_template, filled, read_mail, read_phone

MOST_MESSAGES = 5000  # at one go
TOPIC = "notices"
MEMBER, PHONE, MAIL, PLACE = COLUMNS = ("成员编号", "手机", "邮箱", "住址")
ENGLISH = {"member": MEMBER, "phone": PHONE, "mobile": PHONE, "mail": MAIL, "email": MAIL, "address": PLACE}
NEEDED = {MEMBER: [MEMBER], f"{PHONE} / {MAIL}": [PHONE, MAIL, PLACE]}

Channel = Literal["sms", "mail"]
Kind = Literal["invitation", "reminder"]


@dataclass(frozen=True, slots=True)
class Office:
    """What writing to people takes: the pepper of codes, the safe for contacts and words, and our own address."""

    pepper: bytes = field(repr=False)
    safe: Safe
    base_url: str


@dataclass(frozen=True, slots=True)
class Mailing:
    """What is to be sent by which way."""

    kind: Kind
    channel: Channel
    template: str


def listing(connection: Connection, survey_id: int, now: datetime) -> tuple[Window, Mapping[str, str]]:
    """A survey whose codes may be listed, and the blanks that every message shares.

    Raises:
        Refused: as `inviting`; `listed_needs_sealed`.
    """
    window, notice = inviting(connection, survey_id, now)
    if window.secrecy != "sealed":
        raise Refused("listed_needs_sealed")
    words = notice.words["zh"]
    closes = window.closes_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    return window, {"title": window.name_zh, "closes": closes, "help": words["help_line"]}


def load_contacts(  # noqa: PLR0913, PLR0917 - whose, which file, who, when
    connection: Connection, office: Office, survey_id: int, content: bytes, staff_id: int, now: datetime
) -> int:
    """Keep the contacts of a file, sealed; a member's former contact goes, and the audit says whose. Returns how many.

    Raises:
        Refused: as `listing`; every fault of the file by row and column, and then none of it is kept.
    """
    listing(connection, survey_id, now)
    listed.hold_cases(connection, [case.id for case in listed.cases_of(connection, survey_id)])
    cases = {case.member: case for case in listed.cases_of(connection, survey_id)}
    lines = contact_lines(content)
    heads = read_headings(lines[0][1], COLUMNS, ENGLISH, NEEDED) if lines else []
    faults: list[Fault] = []
    contacts: dict[int, bytes] = {}
    replaced: list[int] = []
    for number, cells in lines[1:]:
        row = dict(zip(heads, (cell.strip() for cell in cells), strict=False))
        case = cases.get(row.get(MEMBER, ""))
        wrong = list(_wrong(number, row, case, contacts))
        faults += wrong
        if case and not wrong:
            contacts[case.id] = office.safe.seal_contact(case.id, _contact(row))
            if _replaces(office, case, _contact(row)):
                replaced.append(case.id)
    if not contacts and not faults:
        faults.append(Fault("csv_empty"))
    refuse(faults)
    listed.put_contacts(connection, contacts)
    for case_id in replaced:
        people.record_act(connection, "contact_replaced", now, staff_id, survey=survey_id, case=case_id)
    people.record_act(connection, "contacts_loaded", now, staff_id, survey=survey_id, number=len(contacts))
    return len(contacts)


def invite(  # noqa: PLR0913, PLR0917 - as load_contacts
    connection: Connection, office: Office, survey_id: int, mailing: Mailing, staff_id: int, now: datetime
) -> int:
    """Make a code for every case that has an address and no code, and owe its message. Returns how many.

    Raises:
        Refused: as `listing`; the template's faults; `nobody_to_write_to`; `too_few_for_blocks`.
    """
    _, blanks = listing(connection, survey_id, now)
    check_template("invitation", mailing.template)
    reachable = _reachable(connection, office, survey_id, mailing.channel, now)
    chosen = _codeless(connection, reachable)[:MOST_MESSAGES]
    listed.hold_cases(connection, [case.id for case, _ in chosen])
    invitations.hold_invitations(connection, survey_id)
    chosen = _codeless(connection, chosen)  # again: an interview, or another tap, may have been faster
    if not chosen:
        raise Refused("nobody_to_write_to")
    codes = _codes_for(connection, office, survey_id, [case for case, _ in chosen], staff_id, now)
    _owe(connection, office, survey_id, mailing, [(case, to, codes[case.id]) for case, to in chosen], blanks, now)
    people.record_act(
        connection, "invitations_sent", now, staff_id, survey=survey_id, channel=mailing.channel, number=len(chosen)
    )
    return len(chosen)


def remind(  # noqa: PLR0913, PLR0917 - as load_contacts
    connection: Connection, office: Office, survey_id: int, mailing: Mailing, staff_id: int, now: datetime
) -> int:
    """Owe a reminder to every case whose code is unspent. Returns how many; never who.

    Raises:
        Refused: as `invite`.
    """
    _, blanks = listing(connection, survey_id, now)
    check_template("reminder", mailing.template)
    reachable = _reachable(connection, office, survey_id, mailing.channel, now)
    unspent = listed.cases_with_codes(connection, [case.id for case, _ in reachable], unspent=True)
    chosen = [(case, to, None) for case, to in reachable if case.id in unspent][:MOST_MESSAGES]
    if not chosen:
        raise Refused("nobody_to_write_to")
    _owe(connection, office, survey_id, mailing, chosen, blanks, now)
    people.record_act(
        connection, "reminders_sent", now, staff_id, survey=survey_id, channel=mailing.channel, number=len(chosen)
    )
    return len(chosen)


def reissue(  # noqa: PLR0913, PLR0917 - as load_contacts
    connection: Connection, office: Office, survey_id: int, case_id: int, mailing: Mailing, staff_id: int, now: datetime
) -> None:
    """Send a case a new code; the older one is worth nothing from this moment.

    Raises:
        Refused: as `invite`; `not_found`; `reissue_refused` where the older code is spent or there is none.
    """
    _, blanks = listing(connection, survey_id, now)
    check_template("invitation", mailing.template)
    case = listed.hold_case(connection, survey_id, case_id)
    if case is None:
        raise Refused("not_found")
    to = _address(office, case, mailing.channel)
    if not to:
        raise Refused("nobody_to_write_to")
    if not listed.revoke_codes_of_case(connection, case_id):
        raise Refused("reissue_refused", "code")
    listed.withdraw_messages(connection, case_id)
    codes = _codes_for(connection, office, survey_id, [case], staff_id, now)
    _owe(connection, office, survey_id, mailing, [(case, to, codes[case.id])], blanks, now)
    people.record_act(connection, "code_reissued", now, staff_id, survey=survey_id, case=case_id)


def link(base_url: str, token: str) -> str:
    """The link of a message: its code stands in the fragment, which no browser sends."""
    return f"{base_url}/#{token}"


def _wrong(number: int, row: Mapping[str, str], case: Case | None, contacts: Mapping[int, bytes]) -> list[Fault]:
    faults = []
    if case is None:
        faults.append(cell_fault("contact_member_unknown", number, MEMBER))
    elif case.id in contacts:
        faults.append(cell_fault("contact_member_twice", number, MEMBER))
    if row.get(PHONE) and read_phone(row[PHONE]) is None:
        faults.append(cell_fault("contact_phone_wrong", number, PHONE))
    if row.get(MAIL) and read_mail(row[MAIL]) is None:
        faults.append(cell_fault("contact_mail_wrong", number, MAIL))
    if len(row.get(PLACE, "")) > LONGEST_PLACE:
        faults.append(cell_fault("contact_place_long", number, PLACE, most=LONGEST_PLACE))
    if not (row.get(PHONE) or row.get(MAIL) or row.get(PLACE)):
        faults.append(cell_fault("contact_empty", number, PHONE))
    return faults


def _contact(row: Mapping[str, str]) -> Contact:
    return Contact(read_phone(row.get(PHONE, "")) or "", read_mail(row.get(MAIL, "")) or "", row.get(PLACE, ""))


def _address(office: Office, case: Case, channel: Channel) -> str:
    return office.safe.open_contact(case.id, case.contact).address(channel) if case.contact else ""


def _replaces(office: Office, case: Case, contact: Contact) -> bool:
    try:
        return case.contact is not None and office.safe.open_contact(case.id, case.contact) != contact
    except Refused:  # sealed under a key that is gone: whatever it said, it says something else now
        return True


def _reachable(
    connection: Connection, office: Office, survey_id: int, channel: Channel, now: datetime
) -> list[tuple[Case, str]]:
    """The cases that may be written to and have an address of this channel, and the address."""
    peace = listed.left_in_peace(connection, survey_id, now)
    cases = [case for case in listed.cases_of(connection, survey_id) if case.id not in peace]
    return [(case, to) for case in cases if (to := _address(office, case, channel))]


def _codeless(connection: Connection, reachable: Sequence[tuple[Case, str]]) -> list[tuple[Case, str]]:
    had = listed.cases_with_codes(connection, [case.id for case, _ in reachable])
    return [(case, to) for case, to in reachable if case.id not in had]


def _codes_for(  # noqa: PLR0913, PLR0917 - as load_contacts
    connection: Connection, office: Office, survey_id: int, cases: Sequence[Case], staff_id: int, now: datetime
) -> dict[int, Code]:
    """A code for each case, in a batch of their own."""
    by_stratum: dict[str, list[Case]] = {}
    for case in cases:
        by_stratum.setdefault(case.stratum, []).append(case)
    numbers = {stratum: len(found) for stratum, found in by_stratum.items()}
    batch_id = invitations.add_batch(connection, survey_id, "listed", numbers, staff_id, now)
    dealt = hidden_blocks(connection, survey_id, numbers)
    codes: dict[int, Code] = {}
    for stratum, found in by_stratum.items():
        wanted, over = dealt[stratum]
        whose = [Whose(case.wcell) for case in found]
        made = mint(connection, office.pepper, survey_id, batch_id, stratum, wanted, whose=whose, over=over)
        codes |= {case.id: code for case, code in zip(found, made, strict=True)}
    listed.link_codes(connection, [(code.mac, case_id) for case_id, code in codes.items()])
    return codes


def _owe(  # noqa: PLR0913, PLR0917 - what a message is made of
    connection: Connection,
    office: Office,
    survey_id: int,
    mailing: Mailing,
    chosen: Sequence[tuple[Case, str, Code | None]],
    blanks: Mapping[str, str],
    now: datetime,
) -> None:
    """Write the messages, sealed, and that they are owed."""
    rows = []
    for case, to, code in chosen:
        own = {"code": display(code.typed), "link": link(office.base_url, code.token)} if code else {}
        text = filled(mailing.template, {**blanks, "address": office.base_url, **own})
        rows.append(
            {
                "survey_id": survey_id,
                "case_id": case.id,
                "kind": mailing.kind,
                "channel": mailing.channel,
                "sealed": office.safe.seal_words(case.id, Words(to, text)),
                "made_at": now,
            }
        )
    for message_id in listed.add_messages(connection, rows):
        emit(connection, TOPIC, str(message_id), 1)
