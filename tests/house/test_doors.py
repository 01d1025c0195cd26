"""Every route names who may call it, and nobody else comes in: all routes, all roles."""

import uuid

from flask import Flask
from werkzeug.routing import IntegerConverter, UUIDConverter

from api.auth import allowed_roles
from api.store.people import ROLES

OPEN_STATIC = {"static"}


def doors(app: Flask) -> list[tuple[str, str, str]]:
    return [
        (rule.rule, rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
        if rule.endpoint not in OPEN_STATIC and not rule.endpoint.endswith(".static")
    ]


def test_every_route_names_its_callers(app):
    silent = [
        f"{method} {path}" for path, endpoint, method in doors(app) if allowed_roles(app, endpoint, method) is None
    ]
    assert silent == []


def test_a_stranger_is_sent_away_from_every_staff_route(app):
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            if rule.endpoint == "static" or not allowed_roles(app, rule.endpoint, method):
                continue
            answer = client.open(address(rule), method=method)
            assert answer.status_code in {302, 401}, (method, rule.rule, answer.status_code)
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith("/login"), rule.rule


def address(rule) -> str:
    """Some address that the rule matches."""
    values = {
        name: uuid.UUID(int=1)
        if isinstance(converter, UUIDConverter)
        else 1
        if isinstance(converter, IntegerConverter)
        else "a" * 64
        for name, converter in rule._converters.items()
    }
    built = rule.build(values)
    assert built is not None
    return built[1]


def test_the_roles_named_are_roles_that_exist(app):
    for path, endpoint, method in doors(app):
        roles = allowed_roles(app, endpoint, method)
        assert roles is not None
        assert roles <= set(ROLES), path
