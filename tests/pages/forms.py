"""One small questionnaire for each kind of question, made by code, for the tests of the respondent's pages."""

from collections.abc import Mapping, Sequence

from openpyxl import Workbook

from tests.rules.books import a_row, saved

PROVINCES, CITIES, DISTRICTS = 10, 10, 31  # 3,100 districts, one city's at a time

_CHANNELS = (
    ("channels", "counter", "办事窗口"),
    ("channels", "online", "网上办事"),
    ("channels", "hotline", "12345 热线"),
)
_YES_NO = (("yes_no", "yes", "是"), ("yes_no", "no", "否"))


def a_book_of(
    *rows: Mapping[str, object],
    choices: Sequence[Sequence[object]] = (*_YES_NO, *_CHANNELS),
    columns: tuple[str, ...] = (),
) -> bytes:
    """A workbook whose lists have further columns for filters, after list, name and label."""
    book = Workbook()
    survey = book.active
    survey.title = "survey"
    headers = list(dict.fromkeys(["type", "name", "label", *(key for row in rows for key in row)]))
    survey.append(headers)
    for row in rows:
        survey.append([row.get(header) for header in headers])
    listed = book.create_sheet("choices")
    listed.append(["list_name", "name", "label", *columns])
    for choice in choices:
        listed.append(list(choice))
    settings = book.create_sheet("settings")
    settings.append(["form_id", "form_title"])
    settings.append(["a-form", "一份问卷"])
    return saved(book)


def asked(kind: str, **cells: object) -> bytes:
    """One required question of a type."""
    return a_book_of({**a_row(kind, "q", required="yes", **cells), "label": "这一题问什么？", "hint": "一行小字。"})


def a_cascade() -> bytes:
    """Province, city, district: 3,100 districts in all, 31 to choose from."""
    # The longest list first: pyxform looks for columns in the first hundred rows only.
    choices = [
        ("district", f"p{p}c{c}d{d}", f"第{c}市第{d}区", f"p{p}", f"p{p}c{c}")
        for p in range(PROVINCES)
        for c in range(CITIES)
        for d in range(DISTRICTS)
    ]
    choices += [("city", f"p{p}c{c}", f"第{p}省第{c}市", f"p{p}") for p in range(PROVINCES) for c in range(CITIES)]
    choices += [("province", f"p{p}", f"第{p}省") for p in range(PROVINCES)]
    return a_book_of(
        a_row("select_one province", "province", required="yes"),
        a_row("select_one city", "city", required="yes", choice_filter="province = ${province}"),
        a_row("select_one district", "district", required="yes", choice_filter="city = ${city}"),
        choices=choices,
        columns=("province", "city"),
    )


def a_long_list(*, multiple: bool = False) -> bytes:
    """One list of 3,100 districts that a filter only halves: it has to be searched."""
    choices = [*_YES_NO, *(("district", f"d{at}", f"第{at}区", "yes" if at % 2 else "no") for at in range(3100))]
    kind = "select_multiple" if multiple else "select_one"
    return a_book_of(
        a_row("select_one yes_no", "odd", required="yes"),
        a_row(f"{kind} district", "district", required="yes", choice_filter="odd = ${odd}"),
        choices=choices,
        columns=("odd",),
    )


def a_repeat(**cells: object) -> bytes:
    """Matters handled in the year: their name, how many days, a picture; as many as the respondent says."""
    return a_book_of(
        a_row("select_one yes_no", "used", required="yes"),
        {**a_row("begin_repeat", "matter", relevant="${used} = 'yes'", **cells), "label": "办过的事"},
        {**a_row("text", "title", required="yes"), "label": "办的是什么事？"},
        {**a_row("integer", "days"), "label": "用了几天？"},
        {**a_row("date", "done"), "label": "哪天办好的？"},
        a_row("end_repeat"),
        {**a_row("note", "total"), "label": "一共 ${days_total} 天。"},
        a_row("calculate", "days_total", calculation="sum(${days})"),
        a_row("select_one yes_no", "pleased", required="yes"),
    )


def everything() -> bytes:
    """All kinds of question in one form, in groups as an author would make them."""
    return a_book_of(
        a_row("begin_group", "first", label="先问几件小事", appearance="field-list"),
        {**a_row("note", "hello"), "label": "谢谢您参加。"},
        {**a_row("select_one yes_no", "used", required="yes"), "label": "过去一年您去过政务服务中心吗？"},
        {**a_row("select_multiple channels", "ways"), "label": "用过哪些渠道？"},
        {**a_row("integer", "visits", constraint=". < 100"), "label": "去了几次？"},
        {**a_row("decimal", "hours"), "label": "一般要等几小时？", "hint": "例如 0.5"},
        {**a_row("date", "last"), "label": "最近一次是哪天？"},
        a_row("end_group"),
        {
            **a_row("range", "recommend", required="yes", parameters="start=0 end=10 step=1"),
            "label": "您有多大可能把网上办事推荐给别人？",
            "hint": "0 是完全不可能，10 是非常可能。",
        },
        {**a_row("rank channels", "order", required="yes"), "label": "请按您喜欢的先后排序"},
        {**a_row("begin_repeat", "matter"), "label": "办过的事"},
        {**a_row("text", "title", required="yes"), "label": "办的是什么事？"},
        {**a_row("integer", "days"), "label": "用了几天？"},
        a_row("end_repeat"),
        {**a_row("image", "picture"), "label": "有照片的话请附上"},
        {**a_row("text", "words", parameters="rows=4"), "label": "还想说什么？"},
        {**a_row("note", "bye"), "label": "您说一共去了 ${visits} 次。"},
    )


BOOKS = {
    "single": asked("select_one yes_no"),
    "multiple": asked("select_multiple channels"),
    "scale": asked("range", parameters="start=1 end=10 step=1"),
    "fine scale": asked("range", parameters="start=0 end=100 step=1"),
    "rank": asked("rank channels"),
    "integer": asked("integer"),
    "decimal": asked("decimal"),
    "date": asked("date"),
    "text": asked("text"),
    "words": asked("text", parameters="rows=5"),
    "image": asked("image"),
    "cascade": a_cascade(),
    "long list": a_long_list(),
    "long list of several": a_long_list(multiple=True),
    "repeat": a_repeat(),
    "counted repeat": a_repeat(repeat_count="2"),
    "everything": everything(),
}
