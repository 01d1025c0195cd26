"""Least privilege in the database: what each process may touch, as PostgreSQL itself enforces it.

A role has no password and cannot sign in; a process connects as itself and then is its role (`as_role`). What matters
most: the web may write answers and cannot read any; the bureau sees neither people nor ballots; whoever reads answers
(the worker) cannot see which code is whose, nor which transaction wrote it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

WEB, WORKER, NOTICES, COUNT, BUREAU = (
    "mingcha_web",
    "mingcha_worker",
    "mingcha_notices",
    "mingcha_count",
    "mingcha_bureau",
)
READ, WRITE = "SELECT", "SELECT, INSERT, UPDATE, DELETE"
_STAFF = "SELECT (id, username, name, role, unit_id, disabled_at)"  # no password
_HOLD = "UPDATE (id)"  # PostgreSQL lets nobody lock a row who may not change some column of it
_SPENT = "SELECT (survey_id, stratum, spent)"  # no MAC, and with it no transaction number either


@dataclass(frozen=True, slots=True)
class Grants:
    """What a role may do: to whole schemas, and beyond that to single tables; taken away again at the end."""

    schemas: Mapping[str, str]
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    but: Mapping[str, str] = field(default_factory=dict)


_CLOSING: Mapping[str, tuple[str, ...]] = {
    "ballot.box": (READ,),
    "ballot.campaign_key": (READ,),
    "roll.access_code": (_SPENT,),
    "office.staff": (_STAFF,),
    "office.audit": ("INSERT",),
    "office.round": (_HOLD,),
    "office.survey": (_HOLD,),
}
"""What closing a ballot takes."""
_ONLY_GROWS = dict.fromkeys(
    (
        *("roll.frame", "roll.frame_member", "roll.plan", "roll.draw", "roll.draw_refusal"),
        *("roll.contact_attempt", "result.weighting", "result.weight"),
        *("field.ledger_entry", "field.checkpoint", "field.frozen_ledger", "field.blob"),
        *("field.rectification_step", "field.paper", "field.shortfall"),
        *("field.checklist", "field.finding_photo", "field.check_in", "indicator.score"),
    ),
    "UPDATE, DELETE",
)
_STAYS = dict.fromkeys(
    (
        *("roll.case", "roll.backcheck", "field.objection", "field.rectification", "field.slip"),
        *("field.inspection_draw", "field.recusal", "field.flag_review", "indicator.batch", "office.round"),
    ),
    "DELETE",
)
_DECISION = "UPDATE (status, decided_by, decided_at, decision_note)"
_WEB_CHANGES: Mapping[str, tuple[str, ...]] = {
    "field.reversal_request": (_DECISION,),
    "field.finding": (_DECISION,),
    "field.upload": ("UPDATE (status, settled_at, visit_id, problems, flags, receipt)",),
    "field.visit": ("UPDATE (closed_at, note, signature, signed_by)",),
    "field.photo": ("UPDATE (blurs, blurred_by, blurred_at)",),
    "field.assignment": ("UPDATE (site_id, inspector_id, withdrawn_at, withdrawn_reason)",),
    "field.crew": ("UPDATE (left_at, left_reason)",),
    "field.device": ("UPDATE (ended_at)",),
}
_WORKER_CHANGES: Mapping[str, tuple[str, ...]] = {
    "field.photo": ("UPDATE (verdict, verdict_code, exif_lat, exif_lon, exif_taken, likeness, flags)",),
    "field.assignment": ("UPDATE (site_id)",),  # the seal is opened
}
"""What becomes of a row whose other columns stay as they were written (`decided_once` says which of these do too)."""
_GROWS_OR_CHANGES = _ONLY_GROWS | dict.fromkeys(_WEB_CHANGES, "UPDATE, DELETE")
_SIGNED = dict.fromkeys(("field.checkpoint", "field.frozen_ledger"), "INSERT, UPDATE, DELETE")
"""Who shows checkpoints makes none: the key is the worker's, and so are the rows."""
_COMPUTED = dict.fromkeys(("result.composite", "result.estimate"), "INSERT, UPDATE, DELETE")
"""Who publishes a result computes none: these are the worker's, and the web only pins what it publishes."""
_SECRETS = {"office.staff": READ, "office.session": READ, "office.api_token": READ}

