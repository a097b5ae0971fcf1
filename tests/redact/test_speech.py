"""Of what people say nothing is redacted, whatever they talk about."""

import json
from itertools import islice, product

from captures import FORMATS

from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows
from sttdoctor.redact import redact_json, redact_tokens

KINDS = (
    *(
        "key",
        "API key",
        "token",
        "access token",
        "secret",
        "password",
        "passphrase",
        "passcode",
        "credential",
        "cookie",
    ),
    *("bearer", "signature", "ticket", "session", "authorization", "sk", "basic plan", "card number", "booking code"),
)
CODES = (
    *("A B C 1 2 3", "QX7-9K2P", "hunter2", "R2-D2", "covid19", "24601", "four four one nine", "7-4-1-1", "B12"),
    *("double u x five", "K9", "3.14159", "555-0134", "AB 12 CD 34", "chocolate", "correct horse battery staple"),
)
FORMS = (
    "My {kind} is {code}.",
    "The {kind} {code} did not work, so I called you.",
    "Is the {kind} {code}, or was it something else?",
    "I lost the {kind}: {code}, I think, or something like it.",
    "So the {kind}, spelled {code}, belongs to my sister.",
    "They asked for a {kind} and I said {code}; then they hung up.",
    "Invalid {kind} {code}, it said on the screen.",
    'It reads "{kind} {code}" on the back of the card.',
)
OTHERS = (
    "The bearer of this note owns bearer bonds worth 10000 dollars.",
    "A ring bearer, 7 years old, walked in at 10:30.",
    "SK Hynix and the SK-II brand are not the same; ask-me-anything 2024 was on the desk-top.",
    "The task-force of 2024-03-01 was a risk-free, disk-based, whisky-fuelled affair.",
    "Basic Instinct2 is a basic information1 of film history.",
    "The low-key answer = the key question; x = 5 and E=mc2.",
    "Write to bob@example.com or call +1 (555) 010-0199, extension 12.",
    "My password is secret: chocolate. The token: a bearer certificate, see page 3.",
    "At 50% off & free shipping, 3 < 4 and 5 > 2, R&D said: \u201cgo\u201d\u2026 and off they went.",
    "Der Schl\u00fcssel, das Passwort und die Parole: alles geheim, na\u00efvet\u00e9 inbegriffen.",
    "The monkey key, the turkey key and the hockey key are keys to 12 keyboards.",
    "Say eyJ, then AKIA, then a s k and a dash; sk_ is no key and neither is sk_car.",
)


def sentences():
    """More than a thousand, each made once."""
    for form, kind, code in product(FORMS, KINDS, CODES):
        yield form.format(kind=kind, code=code)
    yield from OTHERS


def test_in_a_thousand_transcripts_nothing_is_redacted():
    spoken = list(sentences())
    assert len(set(spoken)) > 1000
    assert [text for text in spoken if redact_tokens(text) != text] == []
    events = [{"type": "turn.end", "request_id": "r1", "transcript": text} for text in spoken]
    assert redact_json(events) == events
    words = [
        {"type": "transcript", "text": text, "words": [{"word": word} for word in text.split()]} for text in spoken
    ]
    assert redact_json(words) == words


def test_a_capture_of_such_transcripts_is_converted_as_it_is():
    spoken = list(islice(sentences(), 0, None, 7))
    rows = [{"type": "receive", "t": 4.0, "json": {"type": "turn.end", "transcript": text}} for text in spoken]
    rows.append({"type": "transcript", "text": " ".join(spoken)})
    capture = FORMATS["session"] + "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    kept = [json.loads(row) for row in write_rows(read_capture(capture))][-len(rows) :]
    assert [row.get("text") or row["json"]["transcript"] for row in kept] == [*spoken, " ".join(spoken)]


def test_what_nobody_says_is_redacted_in_speech_too():
    for text in (
        "api_key=abc",
        "Hi. token=abc there",
        'so {"token": "abc"} is it',
        "api_key: abc",
        "x-api-key: a1b2c3",
    ):
        assert "REDACTED" in redact_tokens(text)
