"""What happens to a workbook on its way: a cell typed over, emptied or moved, a row doubled or lost."""

from random import Random

Sheets = dict[str, list[list[str]]]

_TYPED = (
    *("", " ", "０", "是", "否", "yes", "no", "true()", "1", "-1", "1e400", "9" * 40, "0.5", "2026-13-40"),
    *("'", '"', "=", "＝", "|", "begin group", "end group", "begin repeat", "end repeat", "begin_group"),
    *("end_repeat", "note", "calculate", "integer", "text", "select_one", "select_one yes_no"),
    *("select_one nothing", "select_multiple yes_no", "select_one yes_no or_other", "rank", "range"),
    *("geopoint", "select_one_from_file a.csv", "select_one ${say}", "image", "audio", "entity"),
    *("带空格 的", "分组开始", "单选 yes_no", "${nobody}", "${say}", "${say} > 1", "${}", "${", "$say", "${say"),
    *("${ say }", ". > 0", ".", "..", "/", "//", "../x", "current()/../x", "count(${say})", "sum(${say})"),
    *("position(..)", "indexed-repeat(${say}, ${say}, 1)", "pulldata('a', 'b', 'c', 'd')", "now()", "if("),
    *("if(1, 2, 3)", "((((((((((", "not(not(not(true())))", "1 div 0", "regex(., '(a+)+$')"),
    *("regex(., '[')", "concat('a', )", "instance('x')/root/item", "jr:choice-name(${say}, '${say}')"),
    *("jr:itext('x')", "string(1", "'open", "true() and", "name = ${say}", "name", "meta", "instanceID"),
    *("data", "label", "itext", "1st", "a b", "a.b", "a-b", "_", "名字", "x" * 300, "A" * 4000, "<output/>"),
    *("<b>", "&amp;", "&nope;", "]]>", "<!DOCTYPE a>", "\u00a0", "\ufeff", "\u200f", "😀", "\ud7ff", "a\nb"),
    *("\t", "rows=4", "rows=x", "start=0 end=0 step=1", "start=5 end=1 step=1", "start=0 end=10 step=0"),
    *("start=1 end=1e9 step=0.0001", "seed=1 randomize=true", "randomize=true", "max-pixels=1"),
    *("field-list", "table-list", "w1 w2", "label", "list-nolabel", "multiline", "label::English (en)"),
    *("label::", "::", "hint::中文 (zh)", "media::image", "bind::x", "choice_filter", "required", "类型"),
    *("变量名",),
)  # fmt: skip


def mutated(sheets: Sheets, random: Random, cells: int) -> Sheets:
    """A copy with that many cells changed; now and then a whole row as well."""
    changed = {title: [list(row) for row in rows] for title, rows in sheets.items()}
    for _ in range(cells):
        rows = changed[random.choice(list(changed))]
        row = random.choice(rows if random.random() < 0.3 else rows[1:] or rows)
        place = random.randrange(len(row))
        row[place] = _typed(row[place], changed, random)
    if random.random() < 0.15:
        rows = changed[random.choice(list(changed))]
        place = random.randrange(len(rows))
        if random.random() < 0.5:
            rows.insert(place, list(rows[place]))
        elif len(rows) > 1:
            del rows[place]
    return changed


def _typed(cell: str, sheets: Sheets, random: Random) -> str:
    sort = random.random()
    if sort < 0.55:
        return random.choice(_TYPED)
    if sort < 0.7:
        return random.choice(random.choice(sheets[random.choice(list(sheets))]))
    if cell and sort < 0.95:
        place = random.randrange(len(cell) + 1)
        return (
            cell[:place]
            + random.choice(("", " ", "(", ")", "'", "${", "}", "，", "≥", "x", "1", ".", "/", "-"))
            + cell[place + 1 :]
        )
    return cell + random.choice(_TYPED)
