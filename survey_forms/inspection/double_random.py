"""Double random (双随机): which sites are inspected, on which day, and by whom, all by public tickets.

The same SHA-256 tickets as samples (`survey_forms.sampling.tickets`). Of each group of sites the smallest tickets are
drawn. The drawn sites are then gone through in the order of their tickets; each takes the first of its days, in the
order of the day's tickets, on which a crew stands. A crew is the inspectors with the fewest sites so far, equal ones in
the order of their tickets, among those who are not recused, near enough and free that day. No rule is ever relaxed:
a site without a crew is named with the reason. Nothing here knows a clock or chance.

Source: 国发〔2019〕5号 (two living directories, an item list, ratio and frequency by risk), and the judicial rule of
two inspectors at least and recusal (fieldwork.md 1C).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from math import ceil

from survey_forms.inspection.datum import Position
from survey_forms.inspection.nearness import is_within
from survey_forms.refusal import Refused
from survey_forms.sampling.drawing import draw_stratum
from survey_forms.sampling.tickets import ticket

RAISED = "raised"
"""The group of sites that are drawn at a higher rate because of complaints or leads; the plan names each reason."""

GROUPS = ("A", "B", "C", "D", RAISED)
"""Risk classes, A the least risk, and those whose rate the plan raises."""


class Unsent(StrEnum):
    """Why a drawn site has no crew."""

    RECUSAL = "recusal"  # too few inspectors may go there at all
    DISTANCE = "distance"  # too few of those set out from near enough
    SKILL = "skill"  # none of those has the skill that the item takes
    BUSY = "busy"  # on every day too few of those are free


@dataclass(frozen=True, slots=True)
class Rate:
    """What is drawn of a group: a share of all its sites, rounded up, `least` at least, and no more than are left.

    A site that was inspected `times` times this year is left out (None: none ever is).
    """

    share: Fraction
    least: int
    times: int | None

    def count(self, size: int, left: int) -> int:
        """How many of a group of `size` sites are drawn when `left` of them may be."""
        return min(left, max(self.least, ceil(self.share * size)))


@dataclass(frozen=True, slots=True)
class Place:
    """A site as the directory had it; `visits` that draws of this item sent there since the year began.

    `group` is what it is drawn in: its risk class, or `raised`.
    """

    id: str
    unit: str
    risk: str
    group: str
    visits: int
    position: Position  # WGS-84


@dataclass(frozen=True, slots=True)
class Hand:
    """An inspector as the directory had them. Without a base no distance counts, without `most_m` no limit does.

    `elsewhere`: how many sites other draws had given them on a day when the plan was committed.
    """

    id: str
    skills: frozenset[str]
    base: Position | None  # WGS-84
    most_m: int | None
    recused: frozenset[str]  # units
    elsewhere: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """How many go together, how many sites one takes a day and how far apart (m), and the skill one of them has."""

    crew: int
    a_day: int
    apart_m: int
    skill: str  # "": none is asked for


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides besides the seed."""

    days: tuple[str, ...]
    rules: Rules
    rates: Mapping[str, Rate]  # by group
    places: tuple[Place, ...]
    hands: tuple[Hand, ...]


@dataclass(frozen=True, slots=True)
class GroupDraw:
    """What was drawn of one group: its size, the sites left out for their visits this year, and the drawn in order."""

    group: str
    size: int
    left_out: tuple[str, ...]
    drawn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A crew, the leader first, at a site on a day."""

    place: str
    day: str
    crew: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """What a seed makes of a plan; `sent` and `unsent` in the order of the sites' tickets."""

    groups: tuple[GroupDraw, ...]
    sent: tuple[Sent, ...]
    unsent: tuple[tuple[str, Unsent], ...]


def draw(plan: Plan, seed: str) -> Draw:
    """Draw sites, days and crews."""
    groups = tuple(_draw_group(plan, seed, group) for group in GROUPS if group in plan.rates)
    queue = sorted((ticket(seed, one.group, site), site) for one in groups for site in one.drawn)
    roster = _Roster(plan, seed)
    unsent: list[tuple[str, Unsent]] = []
    for _, site in queue:
        why = roster.send(site)
        if why:
            unsent.append((site, why))
    return Draw(groups, tuple(roster.sent.values()), tuple(unsent))


def stand_in(  # noqa: PLR0913, PLR0917 - the draw's facts, and which place in which crew is to be filled
    plan: Plan, seed: str, sent: Iterable[Sent], place: str, leaver: str, barred: frozenset[str]
) -> Sent:
    """A crew after one of it was replaced by the next in its line: the tickets choose, nobody else.

    Args:
        plan: of the draw.
        seed: of the draw.
        sent: every crew that stands, this one among them.
        place: the site.
        leaver: who leaves.
        barred: who may not come: those who left this crew before, and those who are gone or recused by now.

    Raises:
        Refused: `stand_in_not_there` when the site has no such inspector, `stand_in_nobody` when nobody fits.
    """
    roster = _Roster(plan, seed)
    for one in sent:
        roster.keep(one)
    mine = roster.sent.get(place)
    if mine is None or leaver not in mine.crew:
        raise Refused("stand_in_not_there")
    others = tuple(one for one in mine.crew if one != leaver)
    roster.release(mine)
    roster.keep(replace(mine, crew=others))
    line = roster.line(place, mine.day, barred | set(mine.crew))
    needs_skill = bool(plan.rules.skill) and not any(roster.is_skilled(one) for one in others)
    fitting = [one for one in line if not needs_skill or roster.is_skilled(one)]
    if not fitting:
        raise Refused("stand_in_nobody")
    return replace(mine, crew=tuple(fitting[0] if one == leaver else one for one in mine.crew))


