"""`mingcha staff add | disable`: accounts are made at the console, never by default and never over the web."""

from datetime import UTC, datetime
from pathlib import Path

import click
from werkzeug.security import generate_password_hash

from api.commands.database import opened_database
from api.commands.serve import data_option
from api.store import evaluations, people
from survey_forms.refusal import Refused

LEAST_CHARACTERS = 12


@click.group("staff")
def staff_group() -> None:
    """工作人员账号。 Staff accounts."""


@staff_group.command("add")
@click.argument("username")
@click.option("--name", required=True, help="姓名，显示在台账和操作记录里。 The name that the ledger shows.")
@click.option("--role", required=True, type=click.Choice(people.ROLES), help="身份。 The role.")
@click.option("--unit", default="", help="被考核单位的代码，只用于 unit。 The unit's code, for the role unit alone.")
@data_option
def add_staff(username: str, name: str, role: str, unit: str, data: Path) -> None:
    """新建账号，密码从终端输入两次。 Make an account; the password is asked for twice."""
    password = click.prompt("密码 password", hide_input=True, confirmation_prompt=True, err=True)
    if len(password) < LEAST_CHARACTERS:
        raise Refused("password_too_short", "password", least=LEAST_CHARACTERS)
    if (role == "unit") != bool(unit):
        raise Refused("staff_unit_unfit", "--unit")
    with opened_database(data) as database, database.write() as connection:
        unit_id = next((found.id for found in evaluations.units_called(connection, unit)), None) if unit else None
        if unit and unit_id is None:
            raise Refused("staff_unit_unfit", "--unit")
        account = {"username": username, "name": name, "role": role, "unit_id": unit_id}
        if not people.add_staff(connection, account | {"password_hash": generate_password_hash(password)}):
            raise Refused("staff_name_taken", username)
        people.record_act(connection, "staff_added", datetime.now(UTC), username=username, role=role)
    click.echo(f"已新建 {username}({role}) / added", err=True)


@staff_group.command("disable")
@click.argument("username")
@data_option
def disable_staff(username: str, data: Path) -> None:
    """停用账号并结束它的登录。 Disable an account and end its sessions."""
    now = datetime.now(UTC)
    with opened_database(data) as database, database.write() as connection:
        if not people.disable_staff(connection, username, now):
            raise Refused("no_such_user", username)
        people.record_act(connection, "staff_disabled", now, username=username)
    click.echo(f"已停用 {username} / disabled", err=True)
