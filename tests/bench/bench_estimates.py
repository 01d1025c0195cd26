"""80 units × 10 items with standard errors: from raw rows, from stored cells, and R's `survey` in the same run.

    .venv/bin/python -m tests.bench.bench_estimates [--ratings 1000000] [--no-r] [--memory] [--raking]

A rating is one person's answers about one unit: ten scores of 1 to 10; the PSU is the person, 30 strata, three
weighting classes each. All times are CPU of the process, the least of several calls; R's is that of `svyby` and of
`svydesign` before it. Figures are compared with R's: the digits are printed. Without R only our side is measured.
`--memory`: peak of a process that reads 10⁵, 10⁶ and 10⁷ ratings piece by piece. `--raking`: 10⁵ persons, 4 margins.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from survey_forms.estimation.calibrate import Margin, rake
from survey_forms.estimation.cells import Cell
from survey_forms.estimation.columns import Piece, count_columns
from survey_forms.estimation.linearised import Counts, Design, Means, domain_means
from survey_forms.estimation.scores import Reading, StratumFrame, unit_scores
from tests.bench import one_pass, r_survey

UNITS, ITEMS, STRATA, CLASSES = 80, 10, 30, 3
RATED = 16  # units that one person rates
TOP = 10
CELLS = STRATA * CLASSES
TURNS = 7
R_TURNS = 2
R_LIMIT_S = 1500.0
PIECE = 100_000


def cpu_ms(work: Callable[[], object], turns: int = TURNS) -> float:
    """The least process time of some calls, in milliseconds."""
    times = []
    for _ in range(turns):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def ratings(count: int, seed: int = 20240601) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int64]]:
    """(rows,) cell × unit of each rating, (items, rows) scores, and the responding persons of each stratum."""
    chance = np.random.default_rng(seed)
    persons = count // RATED
    cell_of_person = chance.integers(0, CELLS, persons)
    unit = np.argsort(chance.random((persons, UNITS)), axis=1)[:, :RATED].ravel()
    place = np.repeat(cell_of_person, RATED) * UNITS + unit
    scores = chance.integers(1, TOP + 1, (ITEMS, len(place)), dtype=np.int8)
    return place, scores, np.bincount(cell_of_person // CLASSES, minlength=STRATA)


def counted(pieces: Iterator[Piece] | list[Piece]) -> Counts:
    """The product's one pass over raw rows."""
    return count_columns(pieces, CELLS, UNITS, ITEMS, TOP)


def design_of(responded: NDArray[np.int64]) -> Design:
    """Thirty strata of which one in forty answered."""
    population = responded * 40
    return Design(
        np.repeat(np.arange(STRATA), CLASSES), np.repeat(population / responded, CLASSES), population, responded
    )


def as_cells(counts: Counts) -> list[Cell]:
    """The same counts as objects, one a cell, as the small surveys' pages read them."""
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


