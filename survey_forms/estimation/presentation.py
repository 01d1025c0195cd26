"""Whether a share may be printed: the presentation standards for proportions of NCHS (Parker et al. 2017).

Of a share with its Korn-Graubard interval: too few effective answers, or an interval too wide in itself or beside the
share, and it is not shown. What is shown with few degrees of freedom or at 0 or 1 is looked at by a person first.
"""

from dataclasses import dataclass

FEWEST = 30  # effective answers
WIDEST = 0.30
NARROW = 0.05  # at most so wide, any share may be shown
RELATIVE = 1.30  # the widest interval, as a multiple of the share
FEWEST_DF = 8


@dataclass(frozen=True, slots=True)
class Presentation:
    """`reasons` why a share may not be shown (none: it may), and what is to be `reviewed` by a person."""

    reasons: tuple[str, ...]
    reviewed: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Whether the share may be shown."""
        return not self.reasons


def may_present(share: float, low: float, high: float, n_eff: float, df: float | None = None) -> Presentation:
    """The standards for one share.

    Args:
        share: in [0, 1].
        low: of its interval.
        high: of its interval.
        n_eff: effective number of answers (the actual one, if that is smaller).
        df: degrees of freedom, if known.

    Returns:
        Reasons: `few_answers`, `wide_interval`, `relatively_wide_interval`; to review: `few_degrees_of_freedom`,
        `share_at_a_bound`, `complement_relatively_wide`.
    """
    width = high - low
    reasons = []
    if n_eff < FEWEST:
        reasons.append("few_answers")
    if width >= WIDEST:
        reasons.append("wide_interval")
    elif width > NARROW and width > RELATIVE * share:
        reasons.append("relatively_wide_interval")
    reviewed = []
    if df is not None and df < FEWEST_DF:
        reviewed.append("few_degrees_of_freedom")
    if share <= 0 or share >= 1:
        reviewed.append("share_at_a_bound")
    elif NARROW < width < WIDEST and width > RELATIVE * (1 - share):
        reviewed.append("complement_relatively_wide")
    return Presentation(tuple(reasons), tuple(reviewed))
