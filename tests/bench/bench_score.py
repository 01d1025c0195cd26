"""Scoring many units: `mingcha score` from file to printed JSON, against json.loads + json.dumps of the same file.

    .venv/bin/python -m tests.bench.bench_score [--units 10000] [--trace]

Each scheme's worked example is repeated until there are so many units (every scheme that has a composite). Prints for
each: units, seconds, CPU seconds and peak memory of the whole process (interpreter and imports included), and the ratio
of its CPU seconds to those of a process that only reads and writes the same JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.documents.examples import NAMES, an_input

PLAIN = "import json, sys; sys.stdout.write(json.dumps(json.loads(open(sys.argv[1], encoding='utf-8').read())))"


def enlarged(name: str, units: int) -> dict[str, object]:
    """The worked example with its units repeated under new ids."""
    document = an_input(name)
    listed = document["units"]
    copies = [listed[place % len(listed)] | {"id": f"unit-{place}"} for place in range(units)]
    supplied = {key: value for key, value in document["supplied"].items() if not key.startswith("weights.")}
    return document | {"supplied": supplied, "units": copies}


def spent(command: list[str]) -> tuple[float, float, float]:
    """Seconds, seconds of CPU, and peak memory in MB, of a command that writes to nowhere."""
    before = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, process.returncode, used = os.wait4(process.pid, 0)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - before, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Run every scheme."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--trace", action="store_true")
    arguments = parser.parse_args()
    print(f"{'scheme':<16}{'units':>8}{'seconds':>9}{'CPU s':>7}{'peak MB':>9}{'plain CPU s':>13}{'ratio':>7}")
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "in.json"
            file.write_text(json.dumps(enlarged(name, arguments.units)), encoding="utf-8")
            _, plain, _ = spent([sys.executable, "-c", PLAIN, str(file)])
            command = [sys.executable, "-m", "api.cli", "score", str(file), *(["--trace"] if arguments.trace else [])]
            seconds, cpu, peak = spent(command)
        print(f"{name:<16}{arguments.units:>8}{seconds:>9.2f}{cpu:>7.2f}{peak:>9.0f}{plain:>13.2f}{cpu / plain:>7.1f}")


if __name__ == "__main__":
    main()
