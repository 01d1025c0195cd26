"""Whatever stands wherever: a figure or a refusal with a path, never an accident."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api.problems import say
from survey_forms.refusal import Refused
from survey_forms.scheme.explain import explain
from survey_forms.scheme.load import DOCUMENTS, read_scheme, scheme_ids
from survey_forms.scoring.compute import score, score_by
from survey_forms.scoring.exchange import parse_document
from tests.documents.examples import NAMES, an_input

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1e5", "-0", "50"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON document."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


def put(document: Any, path: tuple[Any, ...], act: str, value: Any) -> Any:
    """The document with one place replaced, taken out, doubled or joined by a stranger."""
    if not path:
        return value
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if act == "drop":
        del inner[path[-1]]
    elif act == "double" and isinstance(inner, list):
        inner.append(inner[path[-1]])
    elif act == "stranger" and isinstance(inner, dict):
        inner[str(value)[:20]] = value
    else:
        inner[path[-1]] = value
    return document


def said(refused: Refused) -> None:
    """Every fault has its sentence in both languages, with no blank left."""
    for fault in refused.faults:
        assert fault.path or fault.code == "more_faults"
        for language in "zh", "en":
            assert say(fault, language)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(NAMES), st.sampled_from(["put", "drop", "double", "stranger"]), junk)
def test_a_spoilt_document_is_scored_or_refused_with_a_sentence(data: st.DataObject, name: str, act: str, value: Any):
    document = an_input(name)
    document["units"] = document["units"][:3]
    spoilt = put(document, data.draw(st.sampled_from(places(document))), act, value)
    try:
        found = score(spoilt, trace=True)
    except Refused as refused:
        said(refused)
    else:
        json.dumps(found, allow_nan=False)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | junk.map(json.dumps).map(str.encode))
def test_any_bytes_are_a_document_or_a_refusal(data: bytes):
    try:
        score(parse_document(data))
    except Refused as refused:
        said(refused)


@settings(max_examples=100, deadline=None)
@given(
    st.data(),
    st.sampled_from(scheme_ids()),
    st.sampled_from(["drop", "double", "swap", "spoil"]),
    st.sampled_from(['"x"', "1", "0.5", "true", "[]", "{}", '["a"]', "1979-05-27", '"*"', '"9999"', '"100"', '""']),
)
def test_a_spoilt_scheme_file_loads_or_is_refused_and_what_loads_explains_and_scores(
    data: st.DataObject, scheme_id: str, act: str, value: str
):
    lines = (DOCUMENTS / scheme_id / "scheme.toml").read_text(encoding="utf-8").splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    if act == "drop":
        del lines[place]
    elif act == "double":
        lines.insert(data.draw(st.integers(0, len(lines))), lines[place])
    elif act == "swap":
        other = data.draw(st.integers(0, len(lines) - 1))
        lines[place], lines[other] = lines[other], lines[place]
    elif "=" in lines[place]:
        lines[place] = f"{lines[place].partition('=')[0]}= {value}"
    try:
        scheme = read_scheme("\n".join(lines).encode())
    except Refused as refused:
        said(refused)
        return
    assert explain(scheme)
    if scheme_id in NAMES:
        try:
            score_by(scheme, an_input(scheme_id), trace=True)
        except Refused as refused:
            said(refused)
