import sys

import pytest
from builders import URL, causes, drained, report, session, status, steady, turn

from sttdoctor.checks import language

GERMAN = "Ich hätte gerne einen Termin am Dienstag um zehn Uhr bitte, wenn das geht."
ENGLISH = "I would like an appointment on Tuesday at ten please, if that is possible."


@pytest.mark.parametrize(
    ("query", "expected"),
    [("language=de", "fail"), ("language_code=ja", "fail"), ("language=en-US", "pass"), ("x=1", "unknown")],
)
def test_a_language_parameter(query, expected):
    assert status(drained(url=f"{URL}&{query}"), "language") == expected


@pytest.mark.parametrize(
    "text", ["Это обычный текст на русском языке.", "これは日本語の文章です。とても普通の文章です。"]
)
def test_a_text_in_another_script(text):
    assert causes(drained(transcript=text), "language") == {"language.not-english": "fail"}


def test_key_terms_in_another_script():
    assert causes(drained(url=URL + "&keyterm=%E6%9D%B1%E4%BA%AC"), "language") == {"language.not-english": "fail"}


def test_a_text_in_another_language_is_identified_with_the_extra():
    pytest.importorskip("py3langid")
    (finding,) = report(drained(transcript=GERMAN), "language").checks[0].findings
    assert finding.summary == "The application's text is not English (de); the endpoint is English only."
    assert (finding.status, finding.confidence) == ("fail", 0.75)
    assert status(drained(transcript=ENGLISH), "language") == "unknown"
    assert status(drained(transcript="Bonjour tout le monde"), "language") == "unknown"
    words = "hotel taxi restaurant bar pizza telefon radio park okay"  # of many languages
    assert status(drained(transcript=words), "language") == "unknown"


def test_without_the_extra_it_is_unknown(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    language._load_identifier.cache_clear()
    result = report(drained(transcript=GERMAN), "language").checks[0]
    language._load_identifier.cache_clear()
    assert (result.status, result.crashed) == ("unknown", False)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (GERMAN, True),
        ("Es un texto normal en español que habla de una cita para el martes.", True),
        (ENGLISH, False),
        ("Mm, then do him a ship, or so there. And a mole.", False),
        ("Buenos días", False),
    ],
)
def test_the_question_is_asked_aloud_only_where_a_text_does_not_read_like_english(monkeypatch, text, asked):
    monkeypatch.setattr(language, "_load_identifier", lambda: None)
    result = report(drained(transcript=text), "language").checks[0]
    assert (result.status, result.quiet) == ("unknown", not asked)
    assert ("do the users speak it?" in result.answer) == asked


def test_the_manual_endpoint_takes_other_languages():
    assert status(drained(url="wss://x/stt/websocket?language=de"), "language") == "not_applicable"


def test_which_language_is_asked_for():
    (finding,) = report(drained(url=f"{URL}&lang={'d' * 21}"), "language").checks[0].findings
    assert finding.summary == f"The URL asks for lang={'d' * 20!r}; the endpoint is English only."
    assert (finding.status, finding.confidence) == ("fail", 0.95)
    answer = report(drained(url=URL + "&language=en-" + "x" * 20), "language").checks[0].answer
    assert answer == f"The client asks for language='en-{'x' * 17}', which is English."


@pytest.mark.parametrize("value", ["EN", " en", "auto", "multi", ""])
def test_english_and_no_language_at_all_are_right(value):
    assert causes(drained(url=f"{URL}&language_code={value}"), "language") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ж" * 19, {}),
        ("ж" * 20, {"language.not-english": "fail"}),
        ("ж" * 20 + "a" * 20, {}),
        ("ж" * 21 + "a" * 20, {"language.not-english": "fail"}),
        ("1" * 50, {}),
    ],
)
def test_more_than_half_of_twenty_letters_are_of_another_script(text, expected):
    assert causes(drained(transcript=text), "language") == expected


def test_the_script_is_named_with_its_place():
    subject = drained(transcript="ж" * 30)
    (finding,) = report(subject, "language").checks[0].findings
    assert finding.summary == "The application's text stands in Cyrillic script; the endpoint is English only."
    assert (finding.confidence, finding.evidence[0].line) == (0.75, subject.transcript.line)
    assert "translates" in finding.fix
    (finding,) = report(drained(url=URL + "&keyterm=%E6%9D%B1"), "language").checks[0].findings
    assert finding.summary == "The key terms stand in Cjk script; the endpoint is English only."


def test_plain_english_needs_no_identifier(monkeypatch):
    asked = []
    monkeypatch.setattr(language, "_load_identifier", lambda: asked.append(1))
    plain = "This is the train that you have to take, and they say it leaves with a delay."
    for text, calls in [(plain, 0), (GERMAN, 1)]:
        assert status(drained(transcript=text), "language") == "unknown"
        assert len(asked) == calls


@pytest.mark.parametrize("text", ["これは日本語の文章です。とても普通の文章です。", GERMAN])
def test_a_language_that_the_service_itself_writes_is_one_that_it_reads(text):
    pytest.importorskip("py3langid")
    subject = session(steady(8), events=turn(1.0, text, end=8.2), command=8.0, transcript=text)
    assert causes(subject, "language") == {}
