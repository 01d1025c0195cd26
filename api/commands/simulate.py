"""`mingcha simulate`: does the product's own arithmetic find the truth, and as often as it says?"""

import sys
import unicodedata
from collections.abc import Iterable, Iterator

import click
import orjson

from survey_forms.estimation.simulation.checks import Check, Control, Verdict
from survey_forms.estimation.simulation.run import FEWEST, SCENARIOS, Findings, simulate

SCENARIO_WORDS = {"plain": "全员作答", "nonresponse": "无应答与加权", "clusters": "村居与访问员"}
CHECK_WORDS = {
    Check.INCLUSION: ("入样频率（卡方尾概率）", "inclusion frequencies, chi-square tail"),
    Check.BIAS: ("偏差（蒙特卡洛标准误的倍数）", "bias in Monte Carlo errors"),
    Check.VARIANCE: ("标准误平方的均值 ÷ 真方差", "mean SE² / true variance"),
    Check.COVERAGE: ("覆盖率，至少 50 份", "coverage, 50 ratings or more"),
    Check.COVERAGE_SMALL: ("覆盖率，15 至 49 份", "coverage, 15 to 49 ratings"),
    Check.COVERAGE_MEAN: ("平均覆盖率", "mean coverage"),
    Check.RANKS: ("名次区间同时覆盖", "simultaneous rank sets"),
    Check.GRADES: ("概率 0.8 至 0.9 的等次为真", "grades said with 0.8 to 0.9 are true"),
}
ESTIMATOR_WORDS = {
    "draw": "抽样",
    "all": "全体得分",
    "groups": "分组加权得分",
    "overall": "总评",
    "half": "半数抽样",
    "villages": "村居为一级单元",
    "ranks": "名次",
    "grades": "等次",
    "unweighted": "不加权",
    "ratings as PSUs": "把每份评分当独立样本",
    "half without FPC": "半数抽样不作有限总体校正",
    "no adjustment": "不作无应答调整",
    "raked together": "各组合并耙平",
    "people as PSUs": "把人当一级单元",
}


@click.group("simulate")
def simulate_group() -> None:
    """用模拟检验估计方法。 Prove the methods by simulation."""


@simulate_group.command("coverage")
@click.option("--draws", type=click.IntRange(FEWEST, 100_000), default=300, show_default=True, help="次数。 Draws.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="种子。 Seed.")
@click.option("--scenario", "scenarios", type=click.Choice(list(SCENARIOS)), multiple=True, help="情景。 Scenario.")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON。 Print JSON.")
def coverage(draws: int, seed: int, scenarios: tuple[str, ...], *, as_json: bool) -> None:
    """区间的覆盖率等：走产品自己的抽样、加权和估计。 Coverage through the product's own draw, weights and estimates.

    Exit status 1 when a check fails, or when a method known to be wrong passes them all.
    """
    names = list(dict.fromkeys(scenarios)) or list(SCENARIOS)
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=draws * len(names), label="模拟 / simulating", file=sys.stderr, hidden=hidden) as bar:
        found = simulate(names, seed, draws, lambda: bar.update(1))
    if as_json:
        click.echo(orjson.dumps(_as_data(found, seed, draws), option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(_table(found)))
    sys.exit(0 if found.passed else 1)


def _as_data(found: Findings, seed: int, draws: int) -> dict[str, object]:
    return {
        "format": "simulated-coverage/1",
        "seed": seed,
        "draws": draws,
        "passed": found.passed,
        "checks": [_row(verdict) for verdict in found.verdicts],
        "controls": [
            {
                "scenario": control.scenario,
                "estimator": control.estimator,
                "caught": control.caught,
                "checks": [_row(verdict) for verdict in control.verdicts],
            }
            for control in found.controls
        ],
    }


def _row(verdict: Verdict) -> dict[str, object]:
    return {
        "scenario": verdict.scenario,
        "estimator": verdict.estimator,
        "check": verdict.check.value,
        "draws": verdict.draws,
        "n": verdict.units,
        "least": verdict.least,
        "most": verdict.most,
        "low": verdict.low,
        "high": verdict.high,
        "passed": verdict.passed,
    }


def _table(found: Findings) -> Iterator[str]:
    for scenario in dict.fromkeys(verdict.scenario for verdict in found.verdicts):
        yield f"{SCENARIO_WORDS[scenario]} / {scenario}"
        yield from _lines(verdict for verdict in found.verdicts if verdict.scenario == scenario)
        for control in (one for one in found.controls if one.scenario == scenario):
            yield _control(control)
            yield from _lines(verdict for verdict in control.verdicts if not verdict.passed)
        yield ""
    missed = sum(not one.passed for one in found.verdicts)
    slipped = sum(not one.caught for one in found.controls)
    yield (
        f"检验 {len(found.verdicts)} 项，未通过 {missed}；错误方法 {len(found.controls)} 种，漏过 {slipped}"
        f" / checks {len(found.verdicts)}, failed {missed}; wrong methods {len(found.controls)}, missed {slipped}"
    )


def _control(control: Control) -> str:
    words = f"{ESTIMATOR_WORDS[control.estimator]} / {control.estimator}"
    told = "已识破（应不通过） / caught, as it must be" if control.caught else "漏过 / NOT CAUGHT"
    return f"  反例 control: {words}: {told}"


def _lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        zh, en = CHECK_WORDS[verdict.check]
        name = _wide(f"{ESTIMATOR_WORDS[verdict.estimator]}：{zh} / {verdict.estimator}: {en}", 88)
        values = f"{verdict.least:.4f}" + ("" if verdict.least == verdict.most else f"..{verdict.most:.4f}")
        mark = "通过 pass" if verdict.passed else "不通过 FAIL"
        yield f"    {name} {values:>15}  [{verdict.low:.4f}, {verdict.high:.4f}]  n={verdict.units:<6} {mark}"


def _wide(text: str, width: int) -> str:
    """The text filled up to a width; a Chinese character takes two places."""
    taken = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
    return text + " " * max(width - taken, 0)
