"""The physical limit of an estimate from raw rows: one pass over the scores in C, five sums a domain, compiled here."""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SOURCE = r"""
#include <stdint.h>
/* n, sum y, sum y^2 of every (place, item): the integers from which all estimates and errors follow */
void one_pass(const int64_t *place, const int8_t *scores, int64_t rows, int64_t items, int64_t *table) {
  for (int64_t row = 0; row < rows; row++) {
    int64_t *at = table + place[row] * items * 3;
    for (int64_t item = 0; item < items; item++, at += 3) {
      int64_t y = scores[item * rows + row];
      at[0] += y > 0; at[1] += y; at[2] += y * y;
    }
  }
}
"""


class OnePass:
    """The compiled loop; `None` in place of it where there is no C compiler."""

    def __init__(self, folder: Path) -> None:
        source, library = folder / "pass.c", folder / "pass.so"
        source.write_text(SOURCE, encoding="ascii")
        subprocess.run(["cc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source], check=True)
        self._call = ctypes.CDLL(str(library)).one_pass

    def __call__(self, place: NDArray[np.int64], scores: NDArray[np.int8], places: int) -> NDArray[np.int64]:
        """(places, items, 3) of place (rows,) and scores (items, rows)."""
        items, rows = scores.shape
        table = np.zeros((places, items, 3), dtype=np.int64)
        pointers = (place.ctypes.data, scores.ctypes.data, rows, items, table.ctypes.data)
        self._call(
            *map(ctypes.c_void_p, pointers[:2]), *map(ctypes.c_int64, pointers[2:4]), ctypes.c_void_p(pointers[4])
        )
        return table


def compiled() -> OnePass | None:
    """The loop, if `cc` is here."""
    if shutil.which("cc") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return OnePass(Path(folder))
