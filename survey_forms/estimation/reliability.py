"""How far items, and halves of the respondents, agree: Cronbach's alpha, split halves.

Sources: Cronbach (1951); Spearman (1910) and Brown (1910) for halves.
"""

import numpy as np

from survey_forms.estimation.design import Floats


def cronbach_alpha(items: Floats) -> float:
    """Alpha of k items answered by all n (n, k): k/(k-1) (1 - sum of variances / variance of the sum).

    NaN with fewer than two items or rows, or when the sums do not differ.
    """
    n, k = items.shape
    if n < 2 or k < 2:
        return float("nan")
    whole = float(np.var(items.sum(axis=1), ddof=1))
    return k / (k - 1) * (1.0 - float(np.var(items, axis=0, ddof=1).sum()) / whole) if whole > 0 else float("nan")


def split_half(scores: Floats, seed: int = 0, splits: int = 100) -> float:
    """How reliable units' mean scores are: the correlation of the means of two random halves of the respondents.

    The correlation r of the halves over the units is averaged over splits, then stepped up to the whole: 2r/(1+r).

    Args:
        scores: (persons, units), NaN where a person did not rate a unit.
        seed: of PCG64.
        splits: how many.

    Returns:
        NaN with fewer than three units that both halves rated, in every split.
    """
    chance = np.random.Generator(np.random.PCG64(seed))
    answered, values = ~np.isnan(scores), np.nan_to_num(scores)
    found = []
    for _ in range(splits):
        half = np.zeros(len(scores), dtype=bool)
        half[chance.permutation(len(scores))[: len(scores) // 2]] = True
        counts = np.array([answered[side].sum(axis=0) for side in (half, ~half)])
        both = (counts > 0).all(axis=0)
        if both.sum() < 3:
            continue
        means = np.array([values[side].sum(axis=0) for side in (half, ~half)])[:, both] / counts[:, both]
        centred = means - means.mean(axis=1, keepdims=True)
        size = float(np.sqrt((np.square(centred)).sum(axis=1)).prod())
        if size > 0:
            found.append(float(centred[0] @ centred[1]) / size)
    r = float(np.mean(found)) if found else float("nan")
    return 2.0 * r / (1.0 + r) if r != -1.0 else float("-inf")
