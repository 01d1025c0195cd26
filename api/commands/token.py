"""`mingcha token new`: an API token for a member of staff, shown once and stored as its digest only."""

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import click

from api.commands.database import opened_database
from api.commands.serve import data_option
from api.store import people
from survey_forms.refusal import Refused

PREFIX = "mingcha_"
"""Tells a secret scanner, and whoever finds one in a log, what it is."""

LONGEST_DAYS = 180


@click.group("token")
def token_group() -> None:
    """接口令牌。 API tokens."""


@token_group.command("new")
@click.option("--user", required=True, help="用户名。 The user name it acts for.")
@click.option("--label", required=True, help="用途，供日后辨认。 What it is for.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=90, show_default=True, help="有效天数。 Days.")
@data_option
def new_token(user: str, label: str, days: int, data: Path) -> None:
    """发给一个令牌，只显示这一次。 Issue a token and print it, this once.

    It goes into the header `Authorization: Bearer TOKEN`.
    """
    now = datetime.now(UTC)
    token = PREFIX + secrets.token_urlsafe(32)
    with opened_database(data) as database, database.write() as connection:
        found = people.staff_named(connection, user)
        if found is None:
            raise Refused("no_such_user", user)
        digest = sha256(token.encode()).digest()
        people.add_token(connection, found[0].id, digest, label, now, now + timedelta(days=days))
        people.record_act(connection, "token_issued", now, found[0].id, label=label, days=days)
    click.echo(token)
    click.echo(f"有效至 / valid until {now + timedelta(days=days):%Y-%m-%d}", err=True)
