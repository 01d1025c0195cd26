"""In which order a respondent meets the units: drawn once for each code, the same on every phone and every day.

Whoever comes first or last in a long list is judged differently, so the order differs from person to person. It is
worked out from the code alone (`codes.order_key`): nothing about it is stored, and no answer tells it.
"""

import hmac
from hashlib import sha256


def lot(key: bytes, unit: str) -> bytes:
    """The lot that a unit draws: units stand in the order of their lots.

    Each unit's lot is independent of the others', so leaving units out never changes the order of the rest.

    Args:
        key: 16 bytes of `codes.order_key`.
        unit: the unit's id.
    """
    return hmac.digest(key, unit.encode(), sha256)
