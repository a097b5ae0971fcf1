import pytest
from builders import report, session, status, steady, turn

from sttdoctor.evidence import Frame

TWO = [*turn(0.5, "Hi", "Hi there.", end=2.0), *turn(3.0, " How", " How are you?", end=4.5)]


def judged(text, events=TWO):
    return report(session(steady(5), events=events, transcript=text), "joining").checks[0]


@pytest.mark.parametrize(
    ("text", "cause", "expected"),
    [
        ("Hi there. How are you?", None, "pass"),
        ("HiHi there.Hi there. How How are you? How are you?", "updates-joined", "fail"),
        ("Hi there.  How are you?", "separator-added", "fail"),
        ("Hi there.How are you?", "whitespace-stripped", "fail"),
        ("hi there how are you", "normalized", "fail"),
        (" How are you?", "turns-missing", "fail"),
        ("", "turns-missing", "fail"),
        ("Hi there. How are you? How are you?", "turns-repeated", "fail"),
        ("Hi there. How", "partial-kept", "fail"),
        ("Something else altogether, my dear.", "unrelated", "warn"),
        ("Hi there! How are you now?", "normalized", "fail"),
    ],
)
def test_what_the_application_did(text, cause, expected):
    result = judged(text)
    assert result.status == expected
    assert [f.cause for f in result.findings] == ([f"joining.{cause}"] if cause else [])


def test_one_stripped_turn_is_a_warning():
    result = judged("Hello.", turn(0.5, " Hello.", end=2.0))
    assert [(f.cause, f.status) for f in result.findings] == [("joining.whitespace-stripped", "warn")]


@pytest.mark.parametrize(
    ("text", "cause", "says"),
    [
        ("Hi. Bye.", "whitespace-stripped", "white space at the ends of the text is gone"),
        ("  Hi. Bye. ", "separator-added", "more white space at the ends"),
    ],
)
def test_a_text_that_was_trimmed_as_a_whole_is_a_doubtful_finding(text, cause, says):
    events = [*turn(0.5, " Hi.", end=2.0), *turn(3.0, " Bye.", end=4.5)]
    (finding,) = judged(text, events).findings
    assert (finding.cause, finding.status) == (f"joining.{cause}", "warn")
    assert finding.confidence < 0.8 and says in finding.summary


def test_a_separator_where_the_turns_bring_no_space_is_a_doubtful_finding():
    events = [*turn(0.5, "Hi.", end=2.0), *turn(3.0, "Bye.", end=4.5)]
    (finding,) = judged("Hi. Bye.", events).findings
    assert (finding.cause, finding.status) == ("joining.separator-added", "warn")
    assert finding.confidence < 0.8


@pytest.mark.parametrize(
    ("ends", "text", "cause", "status", "confidence"),
    [
        ((" Hi.", "Bye."), "Hi.Bye.", "whitespace-stripped", "warn", 0.6),
        (("Hi.", " Bye.", " So."), "Hi.Bye.So.", "whitespace-stripped", "fail", 0.97),
        (("Hi.", "Bye."), "hi.bye.", "normalized", "fail", 0.97),
        (("Hi.", "Bye."), "Hi. Bye.", "separator-added", "warn", 0.6),
        (("Hi. ", "Bye."), "Hi.  Bye.", "separator-added", "fail", 0.97),
        (("Hi.", " Bye."), "Hi.  Bye.", "separator-added", "fail", 0.97),
        (("Hi.", " Bye."), "Quite another text.", "unrelated", "warn", 0.8),
    ],
)
def test_what_is_doubtful_is_a_warning(ends, text, cause, status, confidence):
    events = [event for i, end in enumerate(ends) for event in turn(0.5 + i, end, end=1.2 + i)]
    (finding,) = judged(text, events).findings
    assert (finding.cause, finding.status, finding.confidence) == (f"joining.{cause}", status, confidence)


def test_a_text_that_is_nearest_to_a_habit_has_its_cause():
    result = judged("HiHi there.Hi there. How How are you? How are they?")
    assert [f.cause for f in result.findings] == ["joining.updates-joined"]


def test_without_the_application_text_both_joins_are_shown():
    result = judged(None)
    assert result.status == "unknown"
    assert "'Hi there. How are you?'" in result.answer
    assert result.measurements["updates_joined"].startswith("HiHi there.Hi there.")
    assert "HiHi" not in result.answer


@pytest.mark.parametrize("lacks", ["receive", "text"])
def test_a_capture_without_texts_is_unknown(lacks):
    assert status(session(steady(5), events=TWO, transcript="x", lacks=frozenset({lacks})), "joining") == "unknown"


