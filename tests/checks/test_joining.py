import html
import json
from dataclasses import replace

import pytest
from builders import report, session, status, steady, turn
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session import join_search
from sttdoctor.analysis.session.join_spelling import extract_letters
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
        ("Hi there . How are you ?", "normalized", "fail"),
        ("Hi  there.  How  are  you?", "normalized", "fail"),
        ("Hi th\nere. How are y\nou?", "normalized", "fail"),
        (" ".join("Hi there. How are you?"), "separator-added", "fail"),
        ("\0".join("Hi there. How are you?"), "wrong-charset", "fail"),
        ("Hi there.How are you?", "whitespace-stripped", "fail"),
        ("hi there how are you", "normalized", "fail"),
        (" How are you?", "turns-missing", "fail"),
        ("", "turns-missing", "fail"),
        ("Hi there. How are you? How are you?", "turns-repeated", "fail"),
        (" ".join(["Hi there. How are you?"] * 4), "turns-repeated", "fail"),
        ("Hi there.Hi there.Hi there. How are you? How are you? How are you?", "turns-repeated", "fail"),
        ("Hi there. How", "partial-kept", "fail"),
        ("Something else altogether, my dear.", "unrelated", "warn"),
        ("Hi there! How are you now?", "normalized", "warn"),
    ],
)
def test_what_the_application_did(text, cause, expected):
    result = judged(text)
    assert result.status == expected
    assert [f.cause for f in result.findings] == ([f"joining.{cause}"] if cause else [])


def test_one_stripped_turn_is_a_warning():
    result = judged("Hello.", turn(0.5, " Hello.", end=2.0))
    assert [(f.cause, f.status) for f in result.findings] == [("joining.whitespace-stripped", "warn")]


@pytest.mark.parametrize("text", ["Hi. Bye.", "  Hi. Bye. ", " Hi. Bye.\n "])
def test_white_space_at_the_two_ends_of_several_turns_is_layout(text):
    events = [*turn(0.5, " Hi.", end=2.0), *turn(3.0, " Bye.", end=4.5)]
    assert judged(text, events).status == "pass"


LATER = [*turn(0.5, " How", " How are you today?", end=2.0), *turn(3.0, " I", " I am fine, thank you.", end=4.5)]


def joined_of(text, begins=True, ends=True, events=LATER):
    whole = session(steady(5), events=events, close=(5.5, "server", 1000), transcript=text)
    kept = whole.events[None if begins else 1 : None if ends else -1]
    return report(replace(whole, events=kept), "joining").checks[0]


@pytest.mark.parametrize(
    ("text", "shown", "expected", "cause"),
    [
        ("Hi there. How are you today? I am fine, thank you.", {"begins": False}, "unknown", None),
        ("Hi there. How are you today? I am fine, thank you.", {}, "warn", "text-added"),
        ("Hi there.  How are you today?  I am fine, thank you.", {"begins": False}, "fail", "separator-added"),
        ("Hi there.How are you today?I am fine, thank you.", {"begins": False}, "fail", "whitespace-stripped"),
        ("Hi. How How are you today? I I am fine, thank you.", {"begins": False}, "unknown", None),
        ("Hi. How How are you today? How are you today? I I am fine, thank you. I am fine, thank you.",
         {"begins": False}, "fail", "updates-joined"),
        (" How are you today? How are you today? I am fine, thank you.", {"begins": False}, "unknown", None),
        (" How are you today? How are you today? I am fine, thank you.", {}, "fail", "updates-joined"),
        (" How are you today? I am fine, thank you. And you?", {"ends": False}, "unknown", None),
        ("Hi. How are you today? I am fine, thank you. And you?", {"begins": False, "ends": False}, "unknown", None),
        (" How are you today?", {"begins": False}, "fail", "turns-missing"),
        ("Your parcel leaves the warehouse tomorrow morning, and it rings.", {"begins": False}, "warn", "unrelated"),
    ],
)  # fmt: skip
def test_a_capture_of_a_part_of_the_session_judges_what_it_shows(text, shown, expected, cause):
    result = joined_of(text, **shown)
    assert result.status == expected
    assert [finding.cause for finding in result.findings] == ([f"joining.{cause}"] if cause else [])


OPEN = [*turn(0.5, " How", " How are you today?", end=2.0), *turn(3.0, " I", " I am fine,")]


