"""How a listed case is reached, and the words that are sent: checked before anything is kept or sent."""

import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from survey_forms.refusal import Fault, Refused

_MAINLAND = re.compile(r"1[3-9][0-9]{9}")
_ABROAD = re.compile(r"\+[1-9][0-9]{6,14}")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}")
LONGEST_MAIL = 254
LONGEST_PLACE = 200
LONGEST_TEMPLATE = 500

BLANKS: Mapping[str, tuple[str, ...]] = {
    "invitation": ("title", "link", "address", "code", "closes", "help"),
    "reminder": ("title", "address", "closes", "help"),
}
"""What a template may leave to be filled in. A reminder cannot name the code: nobody knows it any more."""

DEFAULTS: Mapping[str, str] = {
    "invitation": "请您参加{title}。点开 {link} ，或在 {address} 输入评议码 {code}。{closes} 前有效。咨询 {help}",
    "reminder": "{title}将于 {closes} 截止。请用之前收到的链接或评议码打开 {address}；已经提交的请忽略。咨询 {help}",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A telephone number, a mail address, where somebody lives; empty where there is none."""

    phone: str = ""
    mail: str = ""
    place: str = ""

    def address(self, channel: str) -> str:
        """Where a message of this channel (`sms`, `mail`) goes; empty where it cannot."""
        return self.phone if channel == "sms" else self.mail


def read_phone(text: str) -> str | None:
    """A mobile number of the mainland (11 digits) or one from `+` on, without separators; None for anything else."""
    plain = re.sub(r"[ ()-]", "", unicodedata.normalize("NFKC", text))
    local = plain.removeprefix("+86") if plain.startswith("+86") else plain
    if _MAINLAND.fullmatch(local):
        return local
    return plain if _ABROAD.fullmatch(plain) and not plain.startswith("+86") else None


def read_mail(text: str) -> str | None:
    """A mail address, or None."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return plain if len(plain) <= LONGEST_MAIL and _MAIL.fullmatch(plain) else None


def masked(contact: Contact) -> str:
    """The contact as it is shown: `138****1234`, `z***@xm.gov.cn`."""
    shown = []
    if contact.phone:
        shown.append(f"{contact.phone[:3]}****{contact.phone[-4:]}")
    if contact.mail:
        name, _, host = contact.mail.partition("@")
        shown.append(f"{name[:1]}***@{host}")
    return " ".join(shown)


def check_template(kind: str, template: str) -> None:
    """Whether a template can be filled in, before anything is sent with it.

    Raises:
        Refused: every fault at once: `template_empty`, `template_too_long`, `template_unreadable`,
            `template_blank_unknown`, `template_code_missing` (an invitation without {code} or {link}).
    """
    faults = []
    if not template.strip():
        faults.append(Fault("template_empty", "template"))
    if len(template) > LONGEST_TEMPLATE:
        faults.append(Fault("template_too_long", "template", {"most": LONGEST_TEMPLATE}))
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise Refused.of([*faults, Fault("template_unreadable", "template")]) from error
    names = [name for _, name, _, _ in parts if name is not None]
    plain = all(not spec and not conversion for _, _, spec, conversion in parts)
    allowed = BLANKS[kind]
    unknown = [name for name in names if name not in allowed]
    if unknown or not plain:
        facts = {"blank": (unknown or ["!:"])[0][:20], "known": " ".join(f"{{{name}}}" for name in allowed)}
        faults.append(Fault("template_blank_unknown", "template", facts))
    if kind == "invitation" and template.strip() and not {"code", "link"} & set(names):
        faults.append(Fault("template_code_missing", "template"))
    if faults:
        raise Refused.of(faults)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The words of one message, from a template that `check_template` let pass."""
    return template.format_map(dict(values))
