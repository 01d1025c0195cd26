"""The slips topic, and the clock that reminds and urges: what units are told in writing."""

from sqlalchemy import Connection

from api.actions.slips import tell_deduction
from worker.shop import Shop


def write_slip(connection: Connection, shop: Shop, subject: str) -> None:
    """`slips`: tell a unit of the ledger entry of that number."""
    tell_deduction(connection, int(subject), shop.now())