def columns_for_r(place: NDArray[np.int64], scores: NDArray[np.int8], design: Design) -> dict[str, NDArray]:
    """The rows as R reads them."""
    cell, unit = np.divmod(place, UNITS)
    stratum = cell // CLASSES
    columns: dict[str, NDArray] = {
        "person": np.repeat(np.arange(len(place) // RATED), RATED).astype(np.int32),
        "stratum": stratum.astype(np.int32),
        "unit": unit.astype(np.int32),
        "weight": design.weight[cell],
        "size": design.population[stratum].astype(np.float64),
    }
    return columns | {f"q{number + 1}": item.astype(np.int32) for number, item in enumerate(scores)}


def digits(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """-log10 of the largest relative difference."""
    return float(-np.log10(max(np.abs(ours / theirs - 1).max(), 1e-17)))


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--no-r", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--raking", action="store_true")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with_r = not options.no_r and r_survey.here()
    if options.peak:
        peak(options.peak)
    elif options.memory:
        for count in (100_000, 1_000_000, 10_000_000):
            subprocess.run([sys.executable, "-m", "tests.bench.bench_estimates", "--peak", str(count)], check=True)
    elif options.raking:
        raking(with_r=with_r)
    else:
        estimates(options.ratings, with_r=with_r)


def estimates(count: int, *, with_r: bool) -> None:
    """Raw rows, stored cells, the limit, and R."""
    place, scores, responded = ratings(count)
    design = design_of(responded)
    rows: list[Piece] = [(place, list(scores))]
    raw: Callable[[], Means] = lambda: domain_means(counted(rows), design)  # noqa: E731 - names for the table
    counts = counted(rows)
    read: Callable[[], Means] = lambda: domain_means(counts, design)  # noqa: E731
    means, cells = read(), as_cells(counts)
    frames = [
        StratumFrame(f"stratum-{stratum:02d}", int(design.population[stratum]), int(responded[stratum]))
        for stratum in range(STRATA)
    ]
    timed = {
        "from raw rows: count, estimates, errors": cpu_ms(raw),
        "from stored cells as columns: estimates, errors": cpu_ms(read, 300),
        "from stored cells as objects, with intervals and flags": cpu_ms(
            lambda: unit_scores(cells, frames, Reading(1, TOP)), 3
        ),
    }
    if loop := one_pass.compiled():
        assert (loop(place, scores, CELLS * UNITS)[..., 2].reshape(CELLS, -1) == counts.s2).all()
        timed["the limit: one pass in C, counting only"] = cpu_ms(lambda: loop(place, scores, CELLS * UNITS))
    print(f"ratings {len(place):,}  scores {scores.size:,}  cells {len(cells):,}  estimates {UNITS * ITEMS}")
    answer = (
        r_survey.by_units(columns_for_r(place, scores, design), ITEMS, UNITS, R_TURNS, R_LIMIT_S) if with_r else None
    )
    for name, ms in timed.items():
        ratios = ""
        if answer:
            by, whole = 1000 * answer.by_s / ms, 1000 * (answer.by_s + answer.design_s) / ms
            ratios = f"   R svyby / this {by:9,.0f}   with svydesign {whole:9,.0f}"
        print(f"{name:<56} {ms:9.2f} ms CPU{ratios}")
    if answer:
        estimate, se = means.value.reshape(UNITS, ITEMS), np.sqrt(means.variance).reshape(UNITS, ITEMS)
        print(
            f"R survey: svydesign {answer.design_s:.2f} s, svyby {answer.by_s:.2f} s CPU, peak {answer.peak_mb:,.0f} MB"
        )
        print(f"digits equal to R's: estimates {digits(estimate, answer.estimate):.1f}, SE {digits(se, answer.se):.1f}")


def peak(count: int) -> None:
    """Read ratings piece by piece, as from a cursor, and tell the peak of this process."""

    def pieces() -> Iterator[Piece]:
        for start in range(0, count, PIECE):
            place, scores, _ = ratings(min(PIECE, count - start), seed=start)
            yield place, list(scores)

    counts = counted(pieces())
    domain_means(counts, design_of(np.full(STRATA, count // RATED)))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"ratings {count:>12,}   peak {megabytes:6.0f} MB")


def raking(*, with_r: bool, persons: int = 100_000) -> None:
    """Raking of persons to four margins, to 1e-12, beside the cheapest pass over the persons."""
    chance = np.random.default_rng(7)
    levels = (2, 3, 5, 6)
    codes = [chance.choice(count, persons, p=chance.dirichlet(np.full(count, 20.0))) for count in levels]
    weights = chance.choice(np.array([20.0, 35.0, 50.0]), persons)
    truth = [np.bincount(one, weights=weights, minlength=count) for one, count in zip(codes, levels, strict=True)]
    totals = [one * chance.uniform(0.8, 1.25, len(one)) for one in truth]
    totals = [one * weights.sum() / one.sum() for one in totals]
    margins = [
        Margin(f"m{number + 1}", code, tuple(map(str, range(len(total)))), total)
        for number, (code, total) in enumerate(zip(codes, totals, strict=True))
    ]
    ours = cpu_ms(lambda: rake(weights, margins), 15)
    result = rake(weights, margins)
    single = cpu_ms(lambda: np.bincount(codes[0], weights=weights), 15)
    worst = max(
        float(np.abs(np.bincount(one, weights=weights * result.factors) / total - 1).max())
        for one, total in zip(codes, totals, strict=True)
    )
    print(f"raking {persons:,} persons, margins {levels}: {result.rounds} rounds, margins met to {worst:.1e}")
    print(f"ours                                 {ours:9.2f} ms CPU")
    print(f"one numpy count over one margin      {single:9.2f} ms CPU")
    if with_r:
        columns: dict[str, NDArray] = {"weight": weights}
        columns |= {f"m{number + 1}": code.astype(np.int32) for number, code in enumerate(codes)}
        columns |= {f"t{number + 1}": total for number, total in enumerate(totals)}
        seconds, theirs = r_survey.raked(columns, len(levels), R_LIMIT_S)
        print(
            f"R survey::rake, epsilon 1e-12        {1000 * seconds:9.2f} ms CPU   R / ours {1000 * seconds / ours:,.0f}"
        )
        print(f"digits equal to R's: weights {digits(weights * result.factors, theirs):.1f}")


if __name__ == "__main__":
    main()