@pytest.mark.parametrize(
    ("text", "ends", "expected"),
    [
        (" How are you today? I am fine,", False, "pass"),
        (" How are you today? I", False, "pass"),
        (" How are you today?", False, "pass"),
        (" How are you today? I am fine, thank you. And you?", False, "unknown"),
        (" How are you today? I am fine,", True, "fail"),
        (" How  I am fine,", False, "fail"),
    ],
)
def test_what_is_shown_of_the_turn_in_which_a_capture_stops_is_no_mistake(text, ends, expected):
    assert joined_of(text, ends=ends, events=OPEN).status == expected


def test_what_a_late_capture_cannot_show_is_counted():
    result = joined_of("Hi there. How are you today? I am fine, thank you.", begins=False)
    assert result.measurements["beyond_characters"] == len("Hi there. ")
    assert "Record from the handshake" in result.answer


@given(st.text(max_size=60).filter(extract_letters), st.booleans(), st.booleans())
def test_any_text_before_or_behind_what_a_part_shows_accuses_nobody(words, begins, ends):
    text = " How are you today? I am fine, thank you."
    text = (text if begins else f"{words}{text}") + ("" if ends else f" {words}")
    assert joined_of(text, begins, ends).status in ("pass", "unknown")


ESCAPED = [*turn(0.5, "Tom & Jerry's \u201ccaf\u00e9\u201d.", end=2.0), *turn(3.0, ' It\'s a "test", R&D.', end=4.5)]


@pytest.mark.parametrize("write", [repr, json.dumps, html.escape, lambda text: text.encode("unicode_escape").decode()])
def test_escaped_text_is_named_before_what_else_it_may_be(write):
    text = write("Tom & Jerry's \u201ccaf\u00e9\u201d. It's a \"test\", R&D.")
    assert [finding.cause for finding in joined_of(text, events=ESCAPED).findings] == ["joining.escaped"]
    before = write("Well, well. Now: ").removesuffix("'").removesuffix('"')
    later = joined_of(before + text.removeprefix("'").removeprefix('"'), begins=False, events=ESCAPED)
    assert "joining.unrelated" not in [finding.cause for finding in later.findings]


def test_what_was_done_to_a_text_is_surer_than_where_it_comes_from():
    text = html.escape('Tom & Jerry\'s "R&D": it\'s "all" of another day & place, which nobody "knows".')
    by_cause = {finding.cause: finding.confidence for finding in joined_of(text, events=ESCAPED).findings}
    assert by_cause["joining.escaped"] > by_cause["joining.unrelated"]


@pytest.mark.parametrize("separator", [" ", "\n", "\n\n"])
def test_white_space_where_the_turns_bring_none_keeps_the_words_apart(separator):
    events = [*turn(0.5, "Hi.", end=2.0), *turn(3.0, "Bye.", end=4.5)]
    result = judged(f"Hi.{separator}Bye.", events)
    assert (result.status, result.findings) == ("pass", ())
    assert "keeps" not in result.answer and "no white space where they meet" in result.answer


@pytest.mark.parametrize(
    ("ends", "text", "expected"),
    [
        (("Hi.", "Bye.", " So."), "Hi. Bye. So.", None),
        (("Hi.", "Bye.", " So."), "Hi. Bye.  So.", "separator-added"),
        (("Hi.", "", "Bye."), "Hi. Bye.", None),
        (("Hi.", "Bye."), "Hi., Bye.", "separator-added"),
        (("Hi.", "Bye."), "hi. bye.", "normalized"),
        (("Hi.",), "Hi. ", "separator-added"),
    ],
)
def test_only_white_space_at_borders_without_any_is_harmless(ends, text, expected):
    events = [event for i, end in enumerate(ends) for event in turn(0.5 + i, end, end=1.2 + i)]
    assert [f.cause for f in judged(text, events).findings] == ([f"joining.{expected}"] if expected else [])


