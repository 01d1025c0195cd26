"""A visit's chain of events: untouched it holds, and every way of touching it shows, with the event named."""

import base64
import json
from hashlib import sha256
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from survey_forms.inspection.chain import (
    START,
    Breach,
    Break,
    chain_breaks,
    head_of,
    read_public_key,
    sealed_text,
    signature_holds,
)
from survey_forms.inspection.visit_events import read_events, time_faults
from tests.phones import Phone, Record


def a_chain(notes: list[str]) -> list[str]:
    texts: list[str] = []
    for n, note in enumerate(notes):
        prev = sha256(texts[-1].encode()).hexdigest() if texts else START
        event = {"n": n, "kind": "note", "at": 1_790_000_000_000 + n, "mono": n, "prev": prev, "text": note}
        texts.append(json.dumps(event, ensure_ascii=n % 2 == 0))
    return texts


def breaks(texts: list[str], head: str) -> tuple[Break, ...]:
    return chain_breaks(texts, [json.loads(one) for one in texts], head)


letters = st.text(st.characters(codec="utf-8"), max_size=20)
chains = st.lists(letters, min_size=1, max_size=12).map(a_chain)


@given(st.lists(letters, max_size=12))
def test_a_chain_that_nobody_touched_holds(notes):
    texts = a_chain(notes)
    assert breaks(texts, head_of(texts)) == ()


@given(chains, st.data())
def test_an_event_that_was_changed_is_named(texts, data):
    head, at = head_of(texts), data.draw(st.integers(0, len(texts) - 1))
    event = json.loads(texts[at])
    texts[at] = json.dumps(event | {"text": event["text"] + "x"})
    last = at == len(texts) - 1
    assert breaks(texts, head) == ((Break(Breach.HEAD) if last else Break(Breach.CHANGED, at)),)


@given(chains, st.data())
def test_an_event_that_was_left_out_is_named(texts, data):
    head, at = head_of(texts), data.draw(st.integers(0, len(texts) - 1))
    last = at == len(texts) - 1
    del texts[at]
    assert breaks(texts, head) == ((Break(Breach.HEAD) if last else Break(Breach.REMOVED, at)),)


@given(st.lists(letters, min_size=2, max_size=12).map(a_chain), st.data())
def test_two_events_that_changed_places_are_named(texts, data):
    head, at = head_of(texts), data.draw(st.integers(0, len(texts) - 2))
    texts[at], texts[at + 1] = texts[at + 1], texts[at]
    found = breaks(texts, head)
    assert Break(Breach.REMOVED, at) in found
    assert Break(Breach.OUT_OF_ORDER, at) in found


@given(chains, chains)
def test_the_end_of_another_chain_never_fits(one, other):
    forged = one + [
        json.dumps(json.loads(text) | {"n": len(one) + n, "prev": START if n == 0 else json.loads(text)["prev"]})
        for n, text in enumerate(other)
    ]
    assert breaks(forged, head_of(forged))


@given(chains, st.data())
def test_a_chain_rewritten_to_its_end_holds_but_for_the_head(texts, data):
    """Whoever rewrites everything after an event has another head, and so no signature for it."""
    head, at = head_of(texts), data.draw(st.integers(0, len(texts) - 1))
    notes = [json.loads(text)["text"] for text in texts]
    notes[at] += "x"
    assert breaks(a_chain(notes), head) == (Break(Breach.HEAD),)


@given(
    st.lists(st.one_of(st.none(), st.integers(), letters, st.lists(st.integers()), st.dictionaries(letters, letters)))
)
def test_whatever_stands_for_an_event_is_looked_at_without_a_fall(values):
    texts = [json.dumps(one) for one in values]
    assert chain_breaks(texts, values, head_of(texts)) or not values


def test_a_signature_holds_for_its_own_head_and_phone_alone():
    phone, head = Phone(), head_of(a_chain(["a"]))
    key, other = read_public_key(phone.public_key), read_public_key(Phone().public_key)
    signature = base64.b64decode(phone.sign(head))
    assert signature_holds(key, head, signature)
    assert not signature_holds(other, head, signature)
    assert not signature_holds(key, START, signature)
    assert not signature_holds(key, head, signature[:-1])
    assert not signature_holds(key, head, bytes(64))


def test_a_signature_is_of_one_visit_of_one_assignment_with_one_ticket():
    key, record = read_public_key((phone := Phone()).public_key), Record(phone, uuid4(), {"signature": "t"}).check_in()
    told = json.loads(record.body())
    signature, whose = base64.b64decode(told["signature"]), (record.id, record.assignment, "t", told["head"])
    assert signature_holds(key, sealed_text(*whose), signature)
    for at, other in enumerate((uuid4(), uuid4(), "u", START)):
        assert not signature_holds(key, sealed_text(*whose[:at], other, *whose[at + 1 :]), signature)


def note(n, at_s, mono_s):
    return json.dumps(
        {"n": n, "kind": "note", "at": 1_790_000_000_000 + at_s * 1000, "mono": mono_s * 1000, "text": "-"}
    )


def odd_times(*clocks: tuple[float, float]) -> list[int]:
    texts = [note(n, round(at), mono) for n, (at, mono) in enumerate(clocks)]
    return list(time_faults(read_events(texts).read))


def test_clocks_that_go_on_or_begin_anew_with_the_page_are_nobodys_fault():
    assert odd_times((0, 10), (60, 70), (300, 310)) == []
    assert odd_times((0, 500), (60, 3)) == []  # the browser was closed while the camera was open
    assert odd_times((0, 10), (3600, 20)) == []  # the phone slept, and its counter with it
    assert odd_times((0, 10), (57, 70)) == []  # the network set the clock back three seconds


def test_a_clock_that_was_set_back_and_events_that_changed_places_show():
    assert odd_times((0, 10), (-100, 70)) == [1]
    assert odd_times((0, 10), (10, 120)) == [1]
    assert odd_times((0, 500), (2, 400)) == [1]  # a page 400 s old cannot have come after that event


@given(
    st.lists(
        st.one_of(
            letters,
            st.binary().map(repr),
            st.just("[" * 5000),
            st.just('{"kind":"photo","at":1e400}'),
            st.just('{"at":1' + "0" * 400 + "}"),
        )
    )
)
def test_no_text_makes_reading_fall(texts):
    found = read_events(texts)
    assert len(found.read) + len(found.faults) == len(texts)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), letters),
    lambda one: st.lists(one, max_size=4),
    max_leaves=8,
)
KINDS = ("check_in", "check_out", "photo", "finding", "checklist", "signature", "note")
MEMBERS = ("fixes", "reason", "sha256", "size", "name", "modified", "nonce", "id", "rule", "points", "description",
           "photos", "form", "answers", "signed_by", "text", "mono", "n", "prev")  # fmt: skip


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_no_member_of_an_event_makes_reading_fall(kind, members):
    found = read_events([json.dumps({"kind": kind, "at": 1_790_000_000_000, "mono": 1} | members)])
    assert len(found.read) + len(found.faults) == 1
