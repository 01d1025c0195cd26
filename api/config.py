"""What the environment says, read once, with every complaint at once.

No other module reads the environment; `docs/operating.md` lists the settings for the person who runs Mingcha.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from api.bucket import Bucket, bucket_at
from survey_forms.refusal import Fault, Refused

LANGUAGES = ("zh", "en")
LOG_LEVELS = ("debug", "info", "warning", "error")
POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")
REDIS = ("redis", "rediss", "unix")
S3 = "s3:"
HOST = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?")
THIS_MACHINE = ("127.0.0.1", "localhost")
SECRET_BYTES = 32  # as long as the SHA-256 that both secrets key (RFC 2104 section 3)
ELSEWHERE = "elsewhere"  # of MINGCHA_LEDGER_KEY: another host signs the ledger's checkpoints (docs/ledger.md)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process of Mingcha is told from outside.

    What could hold a password or a key stays out of `repr`, and so out of logs and tracebacks.
    """

    database_url: str = field(repr=False)  # always postgresql+psycopg://
    redis_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)  # signs cookies
    pepper: bytes = field(repr=False)  # keys the HMAC of access codes; losing it makes every printed code void
    base_url: str  # as people type it, without a slash at its end
    data_dir: Path  # logs, and what the embedded servers keep
    objects: Path  # photos and downloads; with a bucket only what is not whole yet, and registries of frames
    bucket: Bucket | None = field(default=None, repr=False)  # photos and papers, under object lock
    evidence_host: str = ""  # the host that alone serves photos, by links that end; none: the service's own
    language: str = "zh"
    log_level: str = "info"
    ledger_key: bytes = field(default=b"", repr=False)  # the worker signs the ledger's checkpoints with it
    signs_elsewhere: bool = False
    gateway_url: str = field(default="", repr=False)  # takes messages to listed cases; none: they go to a file
    gateway_key: bytes = field(default=b"", repr=False)  # signs what the gateway is sent
    proxies: int = 0  # how many reverse proxies of ours add to X-Forwarded-For
    pool_size: int = 16  # connections a process keeps
    pool_overflow: int = 16  # and may open besides

    @property
    def secure_cookies(self) -> bool:
        """Cookies travel by TLS alone wherever the service itself is reached by TLS."""
        return self.base_url.startswith("https://")

    def check_signing(self) -> None:
        """What the processes need that sign the ledger's checkpoints, or leave it to another host.

        Raises:
            Refused: nothing says who signs.
        """
        if not (self.ledger_key or self.signs_elsewhere):
            raise Refused("setting_no_ledger_key", "MINGCHA_LEDGER_KEY")

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            Refused: with one fault for each setting that is missing or wrong, its name as the path.
        """
        read = _Reader(env)
        data_dir = Path(read.text("MINGCHA_DATA", "data")).absolute()
        signs_elsewhere = env.get("MINGCHA_LEDGER_KEY", "").strip() == ELSEWHERE
        settings = cls(
            database_url=read.database("DATABASE_URL"),
            redis_url=read.redis("REDIS_URL"),
            secret_key=read.secret("MINGCHA_SECRET_KEY"),
            pepper=read.secret("MINGCHA_PEPPER"),
            base_url=read.web_address("MINGCHA_BASE_URL"),
            data_dir=data_dir,
            objects=read.object_store("MINGCHA_OBJECTS", data_dir / "objects"),
            bucket=read.bucket("MINGCHA_OBJECTS"),
            evidence_host=read.other_host("MINGCHA_EVIDENCE_HOST", "MINGCHA_BASE_URL"),
            language=read.one_of("MINGCHA_LANGUAGE", LANGUAGES, "zh"),
            log_level=read.one_of("MINGCHA_LOG_LEVEL", LOG_LEVELS, "info"),
            ledger_key=b"" if signs_elsewhere else read.secret("MINGCHA_LEDGER_KEY", optional=True),
            signs_elsewhere=signs_elsewhere,
            gateway_url=read.gateway("MINGCHA_GATEWAY_URL"),
            gateway_key=read.secret("MINGCHA_GATEWAY_KEY") if env.get("MINGCHA_GATEWAY_URL", "").strip() else b"",
            proxies=read.number("MINGCHA_PROXIES", 0, 0, 10),
            pool_size=read.number("MINGCHA_POOL_SIZE", 16, 1, 500),
            pool_overflow=read.number("MINGCHA_POOL_OVERFLOW", 16, 0, 500),
        )
        if settings.secret_key and settings.secret_key == settings.pepper:
            read.faults.append(Fault("setting_same_secret", "MINGCHA_PEPPER"))
        if settings.ledger_key and settings.ledger_key in {settings.secret_key, settings.pepper}:
            read.faults.append(Fault("setting_same_secret", "MINGCHA_LEDGER_KEY"))
        if read.faults:
            raise Refused.of(read.faults)
        return settings


def ledger_key(env: Mapping[str, str]) -> bytes:
    """`MINGCHA_LEDGER_KEY` alone, for the host that signs checkpoints.

    Raises:
        Refused: it is missing or short.
    """
    read = _Reader(env)
    key = read.secret("MINGCHA_LEDGER_KEY")
    if read.faults:
        raise Refused.of(read.faults)
    return key


def database_url(env: Mapping[str, str]) -> str:
    """`DATABASE_URL` alone, for the commands that need no more.

    Raises:
        Refused: it is missing or wrong.
    """
    read = _Reader(env)
    url = read.database("DATABASE_URL")
    if read.faults:
        raise Refused.of(read.faults)
    return url


class _Reader:
    """Reads one setting at a time and collects what is wrong instead of stopping at it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.faults: list[Fault] = []

    def wrong(self, code: str, name: str, **facts: object) -> None:
        self.faults.append(Fault(code, name, facts))

    def text(self, name: str, default: str | None = None) -> str:
        """The setting without surrounding blanks; an empty one counts as not set (compose files pass those)."""
        value = self.env.get(name, "").strip()
        if value:
            return value
        if default is None:
            self.wrong("setting_missing", name)
        return default or ""

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdecimal() and len(value) < 10 and low <= int(value) <= high):
            self.wrong("setting_not_a_number", name, value=value, low=low, high=high)
            return default
        return int(value)

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            self.wrong("setting_not_one_of", name, value=value, allowed=", ".join(allowed))
        return value

    def secret(self, name: str, *, optional: bool = False) -> bytes:
        value = self.text(name, "" if optional else None).encode()
        if value and len(value) < SECRET_BYTES:
            self.wrong("setting_secret_too_short", name, length=len(value), least=SECRET_BYTES)
        return value

    def address(self, name: str, schemes: tuple[str, ...]) -> str:
        """An address of one of the schemes, else ""; the complaint never repeats it (it may hold a password)."""
        value = self.text(name)
        if value and value.partition("://")[0] not in schemes:
            self.wrong("setting_other_scheme", name, allowed=", ".join(f"{scheme}://" for scheme in schemes))
            return ""
        return value

    def database(self, name: str) -> str:
        value = self.address(name, POSTGRESQL)
        if not value:
            return ""
        normal = "postgresql+psycopg://" + value.partition("://")[2]
        try:
            named = make_url(normal).database
        except (ArgumentError, ValueError):
            self.wrong("setting_unreadable_address", name)
            return ""
        if not named:
            self.wrong("setting_no_database", name)
        return normal

    def redis(self, name: str) -> str:
        value = self.address(name, REDIS)
        if value and not self._readable(value, path_counts=True):
            self.wrong("setting_unreadable_address", name)
        return value

    def web_address(self, name: str) -> str:
        value = self.address(name, ("http", "https"))
        if value and not self._readable(value, path_counts=False):
            self.wrong("setting_unreadable_address", name)
        return value.rstrip("/")

    def gateway(self, name: str) -> str:
        """An address that may be missing; over https, or on this machine."""
        if not self.text(name, ""):
            return ""
        value = self.web_address(name)
        if value.startswith("http://") and urlsplit(value).hostname not in THIS_MACHINE:
            self.wrong("setting_gateway_needs_tls", name)
        return value

    @staticmethod
    def _readable(value: str, *, path_counts: bool) -> bool:
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  reading it is what checks it
        except ValueError:
            return False
        if path_counts:
            return bool(parts.hostname or parts.path.strip("/"))
        return bool(parts.hostname) and not (parts.query or parts.fragment)

    def object_store(self, name: str, default: Path) -> Path:
        value = self.text(name, str(default))
        if value.startswith(S3):
            return default
        if "://" in value and not value.startswith("file:///"):
            self.wrong("setting_other_scheme", name, allowed="file:///, s3://")
        return Path(value.removeprefix("file://")).absolute()

    def bucket(self, name: str) -> Bucket | None:
        """The bucket that the object store's address names, with its two secrets; None where it names a directory."""
        value = self.text(name, "")
        if not value.startswith(S3):
            return None
        found = bucket_at(value, self.text("MINGCHA_S3_ACCESS_KEY"), self.text("MINGCHA_S3_SECRET_KEY"))
        if found is None:
            self.wrong("setting_unreadable_bucket", name)
        return found

    def other_host(self, name: str, main: str) -> str:
        """A host, with a port or without, other than that of an address; it may be missing."""
        value = self.text(name, "").lower()
        if not value:
            return ""
        try:
            parts = urlsplit(f"//{value}")
            is_host = bool(parts.hostname) and parts.netloc == value and "@" not in value and (parts.port or 1) > 0
            is_main = value == urlsplit(self.text(main, "")).netloc.lower()
        except ValueError:
            is_host = is_main = False
        if not HOST.fullmatch(value) or not is_host or is_main:
            self.wrong("setting_not_another_host", name, value=value[:100])
            return ""
        return value
