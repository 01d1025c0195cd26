"""A sheet of the demonstration's codes for trying them on a phone: each as typed code and as QR code.

A real round's codes never exist in one readable file; these open nothing but simulated data. The code stands in
the fragment of the link, which browsers do not send: opening the link spends nothing and is logged nowhere.
"""

from collections.abc import Mapping, Sequence
from html import escape

from api.actions.responses import CODE_NAMESPACE
from api.demonstration.town import GROUPS, NAME_ZH
from api.documents_pdf.code_sheets import symbol
from survey_forms.sampling.codes import display, token_of

SHOWN = 4
HEAD = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
 body {{ font: 16px/1.5 "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; margin: 2rem }}
 ul {{ display: flex; flex-wrap: wrap; gap: 1rem 2rem; padding: 0; list-style: none }}
 li {{ width: 11rem; break-inside: avoid }} svg {{ width: 100%; height: auto }}
 code {{ font-size: 1.1rem; letter-spacing: .04em }} h2 {{ margin: 2rem 0 .5rem; break-after: avoid }}
</style>
<h1>{title}</h1>
<p>以下评议码只能打开演示数据。每个码只能提交一次。 These codes open simulated data only; each submits once.</p>
"""


def code_sheet(base_url: str, codes: Mapping[str, Sequence[str]], pepper: bytes) -> str:
    """The sheet as one HTML page, a few codes a respondent group; `pepper` makes the tokens of their QR codes."""
    names = {group.code: f"{group.name_zh} {group.name_en}" for group in GROUPS}
    parts = [HEAD.format(title=escape(f"{NAME_ZH}:评议码"))]
    for group, listed in codes.items():
        parts.append(f"<h2>{escape(names.get(group, group))}</h2><ul>")
        parts.extend(f"<li>{_qr(base_url, code, pepper)}<code>{display(code)}</code></li>" for code in listed[:SHOWN])
        parts.append("</ul>")
    return "\n".join(parts)


def _qr(base_url: str, code: str, pepper: bytes) -> str:
    made = symbol(base_url, token_of(pepper, CODE_NAMESPACE, code))
    return made.svg_inline(scale=4, border=2, svgclass=None, lineclass=None, omitsize=True, title=code)
