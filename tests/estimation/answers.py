"""Comparing results with reference answers, and SPECs written by hand."""

from pathlib import Path

from survey_forms.estimation.spec.run import answer
from survey_forms.refusal import Refused

DATA = Path(__file__).parent / "data"
VILLAGES = {"ids": ["village", "house"], "strata": "region", "fpc": ["villages", "houses"]}


def reader(folder: Path):
    """Files of a folder, refused as the command refuses them."""

    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise Refused("input_missing", name) from error

    return read


def result_of(statistic: str, args: dict, *, dataset: object = "villages.csv", design: dict | None = None, **more):
    """The result of one entry over the synthetic villages; its refusal is raised."""
    entry = {"statistic": statistic, "dataset": dataset, "design": VILLAGES if design is None else design, "args": args}
    result, faults = answer(entry | more, reader(DATA))
    if faults:
        raise Refused.of(faults)
    return result


def differences(got, want, entry: dict, path: str = "result") -> list[str]:
    """Where a result leaves the tolerance of its entry; keys must be the same."""
    if isinstance(want, dict) and isinstance(got, dict):
        unlike = [f"{path}.{key} stands on one side only" for key in set(got) ^ set(want)]
        both = set(got) & set(want)
        return unlike + [line for key in both for line in differences(got[key], want[key], entry, f"{path}.{key}")]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        pairs = enumerate(zip(got, want, strict=True))
        return [line for i, (one, other) in pairs for line in differences(one, other, entry, f"{path}[{i}]")]
    if isinstance(want, int | float) and isinstance(got, int | float):
        allowed = entry["tolerance_abs"] + entry["tolerance_rel"] * abs(want)
        return [] if abs(got - want) <= allowed else [f"{path}: {got} is not {want}"]
    return [] if got == want else [f"{path}: {got} is not {want}"]
