"""Which way messages go: to the gateway that the settings name, else into a file of the data directory."""

from api.config import Settings
from api.senders.file_sender import FileSender
from api.senders.http_sender import HttpSender
from api.senders.sender import Sender

FILE = "notices.jsonl"


def sender_of(settings: Settings) -> Sender:
    """The sender of these settings."""
    if settings.gateway_url:
        return HttpSender(settings.gateway_url, settings.gateway_key)
    return FileSender(settings.data_dir / FILE)