@pytest.mark.parametrize(
    ("ends", "text", "cause", "status", "confidence"),
    [
        ((" Hi.", "Bye."), "Hi.Bye.", "whitespace-stripped", "warn", 0.6),
        (("Hi.", " Bye.", " So."), "Hi.Bye.So.", "whitespace-stripped", "fail", 0.97),
        (("Hi.", "Bye."), "hi.bye.", "normalized", "warn", 0.6),
        (("Hi.", "Bye."), "Hi., Bye.", "separator-added", "warn", 0.6),
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
    assert [f.cause for f in judged("Hello.", [(0.1, "connected", None)]).findings] == ["joining.unrelated"]


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
    assert result.answer.endswith(f"Joined, the events say: '{'a' * 297}...'")
    result = judged(None, [(0.5, "turn.start", None), (2.0, "turn.end", "a" * 300)])
    assert result.answer.endswith(f"Joined, the events say: '{'a' * 300}'")


def test_where_the_updates_give_the_same_text_it_is_told_once():
    result = judged(None, [*turn(0.5, "Hi."), (2.0, "turn.end", "")])
    assert (result.status, result.measurements["updates_joined"]) == ("unknown", "Hi.")
    assert "hold no final text" in result.answer
    result = judged(None, [(0.5, "turn.start", None)])
    assert (result.status, result.measurements["updates_joined"]) == ("unknown", None)


def test_a_habit_that_alone_gives_the_text_is_sure():
    sure = judged("Hi there. How are you? How are you?").findings[0]
    assert sure.confidence == 0.97 and "would be the same when" not in sure.summary


def test_a_nearest_habit_is_the_less_sure_the_less_alike():
    result = judged("Hi there! How are you now?")
    (finding,) = result.findings
    assert finding.confidence == round(0.5 * result.measurements["similarity"], 2)


@pytest.mark.parametrize("count", [300, 3000])
def test_words_that_stand_often_are_compared_too(count):
    events = turn(0.5, "the cat " * count + "sat.", end=2.0)
    (finding,) = judged("the cat " * count + "sit.", events).findings
    assert [e.note for e in finding.evidence[1:]] == ["should be 'sat.', is 'sit.'"]


def test_a_text_that_two_habits_give_is_less_sure():
    events = [(0.5, "turn.start", None), (0.8, "turn.eager_end", "Well yes."), (2.0, "turn.end", "Well yes.")]
    (finding,) = judged("Well yes.Well yes.", events).findings
    assert "With these events the text would be the same when" in finding.summary
    assert finding.confidence == 0.65


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ("one three four five six seven nine ten", "fail"),
        ("xxxxx xxxxx three four five six seven eight nine ten", "warn"),
        ("xxxxx xxxxx xxxxx xxxxx five six seven eight nine ten", "warn"),
    ],
)
def test_an_unknown_way_is_a_failure_where_words_are_only_lost_and_else_a_warning(got, expected):
    events = turn(0.5, "one two three four five six seven eight nine ten", end=2.0)
    result = judged(got, events)
    assert (result.findings[0].cause, result.status) == ("joining.normalized", expected)


def test_two_changes_far_apart_in_words_that_stand_often_are_two():
    right = "sat " + "the cat " * 300 + "on."
    (finding,) = judged(right.replace("sat", "sit").replace("on.", "in."), turn(0.5, right, end=2.0)).findings
    assert [e.note for e in finding.evidence[1:]] == ["should be 'sat', is 'sit'", "should be 'on.', is 'in.'"]


def test_a_separator_is_shown_as_a_sign_with_the_words_around_it():
    (finding,) = judged("Hi there.  How are you?").findings
    notes = [e.note for e in finding.evidence[1:]]
    assert notes == ["should be 'there.\u2423How', is 'there.\u2423\u2423How'"]
    assert "at the start of the turns" in finding.fix


def test_the_fix_says_where_the_space_is_already():
    events = [*turn(0.5, "Hi. ", end=2.0), *turn(3.0, "Bye.", end=4.5)]
    (finding,) = judged("Hi.  Bye.", events).findings
    assert finding.cause == "joining.separator-added" and "at the end of the turns" in finding.fix


@given(
    st.lists(st.sampled_from(["Hi.", " How", "a b ", "", "  ", "So"]), min_size=1, max_size=6),
    st.text(" ab.", max_size=12),
)
def test_no_evidence_shows_nothing(ends, text):
    events = [event for i, end in enumerate(ends) for event in turn(0.5 + i, end, end=1.2 + i)]
    for finding in judged(text, events).findings:
        assert not any(e.note.startswith("should be '', is ''") for e in finding.evidence)


THREE = [
    *turn(0.5, "Hi.", end=2.0),
    *turn(3.0, " How are you?", end=4.5),
    *turn(5.0, " Well.", end=6.5),
]


def leaving(text, at, command=True, events=THREE, clock="client"):
    fields = {"command": at, "close": (at + 0.05, "client", 1000)} if command else {"close": (at, "client", 1000)}
    return session(steady(min(at, 9.0)), events=events, transcript=text, clock=clock, **fields)


