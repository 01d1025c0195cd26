"""The sealed ballot as pure rules: envelopes of one size, boxes that only the key opens, files, roots, the count."""

import json
import secrets
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.ballot import files, keys, rehearsal
from survey_forms.ballot.counting import count_boxes
from survey_forms.ballot.envelope import STEP, About, Envelope, pack, pad, size_for, unpack, unpad, written
from survey_forms.ballot.roots import Box, box_root, counts_of
from survey_forms.ballot.seal import OVERHEAD, open_box, public_key_of, seal
from survey_forms.ballot.shuffle import shuffled
from survey_forms.ballot.split import join_key, split_key
from survey_forms.refusal import Refused
from survey_forms.sampling.traits import LONGEST_CELL
from survey_forms.transparency import canonical_json

PRIVATE = bytes(range(32))
PUBLIC = public_key_of(PRIVATE)
FORM = "a" * 64
SIZE = 512
NAMES = ("评议办", "人大常委会", "审计局")

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
answers = st.dictionaries(words, words | st.integers() | st.lists(words, max_size=3), max_size=4)


def a_box(stratum="north", given=None, survey_id=7, about=None):
    plain = pack(Envelope(FORM, {"q": "good"} if given is None else given, about or About(stratum)))
    return Box(stratum, seal(PUBLIC, survey_id, stratum, plain, SIZE, secrets.token_bytes(32)))


def an_export(boxes, survey_id=7):
    counts = counts_of(box.stratum for box in boxes)
    return files.Export(files.Closing(survey_id, PUBLIC.hex(), counts, "0" * 64, box_root(boxes).hex()), tuple(boxes))


