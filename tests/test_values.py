"""Classes of plain values."""

import copy
import pickle
from dataclasses import field, replace

import pytest

from sttdoctor.values import immutable


@immutable
class Point:
    """Two numbers and a name."""

    x: float
    y: float = 0.0
    name: str = field(default="", kw_only=True)


@immutable
class Place(Point):
    """A point somewhere."""

    where: str = "here"


def test_values_are_compared_and_hashed_by_all_their_fields():
    assert Point(1, 2) == Point(1, 2)
    assert hash(Point(1, 2)) == hash(Point(1, 2))
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Point(1, 2, name="a")


def test_values_of_another_class_are_others():
    assert Point(1) != Place(1)
    assert Place(1) == Place(1, where="here")


def test_what_is_no_number_equals_itself_as_in_a_tuple():
    nan = float("nan")
    assert Point(nan) == Point(nan)


def test_a_value_is_shown_as_it_is_made():
    assert repr(Place(1.0, name="a")) == "Place(x=1.0, y=0.0, name='a', where='here')"


def test_a_value_can_be_copied_changed_and_sent_to_another_process():
    point = Point(1, 2, name="a")
    assert copy.copy(point) == pickle.loads(pickle.dumps(point)) == point
    assert replace(point, x=5) == Point(5, 2, name="a")


def test_a_value_takes_no_other_attributes():
    with pytest.raises(AttributeError):
        Point(1).z = 2
