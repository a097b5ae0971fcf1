"""Events that the log of a program shows more than once."""

from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.readers.logs.copies import Told, are_doubled, first_shown

TURN = (("turn.start", None), ("turn.update", "Yes"), ("turn.end", "Yes."))


def told(pairs, look="recv ", *, t=0.0, step=0.5, is_listed=False, is_again=False):
    return [
        Told(kind, text, look, None if step is None else t + number * step, True, is_listed, is_again)
        for number, (kind, text) in enumerate(pairs)
    ]


def kept(events):
    return [(events[place].kind, events[best].text) for place, best in first_shown(events).items()]


def test_what_the_service_says_twice_is_said_twice():
    assert kept(told(TURN * 2)) == list(TURN * 2)
    assert kept(told(TURN * 2, step=None)) == list(TURN * 2)
    ends = [("turn.end", "Yes."), ("turn.end", "Yes.")]
    assert kept(told(ends, step=2.0)) == ends


def test_the_same_event_in_another_look_is_shown_again():
    events = [event for pair in zip(told(TURN * 3), told(TURN * 3, "parsed ", t=0.01), strict=True) for event in pair]
    assert kept(events) == list(TURN * 3)


def test_a_showing_with_the_text_counts_where_the_first_has_none():
    bare = told([("turn.start", None), ("turn.end", None)], "handle ")
    whole = told([("turn.start", None), ("turn.end", "Yes.")], "recv ", t=0.01)
    assert kept([bare[0], whole[0], bare[1], whole[1]]) == [("turn.start", None), ("turn.end", "Yes.")]


def test_a_list_of_what_was_said_says_nothing_new():
    listed = told([("turn.end", "Yes.")], "history ", t=9.0, is_listed=True)
    assert kept(told(TURN) + listed) == list(TURN)
    alone = [("turn.end", "Yes."), ("turn.end", "No."), ("turn.end", "Yes.")]
    assert kept(told(alone, is_listed=True, step=0.0)) == alone


def test_lines_that_all_stand_twice_are_doubled():
    once, again = told(TURN), told(TURN, is_again=True)
    events = [event for pair in zip(once, again, strict=True) for event in pair]
    assert are_doubled([event.is_again for event in events]) and not are_doubled([False] * len(once))
    assert kept(events) == list(TURN)


@given(st.lists(st.sampled_from([*TURN, ("turn.update", None), ("transcript", "a"), ("error", "b")]), max_size=30))
def test_each_place_is_shown_by_itself_or_a_later_one(pairs):
    first = first_shown(told(pairs))
    assert list(first) == sorted(first)
    assert all(place <= best < len(pairs) for place, best in first.items())
