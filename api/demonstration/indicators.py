"""The demonstration's indicator scores: the CSV beside this file, filed by one person and confirmed by another."""

from datetime import datetime
from importlib.resources import files

from sqlalchemy import Connection

from api.actions.indicators import File, confirm_batch, file_batch
from api.store import evaluations

NAME = "indicators.csv"


def load_indicators(connection: Connection, evaluation_id: int, staff: dict[str, int], now: datetime) -> None:
    """Import the file as the office would."""
    evaluation = evaluations.evaluation_numbered(connection, evaluation_id)
    content = files("api.demonstration").joinpath(NAME).read_bytes()
    batch_id = file_batch(connection, evaluation, File(NAME, content), staff["office2"], now)
    confirm_batch(connection, batch_id, staff["office"], now)
