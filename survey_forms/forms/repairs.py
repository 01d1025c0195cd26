"""What a Chinese keyboard makes of an expression: put right where only one meaning is possible, else named."""

import re
import unicodedata
from collections.abc import Mapping

from survey_forms.forms.headers import plain

_YES, _NO = (
    {"是", "yes", "true", "true()", "1", "y", "√", "必答", "必填"},
    {"否", "no", "false", "false()", "0", "n", "×", "不必答"},
)
_QUOTES = str.maketrans("“”„‟＂″‘’‚‛＇′「」『』", '""""""\'\'\'\'\'\'""""')
_SIGNS = str.maketrans(
    {"≥": ">=", "≧": ">=", "≤": "<=", "≦": "<=", "≠": "!=", "×": "*", "÷": " div ", "−": "-", "–": "-", "—": "-"}
    | {"¥": "$", "、": ",", "。": ".", "【": "[", "】": "]", "〔": "(", "〕": ")"}
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\u202a-\u202e]")
LITERAL = re.compile(r"(\"[^\"]*\"|'[^']*')")
REFERENCE = re.compile(r"\$\{\s*([^{}]*?)\s*\}")

# Words that an author writes instead of an operator → what to write. Asked of what stands outside quotation marks.
_WORDS = {
    **dict.fromkeys(("并且", "而且", "且", "同时"), "and"),
    **dict.fromkeys(("或者", "或"), "or"),
    **dict.fromkeys(("不等于", "不是"), "!="),
    **dict.fromkeys(("大于等于", "不小于", "不少于"), ">="),
    **dict.fromkeys(("小于等于", "不大于", "不超过"), "<="),
    "等于": "=",
    "大于": ">",
    "小于": "<",
    "包含": "selected(${…}, '…')",
    "如果": "if(…, …, …)",
    "今天": "today()",
}
_SHOUTED = re.compile(r"\b(AND|OR|NOT|DIV|MOD|IF|TRUE|FALSE|TODAY|SELECTED|SUM|COUNT|ROUND|Or|And|Not|If|Today)\b")
_TRAILING = re.compile(r"(\band|\bor|\bdiv|\bmod|[-+*=<>,])\s*$")
_SLIPS: Mapping[str, str] = {
    r"(?<=[\d})])\s*/\s*(?=[\d$(])": "div",
    r"%": "mod",
    r"!(?!=)": "not(…)",
    r"\^": "*",
    r"(?<!&)&(?!&)": "concat(…, …)",
    r"(?<!\$)\{[A-Za-z_]\w*\}": "${…}",
    r"\$[A-Za-z_(]\w*\)?": "${…}",
    r"^\s*=(?!=)": "",
}


def repaired(logic: str) -> str:
    """An expression with its signs put right outside quotation marks: ＝ （ ） ≥ “ ” ￥｛ and spaces of any kind."""
    parts = LITERAL.split(_INVISIBLE.sub("", logic).translate(_QUOTES))
    return "".join(
        part if index % 2 else unicodedata.normalize("NFKC", part).translate(_SIGNS) for index, part in enumerate(parts)
    ).strip()


def visible(word: str) -> str:
    """A name or type without the zero-width characters that copying from a chat or a web page brings along."""
    return _INVISIBLE.sub("", word).strip()


def yes_or_expression(written: str) -> str:
    """A required or read-only cell: `yes`, nothing, or the expression that it holds."""
    word = plain(written)
    return "yes" if word in _YES else "" if word in _NO else repaired(written)


def miswritten(logic: str) -> tuple[str, dict[str, object]] | None:
    """The code and facts of a slip that has a better answer than the expression's own reader can give."""
    outside = REFERENCE.sub("${x}", LITERAL.sub("''", logic))
    for word, instead in _WORDS.items():
        if word in outside:
            return "expression_operator", {"symbol": word, "instead": instead}
    shouted = _SHOUTED.search(outside)
    if shouted:
        return "expression_operator", {"symbol": shouted[1], "instead": shouted[1].lower()}
    for pattern, instead in _SLIPS.items():
        slip = re.search(pattern, outside)
        if slip:
            symbol = slip[0].strip()
            return (
                ("expression_operator", {"symbol": symbol, "instead": instead})
                if instead
                else (
                    "expression_leading_sign",
                    {"symbol": symbol},
                )
            )
    return _unfinished(outside)


def _unfinished(outside: str) -> tuple[str, dict[str, object]] | None:
    """Brackets that do not match, quotation marks without their twin, an operator with nothing after it."""
    opened, closed = outside.count("("), outside.count(")")
    if opened != closed:
        return "expression_brackets", {"opened": opened, "closed": closed}
    if "'" in outside.replace("''", "") or '"' in outside:
        return "expression_quotes", {}
    trailing = _TRAILING.search(outside)
    return ("expression_ends_early", {"symbol": trailing[1]}) if trailing else None
