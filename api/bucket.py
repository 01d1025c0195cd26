"""Where an S3 store is and who we are to it, read from one address and two secrets."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

RETENTION_DAYS = 730
"""An appeal and the year after it, with room: the store lets nobody delete evidence before."""
MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with versioning and object lock, and the beginning of our objects' names in it."""

    endpoint: str  # host, or host:port
    name: str
    prefix: str = ""  # without a slash at its end
    secure: bool = True  # by TLS
    region: str = "us-east-1"
    retention_days: int = RETENTION_DAYS
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)


def bucket_at(address: str, access_key: str, secret_key: str) -> Bucket | None:
    """`s3://bucket/prefix?endpoint=https://host&region=…&retention_days=730`; None when it is no such address."""
    try:
        parts = urlsplit(address)
        options = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        endpoint = urlsplit(options.pop("endpoint", ""))
        days = int(options.pop("retention_days", str(RETENTION_DAYS)))
        endpoint.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    region = options.pop("region", "us-east-1")
    fits = (
        parts.scheme == "s3" and endpoint.scheme in {"http", "https"} and endpoint.hostname and 1 <= days <= MOST_DAYS
    )
    if not fits or options or not parts.netloc or endpoint.path.strip("/") or "@" in endpoint.netloc + parts.netloc:
        return None
    secure = endpoint.scheme == "https"
    prefix = parts.path.strip("/")
    return Bucket(endpoint.netloc, parts.netloc, prefix, secure, region, days, access_key, secret_key)
