"""Which store the settings ask for: a directory, or a bucket.

The module of the bucket is imported by name, and only when one is set: its client is an optional extra
(`mingcha[s3]`), and whoever keeps photos in a directory neither installs it nor loads its 4 MB into each process.
"""

from importlib import import_module
from typing import cast

from api.config import Settings
from api.objects import Objects

BUCKET_STORE = "api.objects_s3"


def open_objects(settings: Settings) -> Objects:
    """The object store of the settings; opens no connection.

    Raises:
        ModuleNotFoundError: a bucket is set and `pip install 'mingcha[s3]'` was not done.
    """
    if settings.bucket is None:
        return Objects(settings.objects)
    return cast("Objects", import_module(BUCKET_STORE).S3Objects(settings.objects, settings.bucket))
