"""Questionnaires made to be asked of two engines: an inspection, a household, a cascade, and single expressions."""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO

from openpyxl import Workbook

from tests.javarosa.expressions import EXPRESSIONS
from tests.javarosa.grammar import expressions

Row = Mapping[str, object]
Book = Mapping[str, Sequence[Row]]

NESTED = 150
ZH, EN = "label::中文 (zh)", "label::English (en)"
YES_NO = (
    {"list_name": "yes_no", "name": "yes", ZH: "是", EN: "Yes"},
    {"list_name": "yes_no", "name": "no", ZH: "否", EN: "No"},
)


def a_row(kind: str, name: str, label: str = "", /, **cells: object) -> Row:
    """A row of the survey sheet; its English label is its name, so that a wrong language shows."""
    words = {ZH: label or f"题 {name}", EN: f"Item {name}"} if not kind.startswith(("end", "calculate")) else {}
    return {"type": kind, "name": name, **words, **cells}


def a_list(name: str, *codes: str, **columns: object) -> tuple[Row, ...]:
    return tuple(
        {"list_name": name, "name": code, ZH: f"选项 {code}", EN: f"Option {code}", **columns} for code in codes
    )


def a_book(form_id: str, survey: Sequence[Row], choices: Sequence[Row]) -> Book:
    settings = {"form_id": form_id, "form_title": f"对照 {form_id}", "default_language": "中文 (zh)"}
    return {"survey": survey, "choices": choices, "settings": [settings]}


def as_xlsx(book: Book) -> bytes:
    """The workbook as an author would send it."""
    file, written = BytesIO(), Workbook()
    written.remove(written.active)
    for title, rows in book.items():
        sheet = written.create_sheet(title)
        headers = list(dict.fromkeys(key for row in rows for key in row))
        sheet.append(headers)
        for row in rows:
            sheet.append([row.get(header) for header in headers])
    written.save(file)
    return file.getvalue()


def inspection() -> Book:
    """Groups in groups with conditions, points that add up, texts, dates and choices that decide on each other."""
    items = [f"item_{number}" for number in range(1, 9)]
    total = " + ".join(f"coalesce(${{{item}_off}}, 0)" for item in items)
    survey = [
        a_row("begin_group", "site"),
        a_row("date", "day", required="yes", constraint=". <= today() and . >= date('2025-01-01')"),
        a_row("text", "phone", constraint="regex(., '^1[3-9][0-9]{9}$') or regex(., '^0[0-9]{2,3}-[0-9]{7,8}$')"),
        a_row("select_one kinds", "kind", required="yes"),
        a_row("text", "kind_other", required="true()", relevant="${kind} = 'other'"),
        a_row("integer", "staff", constraint=". >= 0 and . <= 500"),
        a_row("integer", "absent", constraint=". >= 0 and . <= ${staff}", relevant="${staff} > 0"),
        a_row(
            "calculate",
            "absent_share",
            calculation="if(${staff} > 0, round(coalesce(${absent}, 0) div ${staff} * 100, 1), '')",
        ),
        a_row("calculate", "per_absent", calculation="${staff} div ${absent}"),
        a_row("calculate", "told", calculation="if(${per_absent} = '', 'not told', coalesce(${per_absent}, 'never'))"),
        a_row("begin_group", "window", relevant="${kind} = 'window' or ${kind} = 'both'"),
        a_row("integer", "queue", required="${staff} > 10", constraint=". >= 0"),
        a_row("decimal", "wait", constraint=". >= 0 and . <= 240.5", relevant="${queue} > 0"),
        a_row("begin_group", "slow", relevant="${wait} > 30"),
        a_row(
            "select_multiple reasons",
            "why",
            required="yes",
            constraint="not(selected(., 'none') and count-selected(.) > 1)",
        ),
        a_row("text", "why_text", relevant="selected(${why}, 'other')", constraint="string-length(.) <= 12"),
        a_row("end_group", ""),
        a_row("end_group", ""),
        a_row("end_group", ""),
        a_row("begin_group", "points"),
    ]
    for number, item in enumerate(items, start=1):
        survey += [
            a_row("select_one yes_no", item, required="yes" if number % 2 else f"${{staff}} > {number}"),
            a_row(
                "decimal",
                f"{item}_off",
                relevant=f"${{{item}}} = 'no'",
                required="yes",
                constraint=f". > 0 and . <= {number}",
            ),
        ]
    survey += [
        a_row("end_group", ""),
        a_row("calculate", "off", calculation=f"round({total}, 2)"),
        a_row("calculate", "left", calculation="max(0, 100 - ${off})"),
        a_row("calculate", "grade", calculation="if(${left} >= 95, 'A', if(${left} >= 85, 'B', 'C'))"),
        a_row("select_one yes_no", "agree", "应得 ${left} 分，同意吗", required="${off} > 0"),
        a_row(
            "text", "objection", "对 ${grade} 的意见", relevant="${agree} = 'no' and ${grade} != 'A'", required="yes"
        ),
        a_row("integer", "days", constraint=". mod 2 = 0 or . > 30", relevant="${grade} = 'C'"),
        a_row("date", "due", constraint=". > ${day}", relevant="${days} > 0"),
        a_row("calculate", "in_time", calculation="if(${due} != '' and ${due} <= ${day} + 30, 'yes', 'no')"),
        a_row(
            "calculate",
            "word",
            calculation="concat(${kind}, '-', coalesce(${kind_other}, 'x'), '-', string-length(${phone}))",
        ),
        a_row("range", "trust", parameters="start=0 end=10 step=2", required="${grade} = 'C'"),
        a_row("range", "share", parameters="start=-1 end=1 step=0.25", relevant="${trust} >= 4"),
        a_row("rank needs", "order", required="${trust} < 4"),
        a_row("calculate", "top", calculation="concat(selected-at(${order}, 0), ' ', ${share} * 2)"),
        a_row("integer", "copies", default="2", constraint=". > 0 and . <= 20"),
        a_row("text", "city", default="厦门"),
        a_row("select_multiple needs", "sent", default="water food"),
        a_row("calculate", "parcels", calculation="${copies} * count-selected(${sent})"),
        a_row("text", "receipt", calculation="concat(${city}, ' ', ${parcels})", readonly="yes"),
        a_row("note", "thanks", "扣 ${off} 分，缺勤 ${absent_share}%，${word}"),
    ]
    choices = [
        *YES_NO,
        *a_list("kinds", "window", "office", "both", "other"),
        *a_list("reasons", "few", "system", "papers", "other", "none"),
        *a_list("needs", "water", "food", "shelter"),
    ]
    return a_book("inspection", survey, choices)


