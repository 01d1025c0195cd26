"""R's `survey` on the bench's own data, in the bench's own run: CPU seconds, and its figures to compare digits with."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SCRIPT = r"""
options(warn = 1)
suppressPackageStartupMessages(library(survey))
folder <- commandArgs(TRUE)[1]; rows <- as.integer(commandArgs(TRUE)[2]); items <- as.integer(commandArgs(TRUE)[3])
turns <- as.integer(commandArgs(TRUE)[4])
column <- function(name, what = "integer", size = 4) readBin(file.path(folder, name), what, rows, size)
d <- data.frame(person = column("person"), stratum = column("stratum"), unit = column("unit"),
                weight = column("weight", "double", 8), size = column("size", "double", 8))
for (i in seq_len(items)) d[[paste0("q", i)]] <- column(paste0("q", i))
cpu <- function(work) sum(system.time(work)[1:2])
design <- Inf; by <- Inf
for (turn in seq_len(turns)) {
  design <- min(design, cpu(s <- svydesign(ids = ~person, strata = ~stratum, weights = ~weight, fpc = ~size, data = d)))
  by <- min(by, cpu(b <- svyby(reformulate(paste0("q", seq_len(items))), ~unit, s, svymean)))
}
peak <- max(as.numeric(sub("[^0-9]*([0-9]+).*", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))))
writeBin(c(design, by, peak / 1024, as.numeric(coef(b)), as.numeric(as.matrix(SE(b)))), file.path(folder, "out"))
"""

RAKE = r"""
options(warn = 1)
suppressPackageStartupMessages(library(survey))
folder <- commandArgs(TRUE)[1]; rows <- as.integer(commandArgs(TRUE)[2]); margins <- as.integer(commandArgs(TRUE)[3])
d <- data.frame(w = readBin(file.path(folder, "weight"), "double", rows, 8))
forms <- list(); totals <- list()
for (m in seq_len(margins)) {
  name <- paste0("m", m)
  d[[name]] <- readBin(file.path(folder, name), "integer", rows, 4)
  freq <- readBin(file.path(folder, paste0("t", m)), "double", 100, 8)
  forms[[m]] <- reformulate(name); totals[[m]] <- setNames(data.frame(seq_along(freq) - 1L, freq), c(name, "Freq"))
}
s <- svydesign(ids = ~1, weights = ~w, data = d)
cpu <- sum(system.time(r <- rake(s, forms, totals, control = list(maxit = 100, epsilon = 1e-12)))[1:2])
writeBin(c(cpu, as.numeric(weights(r))), file.path(folder, "out"))
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """CPU seconds of `svydesign` and `svyby`, peak MB, and estimates and SEs (units, items)."""

    design_s: float
    by_s: float
    peak_mb: float
    estimate: NDArray[np.float64]
    se: NDArray[np.float64]


def here() -> bool:
    """Whether R and its package are installed."""
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", "suppressPackageStartupMessages(library(survey))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def by_units(columns: dict[str, NDArray], items: int, units: int, turns: int, limit_s: float) -> Answer:
    """`svyby(~q1 + ... + qk, ~unit, svydesign(...), svymean)`."""
    out = _run(SCRIPT, columns, [len(columns["person"]), items, turns], limit_s)
    estimate, se = out[3:].reshape(2, items, units)
    return Answer(float(out[0]), float(out[1]), float(out[2]), estimate.T, se.T)


def raked(columns: dict[str, NDArray], margins: int, limit_s: float) -> tuple[float, NDArray[np.float64]]:
    """CPU seconds of `rake` to 1e-12, and the weights."""
    out = _run(RAKE, columns, [len(columns["weight"]), margins], limit_s)
    return float(out[0]), out[1:]


def _run(script: str, columns: dict[str, NDArray], arguments: list[int], limit_s: float) -> NDArray[np.float64]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for column, values in columns.items():
            values.tofile(folder / column)
        (folder / "run.R").write_text(script, encoding="utf-8")
        command = ["nice", "Rscript", str(folder / "run.R"), name, *map(str, arguments)]
        subprocess.run(command, check=True, timeout=limit_s, stdout=subprocess.DEVNULL)
        return np.fromfile(folder / "out")
