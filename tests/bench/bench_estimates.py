"""Estimates of 80 units × 10 items with SE, from stored cells, against one numpy pass over the ratings in the same run.

    .venv/bin/python -m tests.bench.bench_estimates [--ratings 1000000]

A rating is one person's answers about one unit: ten scores of 1 to 10. Prints CPU milliseconds and ratios:
reading estimates from stored cells does not grow with the number of ratings, the pass does.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from survey_forms.estimation.cells import Cell
from survey_forms.estimation.linearised import Counts, Design, Means, domain_means
from survey_forms.estimation.scores import Reading, StratumFrame, unit_scores

UNITS, ITEMS, STRATA, CLASSES = 80, 10, 30, 3
RATED = 16  # units that one person rates
TOP = 10
TURNS = 3


def cpu_ms(work: Callable[[], object]) -> float:
    """The least process time of three calls, in milliseconds."""
    times = []
    for _ in range(TURNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def ratings(count: int) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int64]]:
    """(rows,) cell × unit of each rating, (items, rows) scores, and the responding persons of each stratum."""
    chance = np.random.default_rng(20240601)
    persons = count // RATED
    cell_of_person = chance.integers(0, STRATA * CLASSES, persons)
    unit = np.argsort(chance.random((persons, UNITS)), axis=1)[:, :RATED].ravel()
    place = np.repeat(cell_of_person, RATED) * UNITS + unit
    scores = chance.integers(1, TOP + 1, (ITEMS, len(place)), dtype=np.int8)
    return place, scores, np.bincount(cell_of_person // CLASSES, minlength=STRATA)


def counted(place: NDArray[np.int64], scores: NDArray[np.int8]) -> Counts:
    """One pass: a histogram of the scores by (cell, unit), item by item; then n, s1, s2 of (cell, unit × item)."""
    base = place * (TOP + 1)
    length = STRATA * CLASSES * UNITS * (TOP + 1)
    histograms = np.stack([np.bincount(base + item, minlength=length) for item in scores])
    by_score = histograms.reshape(ITEMS, STRATA * CLASSES, UNITS, TOP + 1)
    points = np.arange(TOP + 1)
    n, s1, s2 = (
        np.ascontiguousarray((by_score @ weight).transpose(1, 2, 0).reshape(STRATA * CLASSES, UNITS * ITEMS))
        for weight in (np.ones_like(points), points, points**2)
    )
    return Counts(n, s1, s2)


def as_cells(counts: Counts) -> list[Cell]:
    """The same counts as the store keeps them, one row a cell."""
    return [
        Cell(
            "1",
            f"stratum-{row // CLASSES:02d}",
            f"class-{row % CLASSES}",
            f"unit-{column // ITEMS:02d}",
            f"item-{column % ITEMS}",
            int(counts.n[row, column]),
            int(counts.s1[row, column]),
            int(counts.s2[row, column]),
        )
        for row, column in np.argwhere(counts.n)
    ]


def main() -> None:
    """Measure the pass, the estimator on counted arrays, and the product's path from stored cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    options = parser.parse_args()
    place, scores, responded = ratings(options.ratings)
    population = responded * 40
    weight = np.repeat(population / responded, CLASSES)
    design = Design(np.repeat(np.arange(STRATA), CLASSES), weight, population, responded)
    counts = counted(place, scores)
    cells = as_cells(counts)
    frames = [
        StratumFrame(f"stratum-{stratum:02d}", int(population[stratum]), int(responded[stratum]))
        for stratum in range(STRATA)
    ]
    read: Callable[[], Means] = lambda: domain_means(counts, design)  # noqa: E731 - a name for the table below
    one_pass = cpu_ms(lambda: counted(place, scores))
    arrays = cpu_ms(read)
    stored = cpu_ms(lambda: unit_scores(cells, frames, Reading(1, TOP)))
    print(f"ratings {len(place):,}  scores {scores.size:,}  cells {len(cells):,}  estimates {UNITS * ITEMS}")
    print(f"one numpy pass over the scores (counting only)  {one_pass:9.1f} ms CPU   ratio 1")
    print(f"estimates + SE from counted arrays              {arrays:9.1f} ms CPU   ratio {arrays / one_pass:.4f}")
    print(f"estimates + SE + intervals from stored cells    {stored:9.1f} ms CPU   ratio {stored / one_pass:.4f}")


if __name__ == "__main__":
    main()