def household() -> Book:
    """Repeats: free, counted by an answer, counted by another repeat; sums, positions and filters across them."""
    survey = [
        a_row("select_one yes_no", "has", required="yes"),
        a_row("integer", "limit", constraint=". >= 0 and . <= 120"),
        a_row("begin_repeat", "person"),
        a_row("calculate", "place", calculation="position(..)"),
        a_row("text", "called", "第 ${place} 位叫什么", required="yes"),
        a_row("integer", "age", required="yes", constraint=". >= 0 and . <= 120"),
        a_row("select_one sexes", "sex", "${called} 的性别"),
        a_row("calculate", "grown", calculation="if(${age} >= 18, 1, 0)"),
        a_row("begin_group", "adult", relevant="${grown} = 1"),
        a_row("select_one sectors", "sector", required="yes"),
        a_row("select_one jobs", "job", choice_filter="sector = ${sector}", required="${age} < 60"),
        a_row("select_multiple jobs", "jobs_before", choice_filter="sector = ${sector} or sector = 'any'"),
        a_row("decimal", "income", constraint=". >= 0 and . <= 99999"),
        a_row("end_group", ""),
        a_row(
            "calculate",
            "part",
            calculation="if(sum(${income}) > 0, round(coalesce(${income}, 0) div sum(${income}), 3), 0)",
        ),
        a_row("calculate", "share_of_years", calculation="if(${years} > 0, round(${age} div ${years}, 2), 0)"),
        a_row("calculate", "head", calculation="if(${place} = 1, 'head', concat('with ', ${first}))"),
        a_row("select_one yes_no", "older", "比 ${oldest} 岁小吗", relevant="${age} > ${limit} and ${people} > 1"),
        a_row("end_repeat", ""),
        a_row("calculate", "people", calculation="count(${person})"),
        a_row("calculate", "years", calculation="sum(${age})"),
        a_row("calculate", "adults", calculation="sum(${grown})"),
        a_row("calculate", "earned", calculation="sum(${income})"),
        a_row("calculate", "oldest", calculation="max(${age})"),
        a_row("calculate", "youngest", calculation="min(${age})"),
        a_row("calculate", "first", calculation="indexed-repeat(${called}, ${person}, 1)"),
        a_row("calculate", "last_age", calculation="indexed-repeat(${age}, ${person}, ${people})"),
        a_row("calculate", "none_there", calculation="indexed-repeat(${called}, ${person}, 9)"),
        a_row("calculate", "told_jobs", calculation="count-non-empty(${job})"),
        a_row("calculate", "all_jobs", calculation="concat(${job})"),
        a_row("calculate", "names", calculation="join('、', ${called})"),
        a_row(
            "text",
            "remark",
            "${people} 人，共 ${years} 岁",
            relevant="${people} > 1 and ${adults} > 0",
            required="${years} > 100",
        ),
        a_row("integer", "visits", constraint=". >= 0 and . <= 5"),
        a_row("begin_repeat", "visit", repeat_count="${visits}"),
        a_row("calculate", "number", calculation="position(..)"),
        a_row("date", "on", "第 ${number} 次，共 ${visits} 次", constraint=". <= today()"),
        a_row("select_one yes_no", "done", required="${number} = ${visits}"),
        a_row("integer", "minutes", relevant="${done} = 'yes'", constraint=". >= 0 and . <= 600"),
        a_row("end_repeat", ""),
        a_row("calculate", "spent", calculation="sum(${minutes})"),
        a_row("calculate", "often", calculation="count(${visit})"),
        a_row("begin_repeat", "view", repeat_count="count(${person})"),
        a_row("calculate", "whose", calculation="indexed-repeat(${called}, ${person}, position(..))"),
        a_row("select_one yes_no", "content", "${whose} 满意吗", required="yes"),
        a_row("end_repeat", ""),
        a_row("begin_repeat", "pet", relevant="${has} = 'yes'"),
        a_row("text", "pet_name"),
        a_row("integer", "legs", default="4", constraint=". >= 0 and . <= 8"),
        a_row("integer", "pet_age", constraint=". >= 0 and . <= 30"),
        a_row("end_repeat", ""),
        a_row("calculate", "pets", calculation="count(${pet})"),
        a_row("calculate", "all_legs", calculation="sum(${legs})"),
        a_row("calculate", "pet_years", calculation="sum(${pet_age})"),
    ]
    choices = [
        *YES_NO,
        *a_list("sexes", "f", "m"),
        *a_list("sectors", "farm", "trade", "state"),
        *a_list("jobs", "grain", "fruit", sector="farm"),
        *a_list("jobs", "shop", "stall", "lorry", sector="trade"),
        *a_list("jobs", "office", "school", sector="state"),
        *a_list("jobs", "none", sector="any"),
    ]
    return a_book("household", survey, choices)


