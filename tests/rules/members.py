"""A frame of 110 members with every further column, and plans of every method over it."""

from hashlib import sha256
from random import Random

from survey_forms.sampling.frame import Frame, read_frame
from survey_forms.sampling.plan import Plan, PlanLine, plan_with

METHODS = [
    ("tickets", "none"),
    ("pareto", "none"),
    *(
        (way, order)
        for way in ("systematic", "systematic_pps")
        for order in ("none", "administrative", "serpentine", "hilbert")
    ),
]
CHANCE = Random(20261122)
MEMBERS = [
    {
        "stratum": stratum,
        "unit_id": f"{stratum}-{number:03d}",
        "latitude": f"{24 + CHANCE.random():.6f}",
        "longitude": f"{118 + CHANCE.random():.6f}",
        "size": str(CHANCE.randrange(20, 900)),
        "sort": f"3502{CHANCE.randrange(1, 7):02d}{CHANCE.randrange(100):03d}",
    }
    for stratum, members in (("east", 70), ("west", 40))
    for number in range(members)
]


def frame_text(members: list[dict[str, str]] = MEMBERS) -> str:
    return "\n".join([",".join(members[0]), *(",".join(one.values()) for one in members)]) + "\n"


def frame_for(columns: tuple[str, ...], members: list[dict[str, str]] = MEMBERS) -> Frame:
    return read_frame(frame_text(members).splitlines(keepends=True), "f", columns)


def planned(selection: str, order: str, n: int = 9, shift: int = 0, permanent: str | None = None) -> tuple[Frame, Plan]:
    lines = tuple(PlanLine(stratum, n, stratum, selection, order, 4, shift) for stratum in ("east", "west"))
    frame = frame_for(plan_with(lines).columns)
    return frame, plan_with(lines, frame.facts_sha256, permanent)


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()
