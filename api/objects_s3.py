"""The object store in a bucket: the same words, with retention that nobody can shorten.

Originals and papers get object lock in COMPLIANCE mode: not even the account's owner can delete or shorten them
before their day. Everything is written with `If-None-Match: *`, so the store itself refuses a second writing, and is
read back and compared before it counts. The bucket must have versioning and object lock; without, nothing is kept.
"""

import base64
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import md5
from hashlib import sha256 as hash_of
from mmap import mmap
from pathlib import Path
from typing import Any

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import MinioException, S3Error
from minio.retention import Retention

from api.bucket import Bucket
from api.objects import AREAS, Objects

LOCKED = ("originals", "papers")
"""Areas whose objects cannot be made again."""

WHOLE = 64 * 1024 * 1024  # bytes sent in one piece: a multipart upload knows no `If-None-Match` for its parts
PATIENCE = urllib3.Timeout(connect=3, read=30)


class StoreUnavailable(OSError):
    """The bucket does not answer, or is not as it must be; what was sent to it does not count."""


class _WriteOnce(urllib3.PoolManager):
    """Asks for every object to be new, and says the digest that S3 wants of whatever it is to lock.

    minio's client has no argument for either, but takes the connections that it is given.
    """

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> Any:  # type: ignore[override]  # noqa: FBT001, FBT002 - urllib3's own signature
        if method == "PUT":
            digest = base64.b64encode(md5(options.get("body") or b"", usedforsecurity=False).digest()).decode()
            options["headers"] = {**options.get("headers", {}), "If-None-Match": "*", "Content-MD5": digest}
        return super().urlopen(method, url, redirect, **options)


class S3Objects(Objects):
    """The object store in a bucket; `root` is a directory of this machine for pieces that are not whole yet."""

    def __init__(self, root: Path, bucket: Bucket) -> None:
        super().__init__(root)
        self.bucket = bucket
        self._is_fit = False
        self._client = Minio(
            bucket.endpoint,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
            secure=bucket.secure,
            region=bucket.region,
            http_client=_WriteOnce(timeout=PATIENCE, retries=urllib3.Retry(2, backoff_factor=0.2), maxsize=8),
        )

    def path(self, area: str, sha256: bytes) -> Path:
        """No object is a file of this machine; `at_hand` makes one for as long as it is needed."""
        raise StoreUnavailable(f"{self._key(area, sha256)} is in a bucket")

    def has(self, area: str, sha256: bytes) -> bool:
        """Whether the object is kept."""
        with _told():
            try:
                self._client.stat_object(self.bucket.name, self._key(area, sha256))
            except S3Error as error:
                if error.code in {"NoSuchKey", "NoSuchObject"}:
                    return False
                raise
            return True

    def put(self, area: str, sha256: bytes, content: bytes | mmap) -> None:
        """Keep an object; it counts once it was read back and is the same. Keeping it again changes nothing.

        Raises:
            StoreUnavailable: the bucket is away, lacks object lock, or gave back something else.
        """
        with _told():
            self._check()
            key = self._key(area, sha256)
            until = datetime.now(UTC) + timedelta(days=self.bucket.retention_days)
            try:
                self._client.put_object(
                    self.bucket.name,
                    key,
                    io.BytesIO(content[:]),
                    len(content),
                    part_size=WHOLE,
                    retention=Retention(COMPLIANCE, until) if area in LOCKED else None,
                )
            except S3Error as error:
                if error.code != "PreconditionFailed":
                    raise
                if area not in LOCKED:
                    return  # a copy made of the same original before
            if hash_of(self._read(key) or b"").digest() != hash_of(content).digest():
                raise StoreUnavailable(f"{key} came back as something else")

    def get(self, area: str, sha256: bytes) -> bytes | None:
        """The object's bytes, if it is kept."""
        with _told():
            return self._read(self._key(area, sha256))

    @contextmanager
    def at_hand(self, area: str, sha256: bytes) -> Iterator[Path]:
        """The object in a temporary file, gone afterwards.

        Raises:
            FileNotFoundError: it is not kept.
            StoreUnavailable: the bucket is away, or an original is not what its name says.
        """
        content = self.get(area, sha256)
        if content is None:
            raise FileNotFoundError(f"{area}/{sha256.hex()} is not in the store")
        if area == "originals" and hash_of(content).digest() != sha256:
            raise StoreUnavailable(f"{self._key(area, sha256)} is not what its name says")
        with tempfile.TemporaryDirectory(prefix="mingcha-object-") as folder:
            path = Path(folder, sha256.hex())
            path.write_bytes(content)
            yield path

    def _key(self, area: str, sha256: bytes) -> str:
        if area not in AREAS:
            raise ValueError(area)
        name = sha256.hex()
        return "/".join(part for part in (self.bucket.prefix, area, name[:2], name) if part)

    def _read(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(self.bucket.name, key)
        except S3Error as error:
            if error.code in {"NoSuchKey", "NoSuchObject"}:
                return None
            raise
        try:
            return bytes(answer.read())
        finally:
            answer.close()
            answer.release_conn()

    def _check(self) -> None:
        """Once: the bucket has what makes it a place for evidence."""
        if not self._is_fit:
            if self._client.get_bucket_versioning(self.bucket.name).status != "Enabled":
                raise StoreUnavailable(f"the bucket {self.bucket.name} has no versioning")
            try:
                self._client.get_object_lock_config(self.bucket.name)
            except S3Error as error:
                raise StoreUnavailable(f"the bucket {self.bucket.name} has no object lock: {error.code}") from error
            self._is_fit = True


@contextmanager
def _told() -> Iterator[None]:
    """Whatever the client stumbles over is one kind of error to whoever keeps photos."""
    try:
        yield
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}"[:300]) from error
