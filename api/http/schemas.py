"""The shapes of the API's answers. Scores are decimal strings; estimates are numbers; names come in both languages."""

from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.problems import say, sentences
from survey_forms.numbers import plain
from survey_forms.refusal import Fault

LONGEST_TEXT = 200


def means(zh: str, en: str, **more: Any) -> dict[str, Any]:
    """A field's description in both languages."""
    return {"description": f"{zh} / {en}", **more}


class Text(fields.String):
    """A short text of the address. PostgreSQL holds no NUL, and half a character is none."""

    def __init__(self, **more: Any) -> None:
        super().__init__(validate=validate.Length(1, LONGEST_TEXT), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.isprintable():
            raise ValidationError("unprintable")
        return text


class Points(fields.String):
    """An exact number of points as a decimal string, without trailing zeros."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return _signed(value) if isinstance(value, Decimal) else super()._serialize(value, attr, obj, **kwargs)


class Published(fields.String):
    """A published figure as a decimal string, with its places."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return f"{value:f}" if isinstance(value, Decimal) else super()._serialize(value, attr, obj, **kwargs)


def _signed(value: Decimal) -> str:
    return f"-{plain(-value)}" if value < 0 else plain(value)


class ToldSchema(Schema):
    """Something to be told, in both languages."""

    code = fields.String(required=True)
    path = fields.String()
    zh = fields.String(required=True)
    en = fields.String(required=True)


class ProblemSchema(Schema):
    """Why something was refused: the first fault's code, and every fault in words."""

    code = fields.String(required=True, metadata=means("第一个问题的代码", "the first fault's code"))
    errors = fields.List(fields.Nested(ToldSchema()), required=True, metadata=means("全部问题", "every fault"))


class ByUnit(Schema):
    """Arguments of lists that may be narrowed to one unit."""

    unit = Text(metadata=means("只要这个单位", "this unit alone"))


class EvaluationSchema(Schema):
    """An evaluation."""

    code = fields.String(required=True)
    year = fields.Integer(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    scheme = fields.String(required=True, metadata=means("考评方案编号", "id of the scheme"))
    scheme_digest = fields.String(required=True, metadata=means("方案文本的 SHA-256", "SHA-256 of the scheme's text"))
    supplied_note = fields.String(metadata=means("补充数值的说明", "where the supplied values come from"))
    simulated = fields.Boolean(required=True, metadata=means("是否为模拟数据", "whether the data are simulated"))
    published = fields.Boolean(required=True, metadata=means("结果是否已公布", "whether the results are published"))


class UnitSchema(Schema):
    """A unit under assessment."""

    code = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    class_ = fields.String(data_key="class", allow_none=True)


class PlaceSchema(Schema):
    """Where a unit may really stand."""

    best = fields.Integer(required=True, metadata=means("最好的名次", "best place"))
    worst = fields.Integer(required=True, metadata=means("最差的名次", "worst place"))


class GradeSchema(Schema):
    """A grade and its probability."""

    grade = fields.String(required=True)
    probability = fields.Float(required=True)


class Flags(fields.List[Any]):
    """Flags as codes with their sentences."""

    def __init__(self, **more: Any) -> None:
        super().__init__(fields.Nested(ToldSchema()), **more)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize([told_flag(flag) for flag in value], attr, obj, **kwargs)


class Grades(fields.List[Any]):
    """Pairs of grade and probability, best grade first."""

    def __init__(self, **more: Any) -> None:
        super().__init__(fields.Nested(GradeSchema()), **more)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        pairs = [{"grade": grade, "probability": share} for grade, share in value]
        return super()._serialize(pairs, attr, obj, **kwargs)


def told_flag(flag: str) -> dict[str, str]:
    """A flag of an estimate in words."""
    fault = Fault(flag)
    words = {"zh": say(fault, "zh"), "en": say(fault, "en")} if flag in sentences() else {"zh": flag, "en": flag}
    return {"code": flag, **words}


class Measured(Schema):
    """The error of a figure."""

    se = fields.Float(required=True, allow_none=True, metadata=means("标准误", "standard error"))
    low = fields.Float(required=True, allow_none=True, metadata=means("95% 区间下限", "low end of the 95 % interval"))
    high = fields.Float(required=True, allow_none=True, metadata=means("95% 区间上限", "high end of the 95 % interval"))
    n = fields.Integer(
        required=True, allow_none=True, metadata=means("评价份数,隐去时为空", "ratings; null where hidden")
    )
    flags = Flags(required=True, metadata=means("须告知读者的提示", "what a reader must be told"))


class UnitResultSchema(Measured):
    """A unit's composite with its error and its grade."""

    unit = fields.Nested(UnitSchema(), required=True)
    composite = Published(required=True, metadata=means("综合得分(公布值)", "composite as published"))
    grade = fields.String(required=True, allow_none=True, metadata=means("等次", "grade"))
    grade_missing = fields.String(
        allow_none=True, metadata=means("文件未规定而缺少的数值", "the value that the document leaves out")
    )
    grade_probability = fields.Float(allow_none=True, metadata=means("该等次的概率", "probability of that grade"))
    grades = Grades(required=True, metadata=means("各等次的概率", "probability of each grade"))
    place = fields.Nested(
        PlaceSchema(),
        required=True,
        metadata=means("名次区间(95%):不单独公布名次", "rank interval (95 %): no rank is told by itself"),
    )
    jointly = fields.Nested(
        PlaceSchema(),
        required=True,
        metadata=means("全部单位同时成立的名次区间(95%)", "rank interval (95 %) of all units at once"),
    )
    band = fields.Integer(
        required=True, metadata=means("误差带:同带单位分不出高低", "error band: units of one band are not told apart")
    )
    ranked = fields.Integer(required=True, metadata=means("参加排名的单位数", "units that it is ranked among"))
    prize = fields.String(allow_none=True)
    parts = fields.Dict(
        keys=fields.String(), values=Points(), metadata=means("各部分计入的分数", "what each part contributes")
    )
    cut_by_cap = Points(metadata=means("扣满为止未再扣的分数", "points that a cap did not let through"))
    consequences = fields.Dict(metadata=means("结果运用", "consequences"))


class StateSchema(Schema):
    """What the figures were computed from."""

    evaluation = fields.String(required=True)
    simulated = fields.Boolean(required=True)
    scheme_digest = fields.String(required=True, allow_none=True)
    computed_at = fields.AwareDateTime(required=True, allow_none=True)
    inputs_digest = fields.String(
        required=True, allow_none=True, metadata=means("全部输入的 SHA-256", "SHA-256 of all inputs")
    )
    ledger_seq = fields.Integer(
        required=True, allow_none=True, metadata=means("所读台账的最后序号", "the last ledger entry that was read")
    )
    problems = fields.List(
        fields.Nested(ToldSchema()), required=True, metadata=means("缺少什么而未能计算", "what is missing to compute")
    )


class WithheldSchema(Schema):
    """A unit whose composite nobody is told, and why."""

    unit = fields.Nested(UnitSchema(), required=True)
    why = fields.Function(lambda one: told_flag(one.why), required=True)


WITHHELD = means("不公布综合得分的单位及原因", "units whose composite is withheld, and why")


class ResultsSchema(StateSchema):
    """The results of an evaluation by grade and error band; no units while something is missing."""

    units = fields.List(fields.Nested(UnitResultSchema()), required=True)
    withheld = fields.List(fields.Nested(WithheldSchema()), required=True, metadata=WITHHELD)


class EstimateSchema(Measured):
    """What a respondent group says of a unit, in points of 0..100."""

    survey_id = fields.Integer(required=True)
    group = fields.String(required=True)
    group_zh = fields.String(required=True)
    group_en = fields.String(required=True)
    component = fields.String(required=True, metadata=means("计入方案的哪一项", "the scheme's component that it feeds"))
    unit = fields.Nested(UnitSchema(), required=True)
    hidden = fields.Boolean(required=True, metadata=means("为保护受访者而隐去", "hidden to protect respondents"))
    value = fields.Float(required=True, allow_none=True, metadata=means("得分(0 至 100)", "score, 0 to 100"))
    df = fields.Float(required=True, allow_none=True, metadata=means("自由度", "degrees of freedom (Satterthwaite)"))


class LedgerLineSchema(Schema):
    """A ledger entry. `leaf_hash` is its leaf in the Merkle log (RFC 9162)."""

    seq = fields.Integer(required=True)
    unit = fields.Nested(UnitSchema(), required=True)
    component = fields.String(required=True)
    aspect = fields.String(allow_none=True)
    rule = fields.String(required=True)
    points = Points(required=True)
    reverses = fields.Integer(allow_none=True, metadata=means("冲销哪一笔", "the entry that it reverses"))
    reversed_by = fields.Integer(allow_none=True, metadata=means("被哪一笔冲销", "the entry that reversed it"))
    basis = fields.String(required=True)
    entered_at = fields.AwareDateTime(required=True)
    leaf_hash = fields.String(required=True)


class UnitTraceSchema(StateSchema):
    """One unit's result with every step of its arithmetic, its estimates and its ledger."""

    result = fields.Nested(UnitResultSchema(), required=True, allow_none=True)
    withheld = fields.List(fields.Nested(WithheldSchema()), required=True, metadata=WITHHELD)
    trace = fields.List(fields.Dict(), required=True, metadata=means("逐步计算", "the arithmetic, line by line"))
    estimates = fields.List(fields.Nested(EstimateSchema()), required=True)
    ledger = fields.List(fields.Nested(LedgerLineSchema()), required=True)


class ProgressSchema(Schema):
    """How far a survey has come in a respondent group."""

    survey_id = fields.Integer(required=True)
    group = fields.String(required=True)
    group_zh = fields.String(required=True)
    group_en = fields.String(required=True)
    issued = fields.Integer(
        required=True,
        metadata=means(
            "发出的评议码；有访员的调查为抽中的人数", "codes issued; people drawn where interviewers reach them"
        ),
    )
    spent = fields.Integer(required=True, metadata=means("已用的评议码", "codes spent"))
    counted = fields.Integer(required=True, metadata=means("已计入的答卷", "answers counted"))
    rate = fields.Float(
        required=True, allow_none=True, metadata=means("应答率(AAPOR RR1)", "response rate (AAPOR RR1)")
    )
