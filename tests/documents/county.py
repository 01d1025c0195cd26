"""The made-up county of docs/adding_a_scheme.md, and what it needs to use the rest of the vocabulary."""

import json
import re

from tests.house.source import ROOT

PAGE = (ROOT / "docs" / "adding_a_scheme.md").read_text(encoding="utf-8")
(SCHEME,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
INPUT, OUTPUT = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))

RECORDS = """
[[fact]]
id = "absences"
zh = "缺勤"
en = "absences"
unique = "day"
[fact.fields.day]
type = "id"
[fact.fields.kind]
type = "choice"
choices = { study = "学习" }
[fact.fields.excused]
type = "yes_no"
[fact.fields.days]
type = "decimal"
[fact.fields.year]
type = "year"

[[event]]
id = "missed"
zh = "缺勤，每次"
en = "each absence"
facts = "absences"
match = { excused = false }
to = "indicator.common"
points = "0.5"
article = "第六条"

[[rule]]
id = "late"
zh = "迟到"
en = "late"
aspect = "discipline"
points_min = "1"
points_max = "2"
article = "第八条"

[[consequence]]
id = "long_leave"
zh = "长假"
en = "long leave"
value = false
article = "第六条"
[[consequence.when]]
total = { facts = "absences", of = "days", match = { kind = ["study"] }, over = "30" }
value = true
[[consequence.when]]
last = 3
repeated = { facts = "absences", of = "excused", year = "year", years = 2 }
value = true

[[consequence]]
id = "persons"
zh = "人员"
en = "persons"
article = "第六条"
[consequence.each]
facts = "absences"
by = "kind"
gives = "fraction"
loses = { study = "1/3" }

[[round]]
id = "quarterly"
zh = "季度"
en = "quarterly"
months = [3, 6]
article = "第十六条"

[[left_out]]
path = "annex"
kind = "material"
zh = "附件"
en = "annex"
"""
WIDER = SCHEME + RECORDS
