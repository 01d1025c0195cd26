"""Random expressions over the inputs of the form `functions`, nested as no author would, of kinds that fit.

`$n` in a pattern is a number, `$s` a text, `$d` a day, `$b` a condition.
"""

import re
from random import Random

_LEAVES = {
    "n": ("${i}", "${j}", "${x}", "${y}", "${k}", "3", "0.5", "-2", "10", "0", "100", "1.25"),
    "s": ("${s}", "${t}", "${u}", "${o}", "${m}", "'abc'", "''", "'12'", "'a b'", "'好的'", "'-'", "' 7 '"),
    "d": ("${d}", "${e}", "today()", "date('2026-03-01')"),
    "b": ("${i} > 3", "${x} < ${y}", "${s} = 'abc'", "${gate} = 'yes'", "selected(${m}, 'a')", "${k} != ''"),
}
_PATTERNS = {
    "n": (
        *("$n + $n", "$n - $n", "$n * $n", "($n) div $n", "($n) mod ($n)", "-($n)", "$d - $d"),
        *("round($n)", "round($n, 2)", "int($n)", "abs($n)", "sqrt($n)", "pow($n, 2)", "pow($n, -1)"),
        *("min($n, $n)", "max(1, $n, $n)", "coalesce($n, $n)", "if($b, $n, $n)", "number($s)"),
        *("string-length($s)", "count-selected($s)", "sum(${k})", "count(${u})"),
    ),
    "s": (
        *("concat($s, $s)", "join('-', $s, $s)", "substr($s, 1, 3)", "substr($s, -2)", "substr($s, 0, -1)"),
        *("translate($s, 'abc1', 'xyz')", "normalize-space($s)", "substring-before($s, $s)", "substring-after($s, $s)"),
        *("selected-at($s, 1)", "coalesce($s, $s)", "if($b, $s, $s)", "format-date($d, '%e/%n/%y')", "string($n)"),
    ),
    "d": ("date($d + 30)", "date($d - 7)", "coalesce($d, $d)", "if($b, $d, $d)"),
    "b": (
        *("$n = $n", "$n != $n", "$n < $n", "$n >= $n", "$s = $s", "$s != $s", "$d < $d", "$d >= $d", "$d = $d"),
        *("($b and $b)", "($b or $b)", "not($b)", "selected($s, $s)", "contains($s, $s)", "starts-with($s, $s)"),
        *("ends-with($s, $s)", "regex($s, '^[a-z0-9]+$')"),
    ),
}
_LONGEST = 300


def expressions(seed: str, number: int) -> tuple[str, ...]:
    """That many different ones; the same seed gives the same ones."""
    random, found = Random(seed), dict[str, None]()
    while len(found) < number:
        sort, deep = random.choice(("n", "s", "d", "b")), random.randint(2, 3)
        written = _grown(sort, deep, random)
        if len(written) <= _LONGEST:
            found[f"if({written}, 'yes', 'no')" if sort == "b" else written] = None
    return tuple(found)


def _grown(sort: str, deep: int, random: Random) -> str:
    if deep == 0 or random.random() < 0.1:
        return random.choice(_LEAVES[sort])
    pattern = random.choice(_PATTERNS[sort])
    return re.sub(r"\$([nsdb])\b", lambda match: _grown(match[1], deep - 1, random), pattern)
