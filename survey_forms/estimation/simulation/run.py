"""All scenarios by name; nonresponse, villages and the plain survey are simulated apart, from one seed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from survey_forms.estimation.simulation.checks import Control, Verdict
from survey_forms.estimation.simulation.clusters import clusters
from survey_forms.estimation.simulation.nonresponse import nonresponse
from survey_forms.estimation.simulation.plain import plain
from survey_forms.estimation.simulation.trials import Told

Scenario = Callable[[int, int, Told], tuple[list[Verdict], list[Control]]]

SCENARIOS: dict[str, Scenario] = {"plain": plain, "nonresponse": nonresponse, "clusters": clusters}

FEWEST = 100
"""Draws below which the bands are so wide that a wrong method could pass."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a simulation showed: checks that must pass, and wrong methods that must be caught."""

    verdicts: tuple[Verdict, ...]
    controls: tuple[Control, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed and every wrong method failed one."""
        return all(one.passed for one in self.verdicts) and all(one.caught for one in self.controls)


def simulate(names: Iterable[str], seed: int, draws: int, told: Told) -> Findings:
    """Run some scenarios.

    Args:
        names: of the scenarios.
        seed: of everything: population, draws, answers.
        draws: a scenario.
        told: called after every draw.
    """
    found = [SCENARIOS[name](seed, draws, told) for name in names]
    return Findings(
        tuple(verdict for verdicts, _ in found for verdict in verdicts),
        tuple(control for _, controls in found for control in controls),
    )
