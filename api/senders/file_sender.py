"""Messages as lines of a file, for an office whose own gateway picks them up. The file holds codes in clear.

What happens to it is the gateway's business: it is readable by the service's own user alone, and the gateway deletes
what it has sent (docs/invitations.md). In the demonstration it is where the messages can be read.
"""

import os
from pathlib import Path

import orjson

from api.senders.sender import NotSentError, Outgoing


class FileSender:
    """Appends one JSON object a line: id, channel, to, text."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Outgoing) -> str:
        """Append the message; it is on the disk when this returns.

        Raises:
            NotSentError: the file cannot be written.
        """
        line = orjson.dumps(
            {"id": message.id, "channel": message.channel, "to": message.to, "text": message.text},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                written = os.write(file, line)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise NotSentError("file_unwritable") from error
        if written != len(line):
            raise NotSentError("file_full")
        return ""
