"""Error bands: the finest division of ranked units into runs that the answers can tell apart.

Within a band no order may be claimed, so its units are listed by name.
"""

from collections.abc import Sequence

from survey_forms.estimation.ranks import RankInterval


def error_bands(places: Sequence[RankInterval]) -> list[int]:
    """Each unit's band, from 0 at the top.

    After the first k units a new band begins when none of them may stand below place k and none of the others may
    stand at place k or above: no rank interval then reaches across.

    Args:
        places: of all units that are ranked together, in any order.
    """
    order = sorted(range(len(places)), key=lambda one: (places[one].rank, places[one].best, places[one].worst))
    best_below = [len(places) + 1] * (len(places) + 1)
    for k in range(len(order) - 1, -1, -1):
        best_below[k] = min(best_below[k + 1], places[order[k]].best)
    bands, band, worst_above = [0] * len(places), 0, 0
    for k, one in enumerate(order):
        if k and worst_above <= k and best_below[k] > k:
            band += 1
        bands[one] = band
        worst_above = max(worst_above, places[one].worst)
    return bands
