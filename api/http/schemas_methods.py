"""The shapes of the API's answers about methods. Rates are shares of 1 under AAPOR's own names."""

from marshmallow import Schema, fields

from api.http.schemas import means


class RateSchema(Schema):
    """A respondent group's rates, or those of one of its strata (`stratum` is null for the group)."""

    survey_id = fields.Integer(required=True)
    group = fields.String(required=True)
    group_zh = fields.String(required=True)
    group_en = fields.String(required=True)
    stratum = fields.String(required=True, allow_none=True)
    cases = fields.Integer(required=True, metadata=means("样本数", "cases"))
    n = fields.Integer(required=True, metadata=means("完成数", "complete and partial interviews"))
    counts = fields.Dict(required=True, metadata=means("各类结果数(AAPOR)", "cases by AAPOR class"))
    rates = fields.Dict(required=True, metadata=means("e 与 RR1 至 CON3", "e and RR1 to CON3; null for 0/0"))
    weighted = fields.Dict(required=True, metadata=means("按基础权数加权", "by base weights"))
    deff_w = fields.Float(
        required=True, allow_none=True, metadata=means("权数的设计效应(Kish)", "Kish's design effect")
    )
    n_eff = fields.Float(required=True, allow_none=True, metadata=means("有效样本量", "effective n"))


class WeightSchema(Schema):
    """A weighting cell: a respondent's weight after each step."""

    survey_id = fields.Integer(required=True)
    group = fields.String(required=True)
    stratum = fields.String(required=True)
    wcell = fields.String(required=True)
    outcomes = fields.Dict(required=True, metadata=means("各类结果数(AAPOR)", "cases by AAPOR class"))
    merged_into = fields.String(required=True, allow_none=True)
    base = fields.Float(required=True)
    eligibility = fields.Float(required=True)
    nonresponse = fields.Float(required=True)
    raked = fields.Float(required=True)
    final = fields.Float(required=True)


class CovarianceSchema(Schema):
    """The covariance of two units' scores within a group."""

    survey_id = fields.Integer(required=True)
    group = fields.String(required=True)
    one = fields.String(required=True)
    other = fields.String(required=True)
    covariance = fields.Float(required=True, metadata=means("平方分", "squared points of 0..100"))


class ClaimSchema(Schema):
    """A sentence about what the figures cannot bear."""

    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)