@pytest.mark.parametrize("command", [True, False])
def test_turns_that_came_long_before_the_client_left_are_their_own_root(command):
    diagnoses = report(leaving("Hi.", 8.0, command)).diagnoses
    assert diagnoses[0].cause == "joining.turns-missing"
    assert "turn 1 of 3" in diagnoses[0].summary and "3.5 s before the client left" in diagnoses[0].summary
    assert "every turn.end" in diagnoses[0].fix
    assert all("joining.turns-missing" not in d.explains for d in diagnoses)


@pytest.mark.parametrize(("at", "own"), [(6.7, False), (6.9, True)])
def test_a_turn_that_came_as_the_client_left_could_not_be_read(at, own):
    diagnoses = report(leaving("Hi. How are you?", at)).diagnoses
    assert ("joining.turns-missing" in [d.cause for d in diagnoses]) is own


def test_what_came_after_the_close_command_was_lost_by_leaving():
    (first, *_) = report(leaving("Hi. How are you?", 6.0, events=[*THREE[:-1], (6.03, "turn.end", " Well.")])).diagnoses
    assert (first.cause, first.explains) == ("drain.hung-up", ("joining.turns-missing",))


def test_without_times_the_order_tells_what_could_be_read():
    subject = leaving("Hi.", 8.0)
    untimed = type(subject)(
        tuple(replace(event, t=None) for event in subject.events),
        url=subject.url,
        transcript=subject.transcript,
        clock="none",
    )
    assert report(untimed).diagnoses[0].cause == "joining.turns-missing"


def test_an_update_that_is_kept_although_the_end_came_is_its_own_root():
    events = [*turn(0.5, "Hi.", end=2.0), *turn(3.0, " How", " How are you?", end=4.5)]
    assert report(leaving("Hi. How", 8.0, events=events)).diagnoses[0].cause == "joining.partial-kept"


def test_turns_that_are_missing_in_the_middle_are_named():
    (finding,) = judged("Hi. Well.", THREE).findings
    assert finding.cause == "joining.turns-missing" and "turn 2 missing" in finding.summary


def test_a_text_that_is_replaced_at_each_turn_is_told_as_such():
    (finding,) = report(leaving(" Well.", 8.0), "joining").checks[0].findings
    assert finding.summary == "The application's text is the last of 3 turns alone."
    assert "Append every turn.end" in finding.fix and "replace" in finding.fix


def test_where_not_all_readings_were_tried_the_answer_says_so(monkeypatch):
    text = "Hi there. Hi How are you?  How are you? How"
    assert "No way of joining that could be tried" not in judged(text).answer
    monkeypatch.setattr(join_search, "MAX_STEPS", 0)
    monkeypatch.setattr(join_search, "_STEPS_A_TEXT", 0)
    answer = joined_of("Hi there. How are you? How are you now?", events=TWO).answer
    assert answer.startswith("No way of joining that could be tried gives")


KEPT = [*turn(0.5, " How", " How are you today?", end=2.0), *turn(3.0, " I am fine", " I am fine, thank you.", end=4.5)]


@pytest.mark.parametrize(
    ("text", "cause", "says"),
    [
        (" How are you today? I am fine, thank you. I am fine", "partial-kept", "behind all final texts"),
        ("I am fine How are you today? I am fine, thank you.", "partial-kept", "before all final texts"),
        ("How are you today? today? I am fine, thank you. you.", "turns-repeated", "'today' in turn 1"),
        ("How are you today? I am fine, thank you. And you?", "text-added", "2 words after"),
    ],
)
def test_what_is_kept_or_said_again_beside_the_final_texts_is_told_from_other_words(text, cause, says):
    (finding,) = joined_of(text, events=KEPT).findings
    assert finding.cause == f"joining.{cause}" and says in finding.summary


def test_each_stage_of_a_turn_that_became_a_line_is_told_by_its_events():
    stages = (("start", None), ("update", "Hi"), ("update", "Hi th"), ("eager_end", "Hi there."), ("end", "Hi there."))
    events = [(0.5 + 0.3 * n, f"turn.{kind}", text) for n, (kind, text) in enumerate(stages)]
    result = judged("Hi th\nHi there.\nHi there.", events)
    assert [f.cause for f in result.findings] == ["joining.eager-ends-joined"]
    assert "each stage" in result.findings[0].summary
