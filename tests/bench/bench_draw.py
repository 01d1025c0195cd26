"""Drawing from a frame of a million, against a bare SHA-256 of the same lines in the same run.

    .venv/bin/python -m tests.bench.bench_draw [--members 1000000] [--sample 900]

Each way of selection is one process of its own: CPU seconds from file to sample, the ratio to the bare loop, and the
whole process's peak memory. Budget: 5 s and 300 MB for tickets; the others read more columns, and may take longer.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from survey_forms.sampling.drawing import draw_plan, standing
from survey_forms.sampling.frame import read_frame
from survey_forms.sampling.plan_file import resolve
from survey_forms.sampling.plan_reading import read_plan_file

BUDGET_S, BUDGET_MB = 5.0, 300
STRATA = 6
WAYS = {
    "tickets": 'selection = "tickets"',
    "systematic, by code": 'selection = "systematic"\norder = "administrative"',
    "systematic, Hilbert": 'selection = "systematic"\norder = "hilbert"',
    "Pareto, by size": 'selection = "pareto"',
}


def write_frame(folder: Path, members: int) -> Path:
    """A frame of six strata with every further column, the members scattered over a city."""
    frame = folder / "frame.csv"
    with frame.open("w", encoding="utf-8") as file:
        file.write("stratum,unit_id,latitude,longitude,size,sort\n")
        file.writelines(
            f"district-{number % STRATA},350200-{number:08d},24.{number * 7919 % 10**6:06d},"
            f"118.{number * 104729 % 10**6:06d},{50 + number * 31 % 997},3502{number * 13 % 10**6:06d}\n"
            for number in range(members)
        )
    return frame


def product(frame_file: Path, plan_text: str) -> float:
    """What `mingcha draw` does but for printing: read, check, commit, draw. CPU seconds."""
    start = time.process_time()
    written = read_plan_file(plan_text)
    with frame_file.open(encoding="utf-8", newline="") as lines:
        frame = read_frame(lines, "frame.csv", written.columns)
    plan = resolve(written, frame.sizes, frame.facts_sha256)
    drawing = draw_plan(frame, plan, "a lottery")
    spent = time.process_time() - start
    unit = drawing.strata[0].sample[-1]
    if standing(frame, plan, drawing, unit).role != "main":
        raise RuntimeError("the draw and a unit's standing disagree")
    return spent


def bare(frame_file: Path) -> float:
    """One SHA-256 a line of the same file, and the smallest of them: what any verifiable draw must do. CPU seconds."""
    start = time.process_time()
    seed = "0" * 64
    smallest = "f" * 64
    with frame_file.open(encoding="utf-8") as lines:
        for line in lines:
            smallest = min(smallest, sha256(f"{seed}|{line}".encode()).hexdigest())
    return time.process_time() - start


def measure(frame_file: Path, plan_text: str) -> tuple[float, float]:
    """Both times of one process, three in all, and its peak memory: (CPU seconds, MB) of the best."""
    command = [sys.executable, "-m", "tests.bench.bench_draw", "--child", str(frame_file), plan_text]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    return min(run[0] for run in runs), max(run[1] for run in runs)


def child(frame_file: Path, plan_text: str) -> None:
    """Measure one way and tell it as JSON."""
    spent = product(frame_file, plan_text) if plan_text else bare(frame_file)
    print(json.dumps([spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def main() -> None:
    """Measure every way and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=900)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(Path(options.child[0]), options.child[1])
        return
    with tempfile.TemporaryDirectory() as folder:
        frame = write_frame(Path(folder), options.members)
        loop, _ = measure(frame, "")
        print(f"members {options.members:,}  sample {options.sample:,}")
        print(f"bare SHA-256 of every line   {loop:6.2f} s CPU")
        for name, way in WAYS.items():
            spent, peak = measure(frame, f'allocation = "equal"\ntotal = {options.sample}\n{way}\n')
            print(f"{name:28} {spent:6.2f} s CPU   ratio {spent / loop:5.2f}   peak {peak:4.0f} MB")
    print(f"budget for tickets           {BUDGET_S:6.2f} s CPU                 peak {BUDGET_MB} MB")


if __name__ == "__main__":
    main()
