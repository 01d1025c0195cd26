"""JavaRosa in a JVM, asked through `Oracle.java`: what the engine of ODK Collect makes of a filled form."""

import base64
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyxform

JAR = Path(pyxform.__file__).parent / "validators/odk_validate/bin/ODK_Validate.jar"
DRIVER = Path(__file__).with_name("Oracle.java")
ZONE = "Asia/Shanghai"
_UNESCAPED = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One leaf of a filled form: what JavaRosa holds there and what it says of it."""

    value: str
    relevant: bool
    verdict: str  # ok, required, constraint
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """JavaRosa's answer to one submission; the keys are those of our flat answers (`repeat.entry.name`)."""

    nodes: Mapping[str, Seen] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[tuple[str, str], str] = field(default_factory=dict)
    failed: str = ""


def found() -> bool:
    """Whether this machine can compile and run the driver."""
    return all(map(shutil.which, ("javac", "java")))


class Oracle:
    """A running JVM; one form at a time, any number of submissions."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def load(self, xform: bytes) -> None:
        file = self._folder / "form.xml"
        file.write_bytes(xform)
        answer = self._ask(f"form {file}")
        if answer:
            raise ValueError(answer[0])

    def fill(self, instance: bytes) -> Told:
        """Open a filled instance (XML) of the loaded form, walk through it and check it."""
        return _told(self._ask(f"fill {base64.b64encode(instance).decode()}"))

    def _ask(self, line: str) -> list[str]:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = []
        while (said := self._process.stdout.readline()) != "\n":
            if not said:
                raise RuntimeError("the JVM has ended")
            answer.append(said.removesuffix("\n"))
        return answer


@contextmanager
def running():
    """Compile the driver, start its JVM, and end it afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["javac", "-nowarn", "-cp", JAR, "-d", folder, DRIVER], check=True, capture_output=True)
        command = ["java", "-Xss8m", f"-Duser.timezone={ZONE}", "-cp", f"{JAR}:{folder}", "Oracle"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        ) as process:
            try:
                yield Oracle(process, folder)
            finally:
                process.stdin.close()
                process.wait(timeout=30)


def key_of(path: str) -> str:
    """`/family/child[2]/age` → `child.2.age`; outside repeats the name alone."""
    *above, name = path.split("/")
    repeats = [part.removesuffix("]").replace("[", ".") for part in above if part.endswith("]")]
    return ".".join([*repeats, name])


def short(offered: str) -> str:
    """A list of choices as a digest of its names: some lists have thousands."""
    return hashlib.sha256(offered.encode()).hexdigest()[:12]


def _told(lines: list[str]) -> Told:
    told = Told({}, {}, {})
    for line in lines:
        sort, *parts = map(_plain, line.split("\t"))
        if sort == "failed":
            return Told(failed=parts[0])
        key = key_of(parts[0])
        if sort == "node":
            _, relevance, verdict, cleared, value = parts
            told.nodes[key] = Seen(value, relevance == "relevant", verdict, cleared == "cleared")
        elif sort == "list":
            told.lists[key] = short(parts[1])
        else:
            told.labels[key, parts[1]] = parts[2]
    return told


def _plain(text: str) -> str:
    parts = iter(text.split("\\"))
    plain = next(parts)
    for part in parts:
        plain += _UNESCAPED[part[0]] + part[1:] if part else "\\" + next(parts, "")
    return plain