GRANTS: Mapping[str, Grants] = {
    WEB: Grants(
        {
            **dict.fromkeys(("office", "roll", "field", "indicator", "result", "owed"), WRITE),
            "tally": READ,
        },
        {
            **_WEB_CHANGES,
            "result.composite": ("UPDATE (was_published)",),
            "ballot.draft": (WRITE,),
            "ballot.draft_file": (WRITE,),
            "ballot.response": ("INSERT", "SELECT (id, survey_id)"),  # how many wait to be counted
            "ballot.response_file": ("INSERT",),
            "ballot.untallied": ("SELECT, INSERT",),
            "ballot.receipt": ("SELECT, INSERT",),
            "ballot.box": ("SELECT, INSERT",),  # ciphertext; closing, proofs and the export read it
            "ballot.campaign_key": ("SELECT, INSERT, UPDATE",),
            "ballot.closing": ("SELECT, INSERT, UPDATE",),
        },
        {"office.audit": "UPDATE, DELETE", **_GROWS_OR_CHANGES, **_STAYS, **_SIGNED, **_COMPUTED},
    ),
    WORKER: Grants(
        {"office": READ, "indicator": READ, "field": WRITE, "tally": WRITE, "result": WRITE, "owed": WRITE},
        {
            **_CLOSING,
            **_WORKER_CHANGES,
            "ballot.closing": ("SELECT, INSERT",),
            "ballot.response": (READ,),
            "ballot.untallied": ("SELECT, UPDATE, DELETE",),
            "ballot.draft": ("SELECT (survey_id), DELETE",),
        },
        {**_SECRETS, **_GROWS_OR_CHANGES, **_STAYS},
    ),
    NOTICES: Grants(
        {"office": READ, "owed": WRITE},
        {
            "roll.case": (READ,),
            "roll.case_code": (READ,),
            "roll.contact": (READ,),
            "roll.message": ("SELECT, UPDATE",),
            **dict.fromkeys(("roll.frame", "roll.frame_member"), ("SELECT, INSERT",)),
            **dict.fromkeys(("roll.frame_line", "roll.frame_import"), (WRITE,)),
            "roll.access_code": (READ,),
            "office.staff": (_STAFF,),
            "office.audit": ("INSERT",),
        },
        _SECRETS,
    ),
    COUNT: Grants(
        {"office": READ},
        {
            **_CLOSING,
            "ballot.closing": ("SELECT, INSERT, UPDATE",),
            "ballot.response": ("INSERT",),
            "ballot.untallied": ("INSERT",),
        },
        _SECRETS,
    ),
    BUREAU: Grants(
        {"tally": READ, "result": READ},
        {
            f"office.{name}": (READ,)
            for name in (
                *("scheme_version", "evaluation", "unit", "round"),
                *("survey", "respondent_group", "stratum", "form_version"),
            )
        },
        {"result.quality_flag": READ},  # it names interviewers
    ),
}


def grant_roles(connection: Connection) -> None:
    """Make the roles and give each what it may do in this database, and nothing that it had before.

    Harmless to repeat, and to be repeated after every upgrade: a new table is granted to nobody until then.
    """
    schemas = ", ".join(_SCHEMAS)
    for role, grants in GRANTS.items():
        connection.execute(text(_MAKE.format(role=role)))
        connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schemas} FROM {role}"))
        connection.execute(text(f"REVOKE ALL ON SCHEMA {schemas} FROM {role}"))
        connection.execute(text(f"GRANT SELECT ON public.alembic_version TO {role}"))
        for schema, rights in grants.schemas.items():
            connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
            connection.execute(text(f"GRANT {rights} ON ALL TABLES IN SCHEMA {schema} TO {role}"))
            connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"))
        for table, rights in grants.but.items():
            connection.execute(text(f"REVOKE {rights} ON {_quoted(table)} FROM {role}"))
        for table, given in grants.tables.items():
            connection.execute(text(f"GRANT USAGE ON SCHEMA {table.partition('.')[0]} TO {role}"))
            for rights in given:
                connection.execute(text(f"GRANT {rights} ON {_quoted(table)} TO {role}"))


def as_role(url: str, role: str) -> str:
    """A database's address for a process that is to be this role from its first statement on."""
    known = make_url(url)
    options = known.query.get("options", "")
    told = f"{options if isinstance(options, str) else ' '.join(options)} -c role={role}".strip()
    return known.update_query_dict({"options": told}).render_as_string(hide_password=False)


_SCHEMAS = ("office", "roll", "ballot", "tally", "field", "indicator", "result", "owed")
_MAKE = """
DO $$ BEGIN
  CREATE ROLE {role} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


def _quoted(table: str) -> str:
    schema, _, name = table.partition(".")
    return f'{schema}."{name}"'
