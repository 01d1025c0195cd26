"""What a web process works with, made once by `create_app` and found again from any request."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import current_app

from api.actions.answering import Answering
from api.config import Settings
from api.intake import Intake
from api.objects import Objects
from api.transaction import Database

KEY = "mingcha"


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, database, object store, the committing thread, and what respondents' codes open."""

    settings: Settings
    database: Database
    objects: Objects
    intake: Intake
    answering: Answering


def services() -> Services:
    """The services of the app that is handling this request."""
    return cast("Services", current_app.extensions[KEY])


def utc_now() -> datetime:
    """The web's clock; everything below takes `now` as an argument."""
    return datetime.now(UTC)
