"""Are you using a supported language?

The model of the turns endpoint is English only and reads any speech as English, so neither the events nor the bytes
show another language. What can show it: a `language` parameter, key terms, and the application's text when that is
in another script or, with the extra `sttdoctor[language]`, in another language.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.turns import join_expected
from sttdoctor.checks.base import (
    TROUBLESHOOTING,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    answer,
    not_applicable,
    pick_worst,
    unknown,
)

_ANOTHER_ENDPOINT = "For other languages use /stt/websocket with model=ink-whisper and language=CODE."

CHECK = Check(
    id="language",
    order=140,
    question="Are you using a supported language?",
    kinds=("session",),
    needs="a language parameter, key terms, or the application's text",
    why="The turns endpoint is English only. It reads other languages as English and gives fluent nonsense.",
    how="A language parameter other than English, or a text in another script, is proof; with the extra "
    "sttdoctor[language] the language of the application's text is identified. Otherwise only the user can tell.",
    causes=(
        Cause(
            "language.not-english",
            "fail",
            "The speech is not English.",
            _ANOTHER_ENDPOINT,
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=lambda facts: _judge(facts),
)

_ENOUGH_LETTERS = 20
_ENOUGH_WORDS = 8
_ENGLISH = frozenset(["the", "and", "that", "you", "this", "with", "have", "what", "they"])
_COMMON = _ENGLISH | {
    *(
        "a",
        "i",
        "it",
        "he",
        "she",
        "we",
        "him",
        "her",
        "my",
        "your",
        "our",
        "their",
        "there",
        "then",
        "is",
        "are",
        "was",
    ),
    *(
        "were",
        "be",
        "been",
        "do",
        "did",
        "can",
        "will",
        "would",
        "could",
        "should",
        "to",
        "of",
        "in",
        "on",
        "at",
        "for",
    ),
    *("from", "by", "or", "but", "not", "so", "if", "all", "as", "when", "who", "how", "like", "just", "please", "yes"),
}
_LOOKED_AT = 20_000
"""Characters: what comes after half an hour of speech is hardly in another language."""
_OF_ENDS = 2_000
"""Characters: enough to see whether the service itself writes another language."""
_LEAST_COMMON = 0.2
"""Share of such words below which one asks whether a text is English, which has twice as many."""
_PLAIN_ENGLISH = 0.1
"""Share of words that are frequent in English and that hardly any other language has, from which on a text is English:
the identifier's model takes longer to unpack than a short session takes in all."""


def _judge(facts: Facts) -> Answer:
    if facts.endpoint is not None and facts.endpoint.takes_language:
        return not_applicable("The manual endpoint takes other languages with ink-whisper; say which by language=.")
    findings = [*_judge_parameter(facts), *_find_script(facts), *_identify(facts)]
    if findings:
        best = pick_worst(findings)
        return answer(best.summary, [best], {})
    language = facts.address.first("language") if facts.address else None
    if language:
        return answer(f"The client asks for language={language[:20]!r}, which is English.", [], {})
    doubtful = any(_is_doubtful(text) for text in _judge_texts(facts))
    told = "The service reads any speech as English, so the capture cannot tell which language was spoken."
    told += " The text does not read like English: do the users speak it?" if doubtful else ""
    return replace(unknown(missing.Missing("the language spoken", told)), quiet=not doubtful)


def _judge_parameter(facts: Facts) -> Iterator[Finding]:
    for key in ("language", "language_code", "lang"):
        value = facts.address.first(key) if facts.address else None
        if value and not value.strip().lower().startswith(("en", "auto", "multi")):
            yield CHECK.find(
                "not-english", "fail", 0.95, f"The URL asks for {key}={value[:20]!r}; the endpoint is English only."
            )


def _collect_texts(facts: Facts) -> Iterator[tuple[str, str, int | None]]:
    """(what it is, text, line) of every text that people wrote or the application ended up with."""
    if facts.session is not None and facts.session.transcript is not None:
        yield "the application's text", facts.session.transcript.text[:_LOOKED_AT], facts.session.transcript.line
    terms = facts.address.values("keyterm") if facts.address else []
    if terms:
        yield "the key terms", " ".join(terms)[:_LOOKED_AT], None


def _judge_texts(facts: Facts) -> Iterator[str]:
    """What the application ended up with, and the final texts of the events."""
    if facts.session is not None and facts.session.transcript is not None:
        yield facts.session.transcript.text
    if not any(turn.elided for turn in facts.turns):
        yield "".join(turn.end or "" for turn in facts.turns)


def _is_doubtful(text: str) -> bool:
    words = _split_words(text[:_LOOKED_AT])
    return len(words) >= _ENOUGH_WORDS and sum(word in _COMMON for word in words) < _LEAST_COMMON * len(words)


def _split_words(text: str) -> list[str]:
    return [word.strip(".,;:!?\"'").lower() for word in text.split()]


def _find_script(facts: Facts) -> Iterator[Finding]:
    if _find_foreign(_join_ends(facts)):
        return  # the service itself wrote it: it reads that language
    for what, text, line in _collect_texts(facts):
        foreign = _find_foreign(text, 1 if what == "the key terms" else _ENOUGH_LETTERS)
        if foreign:
            script = unicodedata.name(foreign[0], "another").split()[0].capitalize()
            stands = "stand" if what == "the key terms" else "stands"
            summary = f"{what[0].upper()}{what[1:]} {stands} in {script} script; the endpoint is English only."
            sure, fix = (0.9, None) if what == "the key terms" else _weigh_text(facts)
            yield CHECK.find("not-english", "fail", sure, summary, (Evidence(what, line),), fix)


def _find_foreign(text: str, least: int = 1) -> str:
    """The letters of other scripts, where a text has as many letters as that and most of them are such ones."""
    letters = [char for char in text if char.isalpha()]
    foreign = [char for char in letters if not unicodedata.name(char, "").startswith("LATIN")]
    return "".join(foreign) if len(letters) >= least and len(foreign) > 0.5 * len(letters) else ""


def _join_ends(facts: Facts) -> str:
    return join_expected(facts.turns)[:_OF_ENDS]


def _identify(facts: Facts) -> Iterator[Finding]:
    """Name the language of a text by py3langid, where the extra is installed."""
    for what, text, line in _collect_texts(facts):
        words = _split_words(text)
        if what == "the key terms" or len(words) < _ENOUGH_WORDS or _is_plainly_english(words):
            continue
        identifier = _load_identifier()
        if identifier is None:
            return
        language, probability = identifier.classify(text)
        if language != "en" and probability > 0.95 and identifier.classify(_join_ends(facts))[0] != language:
            summary = f"{what[0].upper()}{what[1:]} is not English ({language}); the endpoint is English only."
            sure, fix = _weigh_text(facts)
            yield CHECK.find("not-english", "fail", sure, summary, (Evidence(what, line),), fix)


def _weigh_text(facts: Facts) -> tuple[float, str | None]:
    """How sure a text in another language makes, and what to do: with English events, it may be a translation."""
    if not _split_words(_join_ends(facts)):
        return 0.9, None
    return 0.75, f"{_ANOTHER_ENDPOINT} If the application translates what was said, nothing is wrong."


def _is_plainly_english(words: Sequence[str]) -> bool:
    return sum(word in _ENGLISH for word in words) >= _PLAIN_ENGLISH * len(words)


@lru_cache(maxsize=1)
def _load_identifier() -> Any:
    """The identifier of py3langid, None without the extra; unpacking its model takes a third of a second."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
