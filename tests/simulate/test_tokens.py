import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.simulate import tokens
from sttdoctor.simulate.handshake import RefusalError
from sttdoctor.simulate.tokens import Tokens


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def mint(minted, **asked):
    return json.loads(minted.mint(json.dumps(asked).encode()))["token"]


def test_a_token_lives_as_long_as_was_asked_for():
    clock = Clock()
    minted = Tokens(clock)
    token = mint(minted, grants={"stt": True}, expires_in=30)
    clock.now += 30
    minted.check(token)
    clock.now += 0.1
    with pytest.raises(RefusalError, match="expired") as refused:
        minted.check(token)
    assert refused.value.status == 401


def test_a_token_of_another_grant_is_refused():
    minted = Tokens()
    with pytest.raises(RefusalError, match="grant stt") as refused:
        minted.check(mint(minted, grants={"tts": True}, expires_in=30))
    assert refused.value.status == 403


@pytest.mark.parametrize("token", [None, "", "any", "sk_car_1234"])
def test_what_was_not_minted_here_counts_as_any_key_does(token):
    Tokens().check(token)


def test_a_token_that_is_forgotten_has_expired(monkeypatch):
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    minted = Tokens()
    first, *others = (mint(minted, grants={"stt": True}) for _ in range(3))
    for token in others:
        minted.check(token)
    with pytest.raises(RefusalError, match="expired"):
        minted.check(first)


_asked = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["grants", "expires_in", "stt"]), inner)
    ),
)


@given(st.binary(max_size=30) | _asked.map(lambda asked: json.dumps(asked).encode()))
def test_any_body_is_answered_or_refused(body):
    try:
        answered = json.loads(Tokens().mint(body))
    except RefusalError as refused:
        answered = {"token": refused.status == 400}
    assert answered["token"]
