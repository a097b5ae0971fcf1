import sys

import pytest
from builders import URL, causes, drained, report, status

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
    assert causes(drained(transcript=GERMAN), "language") == {"language.not-english": "fail"}
    assert status(drained(transcript=ENGLISH), "language") == "unknown"
    assert status(drained(transcript="Bonjour tout le monde"), "language") == "unknown"


def test_without_the_extra_it_is_unknown(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    language._identifier.cache_clear()
    result = report(drained(transcript=GERMAN), "language").checks[0]
    language._identifier.cache_clear()
    assert (result.status, result.crashed) == ("unknown", False)


def test_the_manual_endpoint_takes_other_languages():
    assert status(drained(url="wss://x/stt/websocket?language=de"), "language") == "not_applicable"
