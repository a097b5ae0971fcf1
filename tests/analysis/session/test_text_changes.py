import html
import json
from urllib.parse import quote, quote_plus

import pytest
from turns import make

from sttdoctor.analysis.session.join_spelling import extract_letters, list_words
from sttdoctor.analysis.session.text_changes import _convert_to_digits, list_changes
from sttdoctor.analysis.session.turns import join_expected

TURNS = [
    make("I don\u2019t", "I don\u2019t know, um, where the café is & what it costs."),
    make(" No damn way,", " No damn way, it costs twenty five dollars."),
]
TEXT = join_expected(TURNS)


def mojibake(text, encoding="latin-1"):
    return text.encode().decode(encoding)


def found(got):
    """Causes and clauses of the changes behind which the text comes out of the events."""
    return [
        (one.change.cause, one.change.detail)
        for one in list_changes(got, TURNS)
        if extract_letters(one.got) == extract_letters(join_expected(one.turns))
    ]


@pytest.mark.parametrize(
    ("got", "cause", "says"),
    [
        (html.escape(TEXT), "escaped", "for HTML"),
        (html.escape(html.escape(TEXT)), "escaped", "for HTML twice"),
        (quote(TEXT), "escaped", "for a URL"),
        (quote_plus(TEXT), "escaped", "'+' for each space"),
        (quote(quote(TEXT)), "escaped", "for a URL twice"),
        (json.dumps(TEXT), "escaped", "as a value"),
        (json.dumps(TEXT)[1:-1], "escaped", r"for JSON ('\\u2019')"),
        (json.dumps([turn.end for turn in TURNS]), "escaped", "as a value"),
        (json.dumps({"text": TEXT}), "escaped", "as a value"),
        (json.dumps([{"who": "A", "text": turn.end} for turn in TURNS]), "escaped", "as a value"),
        (str([turn.end for turn in TURNS]), "escaped", "as a value"),
        (f"undefined{TEXT}", "labels-added", "'undefined'"),
        (mojibake(TEXT), "wrong-charset", "Windows-1252"),
        (mojibake(mojibake(TEXT)), "wrong-charset", "Windows-1252 twice"),
        (mojibake(TEXT, "cp850"), "wrong-charset", "code page 850"),
        (mojibake(TEXT, "mac_roman"), "wrong-charset", "Mac Roman"),
        (TEXT.encode("cp1252").decode("utf-8", "replace"), "wrong-charset", "became '\ufffd'"),
        (TEXT.encode("ascii", "replace").decode(), "wrong-charset", "became '?'"),
        (TEXT.encode("ascii", "ignore").decode(), "wrong-charset", "are gone"),
        (TEXT.replace("é", "e").replace("\u2019", "'"), "normalized", "accents"),
        (TEXT.replace("um, ", ""), "normalized", "filler words were left out, such as 'um'"),
        (TEXT.replace("twenty five dollars", "$25"), "normalized", "with digits"),
        (TEXT.replace("damn", "d***"), "normalized", "masked ('d***')"),
        (TEXT.replace("damn", "[redacted]"), "normalized", "masked ('[redacted]')"),
        (f"Speaker 1: {TURNS[0].end}\nSpeaker 2:{TURNS[1].end}", "labels-added", "'Speaker 1:'"),
        (f"You: {TURNS[0].end} You:{TURNS[1].end}", "labels-added", "'You:'"),
        (f"[00:00:01] {TURNS[0].end}\n[00:00:09]{TURNS[1].end}", "labels-added", "'[00:00:01]'"),
        (f"1\n00:00:01,000 --> 00:00:04,000\n{TEXT}\n", "labels-added", "'1'"),
        (f"<p>{TURNS[0].end}</p><p>{TURNS[1].end}</p>", "labels-added", "'<p>'"),
        (f"{TURNS[0].end} [inaudible]{TURNS[1].end}", "labels-added", "'[inaudible]'"),
        (f"\U0001f399 {TEXT}", "labels-added", "\U0001f399"),
    ],
)
def test_a_change_is_taken_back(got, cause, says):
    assert any(one == cause and says in detail for one, detail in found(got)), found(got)


def test_behind_a_text_with_nothing_done_to_it_there_is_nothing():
    assert list(list_changes("Plain words, and no more.", [make("Plain words, and no more.")])) == []


@pytest.mark.parametrize(
    "got", ["[" * 2000, '{"a": ' * 500, "&#x110000;", "%ff%fe", r"\ud800 \u", '"', "\u00c3", "*" * 500]
)
def test_what_only_looks_changed_is_left_alone(got):
    assert found(got) == []


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("twenty five", "25"),
        ("four seven one", "471"),
        ("nineteen ninety five", "1995"),
        ("three hundred and forty two", "342"),
        ("two thousand three hundred", "2300"),
        ("the third of May", "the 3 of May"),
        ("one, two", "12"),
        ("a hundred", "a 100"),
        ("none", "none"),
    ],
)
def test_numbers_in_words_are_those_in_digits(words, digits):
    assert list_words(_convert_to_digits(words)) == list_words(digits)
