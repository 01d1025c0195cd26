"""What a container installs is what a checkout runs: no data file is forgotten."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.house.source import PACKAGES, ROOT

PIP = next((ROOT / ".ci").glob("pip-*.whl")) / "pip"


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / "source" / package, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, PIP, "wheel", "--quiet", *offline, "--wheel-dir", tmp_path, tmp_path / "source"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with zipfile.ZipFile(next(tmp_path.glob("mingcha-*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if not name.startswith("mingcha-")}
    kept = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kept == packed