def test_an_elided_text_is_unknown():
    subject = session(steady(5), events=TWO, transcript="Hi there.")
    cut = Frame(99, 5.0, False, 9, message={"type": "turn.end", "transcript": "Hi th...re."}, elided=True)
    assert (
        status(type(subject)((*subject.events, cut), url=subject.url, transcript=subject.transcript), "joining")
        == "unknown"
    )


def test_nothing_to_join():
    assert judged("", []).status == "pass"


def test_text_without_any_turn_is_unrelated():
    assert [f.cause for f in judged("Hello.", []).findings] == ["joining.unrelated"]


def test_the_differences_are_shown():
    (finding,) = judged("Hi there. How were you?").findings
    assert any("'are'" in e.note and "'were'" in e.note for e in finding.evidence)


MANUAL = "wss://api.cartesia.ai/stt/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"


def finals(*texts):
    """Events of the manual endpoint; a text in brackets is not final."""
    made = [{"type": "transcript", "text": t.strip("[]"), "is_final": "[" not in t, "request_id": "r"} for t in texts]
    return tuple(Frame(50 + i, 1.0 + i / 10, False, 9, message=message) for i, message in enumerate(made))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Hello there.", None),
        ("Hel lo there.", "separator-added"),
        ("Hellothere.", "whitespace-stripped"),
        ("Hello the there.", "updates-joined"),
    ],
)
def test_on_the_manual_endpoint_finals_are_pieces(text, cause):
    subject = session(steady(5), transcript=text, url=MANUAL)
    events = (*subject.events, *finals("Hel", "lo", "[ the]", " there."))
    result = report(type(subject)(events, url=MANUAL, transcript=subject.transcript), "joining").checks[0]
    assert [f.cause for f in result.findings] == ([f"joining.{cause}"] if cause else [])
    assert all("is_final" in f.fix for f in result.findings)


def test_a_very_long_text_gets_an_answer():
    assert judged("word " * 100_000).status == "warn"


def test_of_a_long_text_the_beginning_is_quoted():
    result = judged(None, [(0.5, "turn.start", None), (2.0, "turn.end", "a" * 301)])
    assert result.answer.endswith(f"It should be: '{'a' * 297}...'")
    result = judged(None, [(0.5, "turn.start", None), (2.0, "turn.end", "a" * 300)])
    assert result.answer.endswith(f"It should be: '{'a' * 300}'")


def test_where_the_updates_give_the_same_text_it_is_told_once():
    result = judged(None, [*turn(0.5, "Hi."), (2.0, "turn.end", "")])
    assert (result.status, result.measurements["updates_joined"]) == ("unknown", "Hi.")
    assert "hold no final text" in result.answer
    result = judged(None, [(0.5, "turn.start", None)])
    assert (result.status, result.measurements["updates_joined"]) == ("unknown", None)


def test_a_habit_that_alone_gives_the_text_is_sure():
    sure = judged("Hi there. How are you? How are you?").findings[0]
    assert sure.confidence == 0.97 and "it would be the same when" not in sure.summary


def test_a_nearest_habit_is_the_less_sure_the_less_alike():
    result = judged("Hi there! How are you now?")
    (finding,) = result.findings
    assert finding.confidence == round(0.8 * result.measurements["similarity"], 2)


@pytest.mark.parametrize("count", [300, 3000])
def test_words_that_stand_often_are_compared_too(count):
    events = turn(0.5, "the cat " * count + "sat.", end=2.0)
    (finding,) = judged("the cat " * count + "sit.", events).findings
    assert [e.note for e in finding.evidence[1:]] == ["should be 'sat.', is 'sit.'"]


def test_a_text_that_two_habits_give_is_less_sure():
    events = [(0.5, "turn.start", None), (0.8, "turn.eager_end", "Well yes."), (2.0, "turn.end", "Well yes.")]
    (finding,) = judged("Well yes.Well yes.", events).findings
    assert "With these events it would be the same when" in finding.summary
    assert finding.confidence == 0.65


@pytest.mark.parametrize(("wrong", "expected"), [(2, "fail"), (4, "warn")])
def test_a_text_less_than_80_percent_alike_is_a_warning(wrong, expected):
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    events = turn(0.5, " ".join(words), end=2.0)
    got = " ".join(["xxxxx"] * wrong + words[wrong:])
    result = judged(got, events)
    assert (result.findings[0].cause, result.status) == ("joining.normalized", expected)
    assert (result.measurements["similarity"] >= 0.8) == (expected == "fail")


def test_two_changes_far_apart_in_words_that_stand_often_are_two():
    right = "sat " + "the cat " * 300 + "on."
    (finding,) = judged(right.replace("sat", "sit").replace("on.", "in."), turn(0.5, right, end=2.0)).findings
    assert [e.note for e in finding.evidence[1:]] == ["should be 'sat', is 'sit'", "should be 'on.', is 'in.'"]
