import secrets
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from flask.testing import FlaskClient

from api.actions import devices
from api.actions.results import compose
from api.actions.tally import fold
from api.services import utc_now
from api.store import people
from tests.phones import Phone
from tests.worker.town import GROUPS, NOW, Town, a_town, answer, enter, rate_all, score_indicators

CHOICES = ("v5", "v4", "v3", "v2", "v1")


@pytest.fixture
def town(engine) -> Town:
    """A town whose composites are computed: 20 answers of most groups, 4 of the deputies."""
    with engine.begin() as connection:
        town = a_town(connection)
        for group in GROUPS:
            n = 4 if group == "deputies" else 20
            answer(connection, town, *((group, rate_all(CHOICES[one % 5])) for one in range(n)))
        score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
        gone = enter(connection, town, "harbour", "0.5")
        enter(connection, town, "harbour", "2", aspect="conduct")
        enter(connection, town, "library", "1")
        enter(connection, town, "harbour", "0.5", reverses=gone)
        fold(connection, 5000)
        compose(connection, town.evaluation_id, NOW)
    return town


@pytest.fixture
def client_of(app, engine, town) -> Callable[[str], FlaskClient]:
    """A client with a token of the town's member of staff of that name ("" for nobody)."""

    def of(name: str) -> FlaskClient:
        client = app.test_client()
        if name:
            token, now = secrets.token_urlsafe(32), utc_now()
            with engine.begin() as connection:
                digest = sha256(token.encode()).digest()
                people.add_token(connection, town.staff_ids[name], digest, "t", now, now + timedelta(days=1))
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return of


@pytest.fixture
def phone_of(app, engine, town):  # noqa: ARG001 - whose phones they are
    """An inspector's enrolled phone and a client with its token; the town may be the file's own."""

    def of(username: str = "inspector") -> tuple[Phone, FlaskClient]:
        phone = Phone()
        with engine.begin() as connection:
            staff = people.staff_named(connection, username)[0]
            phone.token, _ = devices.enrol(connection, staff, phone.id, phone.public_key, "Phone", utc_now())
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {phone.token}"
        return phone, client

    return of