def refusals(act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return [fault.code for fault in refused.value.faults]


class TestEnvelopes:
    @given(answers)
    def test_what_was_packed_is_unpacked(self, given_answers):
        envelope = Envelope(FORM, given_answers, About("age=18-34", "phone", 7))
        assert unpack(pack(envelope)) == envelope

    @given(st.binary(max_size=300), st.integers(0, 400))
    def test_padding_hides_the_length_and_gives_the_text_back(self, plain, room):
        size = len(plain) + 4 + room
        assert len(pad(plain, size)) == size
        assert unpad(pad(plain, size)) == plain

    @given(st.integers(2, 5000))
    def test_the_longest_answers_just_fit(self, largest):
        longest_about = About("c" * LONGEST_CELL, "simulated", 2**31 - 1)
        longest = pack(Envelope(FORM, {"q": "x" * max(0, largest - len('{"q":""}'))}, longest_about))
        size = size_for(largest)
        assert size % STEP == 0
        assert len(pad(longest, size)) == size

    def test_what_does_not_fit_is_an_error_and_never_cut(self):
        assert refusals(pad, b"x" * 29, 32) == ["answer_outgrew_box"]

    @pytest.mark.parametrize(
        "padded", [b"", b"\0\0\0\5abcd", b"\xff\xff\xff\xffabcd", b"\0\0\0\1ab", b"\0\0\0\1a\0\0\1"]
    )
    def test_impossible_padding_is_spoiled(self, padded):
        assert refusals(unpad, padded) == ["box_spoiled"]

    @pytest.mark.parametrize(
        "plain",
        [
            *(b"", b"{", b"[]", b"7", b'{"answers":{}}', b'{"answers":[],"form_version":"a"}', b"[" * 100_000, b"\xff"),
            b'{"answers":{},"form_version":"a","name":"x"}',
        ],
    )
    def test_what_is_no_envelope_is_spoiled(self, plain):
        assert refusals(unpack, plain) == ["box_spoiled"]

    @pytest.mark.parametrize(
        "wrong",
        [
            *({"form_version": 1}, {"answers": []}, {"wcell": None}, {"mode": "fax"}, {"mode": []}),
            *({"interviewer": "7"}, {"interviewer": True}, {"name": "x"}),
        ],
    )
    def test_an_envelope_with_one_wrong_part_is_spoiled(self, wrong):
        good = written(Envelope(FORM, {"q": "good"}, About("north")))
        assert unpack(canonical_json(good)).about.mode == "web"
        assert refusals(unpack, canonical_json(good | wrong)) == ["box_spoiled"]


class TestSealing:
    @settings(deadline=None)
    @given(st.binary(max_size=SIZE - 4), st.integers(0, 2**31), words, st.binary(min_size=32, max_size=32))
    def test_only_the_key_opens_and_every_box_is_as_long(self, plain, survey_id, stratum, ephemeral):
        sealed = seal(PUBLIC, survey_id, stratum, plain, SIZE, ephemeral)
        assert len(sealed) == SIZE + OVERHEAD
        assert open_box(PRIVATE, survey_id, stratum, sealed) == plain
        assert refusals(open_box, bytes(32), survey_id, stratum, sealed) == ["box_spoiled"]
        assert refusals(open_box, PRIVATE, survey_id + 1, stratum, sealed) == ["box_spoiled"]
        assert refusals(open_box, PRIVATE, survey_id, stratum + "x", sealed) == ["box_spoiled"]

    def test_any_changed_byte_spoils_the_box(self):
        sealed = seal(PUBLIC, 1, "north", b"good", 64, b"e" * 32)
        for at in range(len(sealed)):
            # the highest bit of an X25519 public key is ignored by its definition, yet it is in the derivation
            changed = sealed[:at] + bytes([sealed[at] ^ 0x80]) + sealed[at + 1 :]
            assert refusals(open_box, PRIVATE, 1, "north", changed) == ["box_spoiled"]
            assert refusals(open_box, PRIVATE, 1, "north", sealed[:at]) == ["box_spoiled"]

    def test_survey_and_stratum_cannot_be_shifted_into_each_other(self):
        sealed = seal(PUBLIC, 1, "23", b"good", 64, b"e" * 32)
        assert refusals(open_box, PRIVATE, 12, "3", sealed) == ["box_spoiled"]

    def test_the_same_answer_sealed_twice_shares_no_bytes_worth_naming(self):
        one, other = a_box().sealed, a_box().sealed
        assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) / 20

    @pytest.mark.parametrize("key", [bytes(32), b"\1" + bytes(31), b"short"])
    def test_a_key_that_agrees_on_nothing_secret_is_refused(self, key):
        assert refusals(seal, key, 1, "north", b"x", 64, b"e" * 32) == ["campaign_key_unfit"]


