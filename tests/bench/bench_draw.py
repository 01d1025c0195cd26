"""Drawing from a frame of a million, against a bare SHA-256 of the same ids in the same run.

    .venv/bin/python -m tests.bench.bench_draw [--members 1000000] [--sample 900]

Prints CPU seconds of each, their ratio, and the peak memory of the process. Budget: 5 s and 300 MB from file to sample.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from survey_forms.sampling.drawing import draw_plan
from survey_forms.sampling.frame import read_frame
from survey_forms.sampling.plan import read_plan

BUDGET_S, BUDGET_MB = 5.0, 300
STRATA = 6


def cpu_seconds(work: Callable[[], object]) -> float:
    """Process time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def write_inputs(folder: Path, members: int, sample: int) -> tuple[Path, Path]:
    """A frame of six strata and a plan that takes the same of each."""
    frame, plan = folder / "frame.csv", folder / "plan.csv"
    with frame.open("w", encoding="utf-8") as file:
        file.write("stratum,unit_id\n")
        file.writelines(f"district-{number % STRATA},350200-{number:08d}\n" for number in range(members))
    with plan.open("w", encoding="utf-8") as file:
        file.write("stratum,n\n")
        file.writelines(f"district-{stratum},{sample // STRATA}\n" for stratum in range(STRATA))
    return frame, plan


def product(frame_file: Path, plan_file: Path) -> int:
    """What `mingcha draw` does but for printing: read, check, commit, draw."""
    with plan_file.open(encoding="utf-8", newline="") as lines:
        plan = read_plan(lines)
    with frame_file.open(encoding="utf-8", newline="") as lines:
        frame = read_frame(lines)
    return sum(len(drawn.sample) for drawn in draw_plan(frame, plan, "a lottery").strata)


def bare(frame_file: Path) -> str:
    """One SHA-256 a line of the same file, and the smallest of them: what any verifiable draw must do."""
    seed = "0" * 64
    smallest = "f" * 64
    with frame_file.open(encoding="utf-8") as lines:
        for line in lines:
            smallest = min(smallest, sha256(f"{seed}|{line}".encode()).hexdigest())
    return smallest


def main() -> None:
    """Measure both, three times in turn, and print the minima."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=900)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        frame, plan = write_inputs(Path(folder), options.members, options.sample)
        turns = [(cpu_seconds(lambda: product(frame, plan)), cpu_seconds(lambda: bare(frame))) for _ in range(3)]
    whole, loop = (min(times) for times in zip(*turns, strict=True))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"members {options.members:,}  sample {options.sample:,}")
    print(f"read, check, commit, draw   {whole:6.2f} s CPU   (budget {BUDGET_S:g} s for 1,000,000)")
    print(f"bare SHA-256 of every line  {loop:6.2f} s CPU")
    print(f"ratio                       {whole / loop:6.2f}")
    print(f"peak memory                 {megabytes:6.0f} MB      (budget {BUDGET_MB} MB)")


if __name__ == "__main__":
    main()