def why_nobody(plan: Plan, place: Place) -> Unsent | None:
    """Why no crew could go to a place on any day, before anybody is drawn; None when one could."""
    allowed = [hand for hand in plan.hands if place.unit not in hand.recused]
    if len(allowed) < plan.rules.crew:
        return Unsent.RECUSAL
    near, has_skill = 0, not plan.rules.skill
    for hand in allowed:
        if _is_near(hand, place):
            near, has_skill = near + 1, has_skill or plan.rules.skill in hand.skills
            if has_skill and near >= plan.rules.crew:
                return None
    return Unsent.SKILL if near >= plan.rules.crew else Unsent.DISTANCE


def _draw_group(plan: Plan, seed: str, group: str) -> GroupDraw:
    rate = plan.rates[group]
    members = [place for place in plan.places if place.group == group]
    left = [place.id for place in members if rate.times is None or place.visits < rate.times]
    left_out = tuple(place.id for place in members if rate.times is not None and place.visits >= rate.times)
    drawn = draw_stratum(seed, group, left, rate.count(len(members), len(left)), reserve=0).sample
    return GroupDraw(group, len(members), left_out, drawn)


@dataclass(slots=True)
class _Roster:
    """Who is where on which day, while a plan is being worked through."""

    plan: Plan
    seed: str
    sent: dict[str, Sent] = field(default_factory=dict)
    _load: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _busy: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _places: dict[str, Place] = field(init=False)
    _hands: dict[str, Hand] = field(init=False)

    def __post_init__(self) -> None:
        self._places = {place.id: place for place in self.plan.places}
        self._hands = {hand.id: hand for hand in self.plan.hands}

    def send(self, site: str) -> Unsent | None:
        """Find a crew and a day for a site, or say why there is none."""
        place = self._places[site]
        why = why_nobody(self.plan, place)
        if why:
            return why
        near = self._able(place)
        for day in _in_order(self.seed, f"day:{site}", self.plan.days):
            crew = self._first(self._line(place, near, day))
            if crew:
                self.keep(Sent(site, day, crew))
                return None
        return Unsent.BUSY

    def line(self, site: str, day: str, barred: Iterable[str]) -> list[str]:
        """Everybody who could go to a site on a day: the fewest sites first, then the smallest ticket."""
        place, out = self._places[site], set(barred)
        return self._line(place, [hand for hand in self._able(place) if hand.id not in out], day)

    def _able(self, place: Place) -> list[Hand]:
        return [hand for hand in self.plan.hands if place.unit not in hand.recused and _is_near(hand, place)]

    def _line(self, place: Place, near: Iterable[Hand], day: str) -> list[str]:
        free = (hand.id for hand in near if self._is_free(hand.id, day, place))
        return sorted(free, key=lambda one: (self._load[one], ticket(self.seed, f"crew:{place.id}", one)))

    def is_skilled(self, hand: str) -> bool:
        """Whether an inspector has the skill that the plan asks for."""
        return self.plan.rules.skill in self._hands[hand].skills

    def keep(self, one: Sent) -> None:
        """Note a crew."""
        self.sent[one.place] = one
        for hand in one.crew:
            self._load[hand] += 1
            self._busy[hand, one.day].append(one.place)

    def release(self, one: Sent) -> None:
        """Forget a crew."""
        del self.sent[one.place]
        for hand in one.crew:
            self._load[hand] -= 1
            self._busy[hand, one.day].remove(one.place)

    def _first(self, line: Sequence[str]) -> tuple[str, ...]:
        """The crew at the head of a line; who has the skill leads. Nobody when they are too few."""
        size, skill = self.plan.rules.crew, self.plan.rules.skill
        lead = next((one for one in line if not skill or self.is_skilled(one)), None)
        if lead is None or len(line) < size:
            return ()
        return (lead, *[one for one in line if one != lead][: size - 1])

    def _is_free(self, hand: str, day: str, place: Place) -> bool:
        taken = self._busy.get((hand, day), [])
        if len(taken) + self._hands[hand].elsewhere.get(day, 0) >= self.plan.rules.a_day:
            return False
        return all(is_within(self._places[one].position, place.position, self.plan.rules.apart_m) for one in taken)


def _is_near(hand: Hand, place: Place) -> bool:
    return hand.base is None or hand.most_m is None or is_within(hand.base, place.position, hand.most_m)


def _in_order(seed: str, stratum: str, names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: ticket(seed, stratum, name))