class TestShares:
    def test_any_two_sheets_give_the_key_and_one_alone_does_not(self):
        shares = split_key(PRIVATE)
        for left, right in ((0, 1), (1, 2), (2, 0)):
            assert join_key((shares[left], shares[right])) == PRIVATE
        assert refusals(join_key, [shares[0]]) == ["shares_do_not_fit"]
        assert refusals(join_key, [shares[0], shares[0]]) == ["shares_do_not_fit"]

    def test_shares_of_two_keys_and_a_wrong_word_are_refused(self):
        ours, others = split_key(PRIVATE), split_key(secrets.token_bytes(32))
        assert refusals(join_key, [ours[0], others[1]]) == ["shares_do_not_fit"]
        first, *rest = ours[1].split()
        wrong = " ".join([first, *reversed(rest)])
        assert refusals(join_key, [ours[0], wrong]) == ["shares_do_not_fit"]

    def test_a_sheet_is_read_back_as_it_was_printed_and_typed_again_by_hand(self):
        key, shares = keys.new_key(PRIVATE, NAMES)
        assert [keys.read_share(keys.write_share(share)) for share in shares] == list(shares)
        typed = keys.read_share("  " + shares[0].words.upper().replace(" ", "\n") + "\n")
        assert keys.join_shares([typed, shares[2]], key.public_key) == PRIVATE
        assert PRIVATE.hex() not in keys.write_share(shares[0]) + keys.write_public(key).decode()

    def test_shares_of_another_key_are_told_from_wrong_ones(self):
        _, others = keys.new_key(secrets.token_bytes(32), NAMES)
        assert refusals(keys.join_shares, others[:2], PUBLIC) == ["shares_of_another_key"]

    def test_the_public_file_is_read_back(self):
        key, _ = keys.new_key(PRIVATE, NAMES)
        assert keys.read_public(keys.write_public(key)) == key

    @pytest.mark.parametrize(
        "names", [("a", "b"), ("a", "b", "b"), ("a", "b", " "), ("a", "b", "c" * 41), ("a", "b", "c\0")]
    )
    def test_three_different_custodians_are_wanted(self, names):
        assert refusals(keys.new_key, PRIVATE, names) == ["custodians_unfit"]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"public_key": "00" * 32}, "campaign_key_unfit"),
            ({"public_key": "0011"}, "campaign_key_unfit"),
            ({"public_key": 7}, "not_a_key_file"),
            ({"file": "something else"}, "not_a_key_file"),
            ({"threshold": 1}, "not_a_key_file"),
            ({"custodians": ["a"]}, "custodians_unfit"),
        ],
    )
    def test_a_file_that_is_no_campaign_key_is_refused(self, changes, code):
        key, _ = keys.new_key(PRIVATE, NAMES)
        changed = json.loads(keys.write_public(key)) | changes
        assert refusals(keys.read_public, json.dumps(changed).encode()) == [code]
        assert refusals(keys.read_public, b"{") == ["not_a_key_file"]


class TestRehearsing:
    def test_the_words_come_out_with_the_right_shares_only(self):
        said = ("one", "two", "three")
        tests = rehearsal.seal_tests(PUBLIC, 7, said, [secrets.token_bytes(32) for _ in said])
        assert rehearsal.open_tests(PRIVATE, rehearsal.read_tests(rehearsal.write_tests(tests))) == said
        assert refusals(rehearsal.open_tests, bytes(32), tests) == ["shares_of_another_key"]
        assert rehearsal.read_proof(rehearsal.write_proof(7, said)) == (7, said)

    @pytest.mark.parametrize(
        "content", [b"", b"{}", b"[]", b'{"file":"x","survey_id":1,"words":[],"public_key":"","boxes":[]}']
    )
    def test_other_files_are_refused(self, content):
        assert refusals(rehearsal.read_tests, content) == ["not_a_rehearsal_file"]
        assert refusals(rehearsal.read_proof, content) == ["not_a_rehearsal_file"]


class TestShuffling:
    def test_every_order_comes_about_as_often(self):
        chance = Random(7)
        seen = Counter(tuple(shuffled("abc", chance.randrange)) for _ in range(6000))
        assert len(seen) == 6
        assert all(850 < n < 1150 for n in seen.values())

    @given(st.lists(st.integers(), max_size=30), st.randoms())
    def test_nothing_is_lost_and_nothing_added(self, things, chance):
        assert sorted(shuffled(things, chance.randrange)) == sorted(things)


