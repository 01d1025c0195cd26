"""Do two photos show the same picture? 64 bits that survive scaling, compression and a change of brightness.

The hash is the sign of the lowest 8 × 8 frequencies of a 32 × 32 grey picture against their median (the perceptual
hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2). It is a
hint for whoever reviews, never a proof: a second shot of the same door may be near, a cropped copy far.
"""

import numpy as np
from scipy.fft import dctn

SIDE = 32  # pixels of the grey picture
LOWEST = 8  # frequencies each way
NEAR = 6  # bits of 64; unrelated photos differ by 32 on average
FLATTEST = 8.0  # grey levels of standard deviation; a wall or a dark pocket resembles every other one

_SIGN = 1 << 63


def likeness(grey: bytes) -> int | None:
    """The hash of a picture as a signed 64-bit number; None for one without contrast, which would match anything.

    Args:
        grey: 32 × 32 bytes, row by row, 0 black to 255 white.

    Raises:
        ValueError: it is not 1,024 bytes.
    """
    if len(grey) != SIDE * SIDE:
        raise ValueError(f"{len(grey)} bytes, not {SIDE * SIDE}")
    picture = np.frombuffer(grey, dtype=np.uint8).astype(np.float64).reshape(SIDE, SIDE)
    if picture.std() < FLATTEST:
        return None
    low = dctn(picture, type=2, norm="ortho")[:LOWEST, :LOWEST].ravel()
    bits = low > np.median(low[1:])  # the first is the brightness of the whole and says nothing
    bits[0] = False
    number = int.from_bytes(np.packbits(bits).tobytes(), "big")
    return number - (number & _SIGN) * 2


def bits_apart(one: int, other: int) -> int:
    """In how many of 64 bits two hashes differ."""
    return ((one ^ other) & (2 * _SIGN - 1)).bit_count()
