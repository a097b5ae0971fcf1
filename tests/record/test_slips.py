from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.record.slips import Fair, Kind, Slip


def slip(number, at=0.0):
    return Slip(Kind.CLIENT, number, at, b"")


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 2)), max_size=40), st.randoms())
def test_every_slip_comes_once_and_those_of_a_connection_in_order(costs, chance):
    fair, taken = Fair(), []
    for place, (number, cost) in enumerate(costs):
        fair.add(slip(number, place))
        while fair and chance.random() < 0.4:
            taken.append(fair.take())
            fair.charge(taken[-1].number, cost)
    while fair:
        taken.append(fair.take())
    assert sorted(one.at for one in taken) == list(range(len(costs)))
    for number in range(1, 5):
        mine = [one.at for one in taken if one.number == number]
        assert mine == sorted(mine)


def test_who_costs_little_comes_before_who_costs_much():
    fair = Fair()
    for number in (1, 2, 1, 2, 1, 2):
        fair.add(slip(number))
    order = []
    while fair:
        order.append(fair.take().number)
        fair.charge(order[-1], {1: 1.0, 2: 0.01}[order[-1]])
    assert order == [1, 2, 2, 2, 1, 1]


def test_a_new_connection_does_not_come_before_all_others():
    """Or a peer that connects again and again would always be first."""
    fair = Fair()
    fair.add(slip(1))
    fair.take()
    fair.charge(1, 5.0)
    fair.add(slip(1))
    fair.take()  # the others have had five seconds
    fair.add(slip(2))
    fair.charge(2, 3.0)
    fair.add(slip(1))
    assert fair.take().number == 1


def test_who_said_nothing_for_long_has_not_saved_its_time_up():
    fair = Fair()
    fair.add(slip(1))
    fair.add(slip(2))
    fair.take()
    fair.take()
    for _ in range(10):
        fair.add(slip(2))
        fair.take()
        fair.charge(2, 10.0)
    fair.add(slip(2))
    order = []
    for _ in range(8):
        fair.add(slip(1))
        order.append(fair.take().number)
        fair.charge(order[-1], 4.0)
    assert 2 in order[:5]


def test_what_is_over_is_forgotten():
    fair = Fair()
    fair.add(slip(1))
    fair.forget(1)
    assert not fair and fair._queues == {}
