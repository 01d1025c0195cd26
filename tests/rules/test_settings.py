"""Settings are read once, and every complaint comes at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.config import Settings, ledger_key
from api.problems import LANGUAGES, say
from survey_forms.refusal import Refused

GOOD = {
    "DATABASE_URL": "postgres://app:p%40ss@db/mingcha",
    "REDIS_URL": "redis://broker:6379/0",
    "MINGCHA_SECRET_KEY": "k" * 32,
    "MINGCHA_PEPPER": "p" * 32,
    "MINGCHA_BASE_URL": "https://pingyi.example.gov.cn/",
}


def faults(**changed: str) -> dict[str, str]:
    with pytest.raises(Refused) as refusal:
        Settings.from_env(GOOD | changed)
    for fault in refusal.value.faults:
        assert all("<" not in say(fault, language) for language in LANGUAGES)
    return {fault.path: fault.code for fault in refusal.value.faults}


def test_good_settings_are_read_and_normalised() -> None:
    settings = Settings.from_env(GOOD | {"MINGCHA_DATA": "/srv/mingcha"})
    assert settings.database_url == "postgresql+psycopg://app:p%40ss@db/mingcha"
    assert settings.base_url == "https://pingyi.example.gov.cn"
    assert settings.secure_cookies
    assert settings.objects == Path("/srv/mingcha/objects")
    assert (settings.language, settings.log_level, settings.proxies) == ("zh", "info", 0)


def test_an_empty_environment_is_told_everything_that_it_lacks() -> None:
    with pytest.raises(Refused) as refusal:
        Settings.from_env({})
    assert {fault.path for fault in refusal.value.faults} == set(GOOD)


def test_a_setting_that_is_empty_counts_as_not_set() -> None:
    assert Settings.from_env(GOOD | {"MINGCHA_PROXIES": " "}).proxies == 0
    assert faults(MINGCHA_PEPPER="  ") == {"MINGCHA_PEPPER": "setting_missing"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("DATABASE_URL", "mysql://app@db/mingcha", "setting_other_scheme"),
        ("DATABASE_URL", "postgresql://app@db", "setting_no_database"),
        ("DATABASE_URL", "postgresql://app@db:port/mingcha", "setting_unreadable_address"),
        ("REDIS_URL", "broker:6379", "setting_other_scheme"),
        ("REDIS_URL", "redis://broker:99999", "setting_unreadable_address"),
        ("REDIS_URL", "unix://", "setting_unreadable_address"),
        ("MINGCHA_SECRET_KEY", "too short", "setting_secret_too_short"),
        ("MINGCHA_PEPPER", "k" * 32, "setting_same_secret"),
        ("MINGCHA_LEDGER_KEY", "too short", "setting_secret_too_short"),
        ("MINGCHA_LEDGER_KEY", "p" * 32, "setting_same_secret"),
        ("MINGCHA_BASE_URL", "pingyi.example.gov.cn", "setting_other_scheme"),
        ("MINGCHA_BASE_URL", "https://host/?q=1", "setting_unreadable_address"),
        ("MINGCHA_EVIDENCE_HOST", "https://evidence.example.gov.cn", "setting_not_another_host"),
        ("MINGCHA_EVIDENCE_HOST", "pingyi.example.gov.cn", "setting_not_another_host"),
        ("MINGCHA_EVIDENCE_HOST", "evidence.example.gov.cn/photos", "setting_not_another_host"),
        ("MINGCHA_EVIDENCE_HOST", "evidence.example.gov.cn; script-src *", "setting_not_another_host"),
        ("MINGCHA_EVIDENCE_HOST", "evidence.example.gov.cn:99999", "setting_not_another_host"),
        ("MINGCHA_OBJECTS", "gs://bucket", "setting_other_scheme"),
        ("MINGCHA_LANGUAGE", "fr", "setting_not_one_of"),
        ("MINGCHA_LOG_LEVEL", "loud", "setting_not_one_of"),
        ("MINGCHA_PROXIES", "-1", "setting_not_a_number"),
        ("MINGCHA_POOL_SIZE", "١٦", "setting_not_a_number"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, code: str) -> None:
    assert faults(**{name: value}) == {name: code}


S3_KEYS = {"MINGCHA_S3_ACCESS_KEY": "access", "MINGCHA_S3_SECRET_KEY": "hunter2hunter2"}


def test_a_bucket_is_read_with_its_secrets_and_files_that_are_not_whole_stay_here() -> None:
    address = "s3://evidence/mingcha/2026?endpoint=https://s3.example.gov.cn:9000&region=cn-1&retention_days=900"
    settings = Settings.from_env(GOOD | S3_KEYS | {"MINGCHA_OBJECTS": address, "MINGCHA_DATA": "/srv/mingcha"})
    bucket = settings.bucket
    assert bucket is not None
    assert (bucket.endpoint, bucket.name, bucket.prefix) == ("s3.example.gov.cn:9000", "evidence", "mingcha/2026")
    assert (bucket.secure, bucket.region, bucket.retention_days) == (True, "cn-1", 900)
    assert settings.objects == Path("/srv/mingcha/objects")
    assert "hunter2" not in repr(settings) + repr(bucket)
    assert Settings.from_env(GOOD).bucket is None


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket",
        "s3://bucket?endpoint=host",
        "s3:///photos?endpoint=https://host",
        "s3://bucket?endpoint=https://host/path",
        "s3://bucket?endpoint=https://user:word@host",
        "s3://bucket?endpoint=https://host&retention_days=0",
        "s3://bucket?endpoint=https://host&retention_days=many",
        "s3://bucket?endpoint=https://host&mode=GOVERNANCE",
        "s3://bucket?endpoint=https://host:port",
    ],
)
def test_an_address_that_is_no_bucket_is_refused(address: str) -> None:
    assert faults(**S3_KEYS, MINGCHA_OBJECTS=address) == {"MINGCHA_OBJECTS": "setting_unreadable_bucket"}


def test_a_bucket_needs_its_secrets() -> None:
    assert faults(MINGCHA_OBJECTS="s3://bucket?endpoint=https://host") == dict.fromkeys(S3_KEYS, "setting_missing")


def test_what_is_secret_is_never_shown() -> None:
    shown = repr(Settings.from_env(GOOD))
    assert not any(part in shown for part in ("kkkk", "pppp", "p%40ss"))
    with pytest.raises(Refused) as refusal:
        Settings.from_env(GOOD | {"DATABASE_URL": "mysql://app:hunter2hunter2@db/mingcha"})
    assert "hunter2" not in say(refusal.value.faults[0], "en") + str(refusal.value)


def test_a_gateway_needs_a_key_and_tls_unless_it_is_on_this_machine() -> None:
    assert Settings.from_env(GOOD).gateway_url == ""
    key = {"MINGCHA_GATEWAY_KEY": "g" * 32}
    for url in ("https://sms.example.gov.cn/send", "http://127.0.0.1:9000/send", "http://localhost/send"):
        settings = Settings.from_env(GOOD | key | {"MINGCHA_GATEWAY_URL": url})
        assert (settings.gateway_url, settings.gateway_key) == (url, b"g" * 32)
        assert url not in repr(settings)
    assert faults(MINGCHA_GATEWAY_URL="https://sms.example") == {"MINGCHA_GATEWAY_KEY": "setting_missing"}
    assert faults(**key, MINGCHA_GATEWAY_URL="http://10.0.0.5/send") == {
        "MINGCHA_GATEWAY_URL": "setting_gateway_needs_tls"
    }
    for url, code in (("ftp://h/", "setting_other_scheme"), ("https://", "setting_unreadable_address")):
        assert faults(**key, MINGCHA_GATEWAY_URL=url) == {"MINGCHA_GATEWAY_URL": code}


def test_whoever_signs_checkpoints_has_a_key_or_says_that_another_host_does() -> None:
    web = Settings.from_env(GOOD)
    assert web.ledger_key == b""
    with pytest.raises(Refused) as refusal:
        web.check_signing()
    assert refusal.value.code == "setting_no_ledger_key"
    for value, key in (("l" * 32, b"l" * 32), ("elsewhere", b"")):
        settings = Settings.from_env(GOOD | {"MINGCHA_LEDGER_KEY": value})
        settings.check_signing()
        assert settings.ledger_key == key
        assert "llll" not in repr(settings)
    assert ledger_key({"MINGCHA_LEDGER_KEY": "l" * 32}) == b"l" * 32
    for env in ({}, {"MINGCHA_LEDGER_KEY": "elsewhere"}):
        with pytest.raises(Refused):
            ledger_key(env)


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "MINGCHA_OBJECTS", "MINGCHA_PROXIES", "MINGCHA_GATEWAY_URL", "MINGCHA_EVIDENCE_HOST"]),
        st.text(max_size=60),
    )
)
def test_any_text_gives_settings_or_a_refusal(env: dict[str, str]) -> None:
    named: set[str] = set()
    try:
        Settings.from_env(GOOD | env)
    except Refused as refused:
        named = {fault.path for fault in refused.faults}
    # A gateway needs its key, a bucket its two: naming one makes the others settings that are missing.
    also = {"MINGCHA_GATEWAY_KEY"} if env.get("MINGCHA_GATEWAY_URL", "").strip() else set()
    also |= set(S3_KEYS) if env.get("MINGCHA_OBJECTS", "").strip().startswith("s3:") else set()
    assert named <= env.keys() | also