class TestCounting:
    def test_the_files_bring_every_answer_home(self):
        boxes = [a_box(stratum, {"q": str(at)}) for stratum in ("north", "south") for at in range(5)]
        export = an_export(boxes)
        lines = list(files.write_boxes(export.closing, boxes))
        read = files.read_boxes(lines)
        assert read.closing == export.closing
        result = count_boxes(read, PRIVATE, secrets.randbelow)
        again = files.read_answers_file(list(files.write_answers(result)))
        assert again == result
        assert sorted((one.stratum, one.envelope.answers["q"]) for one in again.answers) == [
            (stratum, str(at)) for stratum in ("north", "south") for at in range(5)
        ]

    def test_the_export_lies_in_the_order_of_the_boxes_own_bytes(self):
        boxes = [a_box(given={"q": str(at)}) for at in range(40)]
        export = an_export(boxes)
        assert list(files.write_boxes(export.closing, boxes)) == list(
            files.write_boxes(export.closing, reversed(boxes))
        )

    def test_two_counts_agree_on_the_digest_but_not_on_the_order(self):
        export = an_export([a_box(given={"q": str(at)}) for at in range(40)])
        one, other = (count_boxes(export, PRIVATE, secrets.randbelow) for _ in range(2))
        assert one.digest == other.digest
        assert one.answers != other.answers

    def test_a_spoiled_box_is_reported_and_stops_no_other(self):
        moved = replace(a_box("north"), stratum="south")
        empty = Box("north", seal(PUBLIC, 7, "north", b"no envelope", SIZE, b"e" * 32))
        result = count_boxes(an_export([a_box(), a_box(), moved, empty]), PRIVATE, secrets.randbelow)
        assert (len(result.answers), result.spoiled) == (2, {"north": 1, "south": 1})

    def test_boxes_that_are_not_those_published_are_refused(self):
        boxes = [a_box(), a_box(), a_box("south")]
        export = an_export(boxes)
        count = lambda changed: refusals(count_boxes, changed, PRIVATE, secrets.randbelow)  # noqa: E731
        assert count(replace(export, boxes=export.boxes[1:])) == ["export_count_differs", "export_root_differs"]
        assert count(replace(export, boxes=(a_box(), *export.boxes[1:]))) == ["export_root_differs"]
        assert count(replace(export, boxes=(boxes[1], *boxes[1:]))) == ["box_twice", "export_root_differs"]
        swapped = (replace(boxes[0], stratum="south"), boxes[1], replace(boxes[2], stratum="north"))
        assert count(replace(export, boxes=swapped)) == ["export_root_differs"]
        stuffed = [*boxes, boxes[0]]
        assert count(an_export(stuffed)) == ["box_twice"]

    def test_the_key_must_be_the_campaigns(self):
        export = an_export([a_box()])
        assert refusals(count_boxes, export, bytes(32), secrets.randbelow) == ["shares_of_another_key"]

    def test_no_boxes_are_a_count_too(self):
        result = count_boxes(an_export([]), PRIVATE, secrets.randbelow)
        assert files.read_answers_file(list(files.write_answers(result))) == result

    def test_a_changed_answer_is_noticed(self):
        result = count_boxes(an_export([a_box(), a_box()]), PRIVATE, secrets.randbelow)
        lines = list(files.write_answers(result))
        assert refusals(files.read_answers_file, [lines[0], lines[1], lines[2].replace(b"good", b"poor")]) == [
            "answers_changed"
        ]
        assert refusals(files.read_answers_file, lines[:-1]) == ["answers_changed"]

    @pytest.mark.parametrize("lines", [[], [b"{"], [b"[]"], [b"{}"], [b"7"], [b'{"file":"x"}']])
    def test_other_files_are_refused(self, lines):
        assert refusals(files.read_boxes, lines) == ["not_a_boxes_file"]
        assert refusals(files.read_answers_file, lines) == ["not_an_answers_file"]

    @pytest.mark.parametrize(
        "line", [b"{", b"[]", b"{}", b'{"stratum":1}', b'{"stratum":"n","sealed":"*"}', b"[" * 10**5]
    )
    def test_a_line_that_cannot_be_read_is_named_by_its_number(self, line):
        export = an_export([a_box()])
        head = next(files.write_boxes(export.closing, []))
        with pytest.raises(Refused) as refused:
            files.read_boxes([head, line])
        assert (refused.value.code, refused.value.faults[0].path) == ("line_unreadable", "2")
        head = next(files.write_answers(count_boxes(export, PRIVATE, secrets.randbelow)))
        assert refusals(files.read_answers_file, [head, line]) == ["line_unreadable"]