def cascade() -> Book:
    """Province, city and district: 31 + 310 + 2,759 choices, each list narrowed by the answer before."""
    survey = [
        a_row("select_one province", "lives_in", required="yes"),
        a_row("select_one city", "lives_city", choice_filter="province = ${lives_in}", required="yes"),
        a_row("select_one district", "lives_district", choice_filter="province = ${lives_in} and city = ${lives_city}"),
        a_row(
            "select_multiple district", "works_in", choice_filter="city = ${lives_city} and name != ${lives_district}"
        ),
        a_row("calculate", "whole", calculation="concat(${lives_in}, '/', ${lives_city}, '/', ${lives_district})"),
        a_row("text", "street", relevant="${lives_district} != ''", constraint="string-length(.) <= 30"),
        a_row(
            "calculate",
            "near",
            calculation="if(selected(${works_in}, ${lives_district}), 'same', count-selected(${works_in}))",
        ),
    ]
    return a_book("cascade", survey, tuple(_regions()))


def _regions() -> Iterator[Row]:
    for province in range(1, 32):
        yield {"list_name": "province", "name": f"p{province}", ZH: f"省 {province}", EN: f"Province {province}"}
    cities = [f"c{number}" for number in range(310)]
    for number, city in enumerate(cities):
        yield {
            "list_name": "city",
            "name": city,
            ZH: f"市 {number}",
            EN: f"City {number}",
            "province": f"p{number % 31 + 1}",
        }
    for number in range(2759):
        at = number % 310
        where = {"province": f"p{at % 31 + 1}", "city": cities[at]}
        yield {"list_name": "district", "name": f"d{number}", ZH: f"区 {number}", EN: f"District {number}", **where}


def functions() -> Book:
    """Every function, with what is usual and what is odd."""
    return over_inputs("functions", EXPRESSIONS)


def nested() -> Book:
    """Random expressions inside each other."""
    return over_inputs("nested", expressions("nested", NESTED))


def over_inputs(form_id: str, calculated: Sequence[str]) -> Book:
    """One calculate for each expression, over a few inputs of every kind, some of them often empty or irrelevant."""
    survey = [
        a_row("integer", "i"),
        a_row("integer", "j"),
        a_row("decimal", "x"),
        a_row("decimal", "y"),
        a_row("text", "s"),
        a_row("text", "t"),
        a_row("date", "d"),
        a_row("date", "e"),
        a_row("select_one abc", "o"),
        a_row("select_multiple abc", "m"),
        a_row("select_one yes_no", "gate"),
        a_row("begin_group", "behind", relevant="${gate} = 'yes'"),
        a_row("integer", "k"),
        a_row("text", "u"),
        a_row("end_group", ""),
        *(a_row("calculate", f"f{number}", calculation=one) for number, one in enumerate(calculated, start=1)),
    ]
    return a_book(form_id, survey, [*YES_NO, *a_list("abc", "a", "b", "c", "ab")])
