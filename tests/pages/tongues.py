"""A questionnaire in four languages, for the tests of the respondent's frame."""

from openpyxl import Workbook

from tests.rules.books import saved

TONGUES = {
    "中文 (zh)": ("您对市公安局的工作满意吗？", "好", "差", "不了解", "还想说什么", "四种文字的问卷"),
    "English (en)": (
        "Are you satisfied with the police?",
        "Good",
        "Bad",
        "Cannot say",
        "Anything else",
        "Four tongues",
    ),
    "维吾尔文 (ug)": (
        "شەھەرلىك ساقچى ئىدارىسىدىن رازىمۇسىز؟",
        "ياخشى",
        "ناچار",
        "بىلمەيمەن",
        "يەنە نېمە دەيسىز",
        "تۆت تىل",
    ),
    "藏文 (bo)": ("ཉེན་རྟོག་པ་ལ་ཚིམས་སམ།", "ཡག་པོ", "སྡུག་པོ", "མི་ཤེས", "གཞན་དག", "སྐད་རིགས་བཞི།"),
}


def a_book_of_tongues(*languages: str) -> bytes:
    """One rating and one text, in those of the languages (all four when none is named), Chinese first."""
    chosen = [name for name in TONGUES if not languages or any(f"({one})" in name for one in languages)]
    book = Workbook()
    survey = book.active
    survey.title = "survey"
    survey.append(
        ["type", "name", "appearance", "required", "bind::mc:unit", "bind::mc:item", *_heads("label", chosen)]
    )
    survey.append(["begin_group", "one", "field-list"])
    question = [TONGUES[name][0] for name in chosen]
    survey.append(["select_one scale", "police", None, "yes", "police", "overall", *question])
    survey.append(["end_group"])
    survey.append(["begin_group", "two", "field-list"])
    survey.append(["text", "words", None, None, None, None, *(TONGUES[name][4] for name in chosen)])
    survey.append(["end_group"])
    choices = book.create_sheet("choices")
    choices.append(["list_name", "name", "points", *_heads("label", chosen)])
    for at, (name, points) in enumerate((("good", 100), ("bad", 0), ("dk", None)), start=1):
        choices.append(["scale", name, points, *(TONGUES[language][at] for language in chosen)])
    settings = book.create_sheet("settings")
    settings.append(["form_id", "default_language", *_heads("form_title", chosen)])
    settings.append(["tongues", "中文 (zh)", *(TONGUES[name][5] for name in chosen)])
    return saved(book)


def _heads(column: str, languages: list[str]) -> list[str]:
    return [f"{column}::{name}" for name in languages]
