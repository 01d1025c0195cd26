"""How the figures came about, to be read by programs: response rates, weights, outcomes, covariances, claims."""

from collections.abc import Mapping
from typing import Any

from api.actions import methods
from api.actions.claims import claims_of
from api.auth import allow
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.results import EVALUATION, OFFICES, reading
from api.http.schemas_methods import ClaimSchema, CovarianceSchema, RateSchema, WeightSchema

blp = ApiBlueprint("methods", __name__, url_prefix=PREFIX, description="方法 / methods")
blp.after_request(never_kept)


@blp.route("/evaluations/<evaluation>/rates", parameters=[EVALUATION])
@allow(*OFFICES)
@told("应答率", "AAPOR's rates by respondent group and stratum, counted and weighted, with deff_w and n_eff.")
@blp.response(200, RateSchema(many=True))
def list_rates(evaluation: str) -> list[dict[str, Any]]:
    """List the response rates."""
    with reading(evaluation) as look:
        return [_rate(one) for one in methods.rates_of(look.connection, look.evaluation.id)]


@blp.route("/evaluations/<evaluation>/weights", parameters=[EVALUATION])
@allow(*OFFICES)
@told("权数", "The newest weights of each weighting cell, step by step, with what its cases came to.")
@blp.response(200, WeightSchema(many=True))
def list_weights(evaluation: str) -> list[methods.WeightLine]:
    """List the weights and the outcomes of each cell."""
    with reading(evaluation) as look:
        return methods.weights_of(look.connection, look.evaluation.id)


@blp.route("/evaluations/<evaluation>/covariances", parameters=[EVALUATION])
@allow(*OFFICES)
@told(
    "协方差",
    "Covariance between the units' scores by group, in squared points; pairs with a hidden figure are left out.",
)
@blp.response(200, CovarianceSchema(many=True))
def list_covariances(evaluation: str) -> list[methods.CovarianceLine]:
    """List the covariances between units."""
    with reading(evaluation) as look:
        return methods.covariances_of(look.connection, look.report())


@blp.route("/evaluations/<evaluation>/claims", parameters=[EVALUATION])
@allow(*OFFICES)
@told("不能据此说什么", "What may not be claimed of the figures, with the reason.")
@blp.response(200, ClaimSchema(many=True))
def list_claims(evaluation: str) -> list[Mapping[str, str]]:
    """List what may not be claimed."""
    with reading(evaluation) as look:
        report = look.report()
        rates = methods.rates_of(look.connection, look.evaluation.id)
        found = claims_of(look.connection, report, rates)
        return [{"code": one.code, "zh": one.said("zh"), "en": one.said("en")} for one in found]


def _rate(one: methods.RateLine) -> dict[str, Any]:
    names = ("survey_id", "group", "group_zh", "group_en", "stratum", "cases", "n", "counts")
    return {name: getattr(one, name) for name in names} | {
        "rates": one.rates.named(),
        "weighted": one.weighted.named(),
        "deff_w": one.spread.deff_w if one.spread else None,
        "n_eff": one.spread.n_eff if one.spread else None,
    }
