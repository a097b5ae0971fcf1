import math

import pytest

from sttdoctor.errors import UsageError
from sttdoctor.thresholds import DEFAULTS, THRESHOLDS, of_check, parse_settings, validate


def test_each_threshold_has_a_sound_default_and_a_reason():
    assert len(DEFAULTS) == len(THRESHOLDS)
    assert all(math.isfinite(limit.default) and limit.default >= 0 and limit.reason for limit in THRESHOLDS)


def test_settings_are_numbers_by_name_and_the_last_one_counts():
    assert parse_settings(["pacing.backlog_fail_s=5", " sample-rate.fail_below = 0.1 ", "pacing.backlog_fail_s=6"]) == {
        "pacing.backlog_fail_s": 6.0,
        "sample-rate.fail_below": 0.1,
    }


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("pacing.backlog_fail_s", "NAME=VALUE"),
        ("pacing.backlog_fial_s=5", "did you mean pacing.backlog_fail_s?"),
        ("zzz=1", "sttdoctor explain lists them"),
        ("=1", "unknown threshold ''"),
        *(
            (f"pacing.backlog_fail_s={value}", "a number from 0 to 1000000")
            for value in ("", "x", "-1", "nan", "inf", "1e999", "1e7", "1" * 5000)
        ),
    ],
)
def test_a_bad_setting_is_a_usage_error(setting, says):
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        parse_settings([setting])


def test_values_of_a_program_are_validated_too():
    assert validate({"pacing.min_s": 7}) == {"pacing.min_s": 7.0}
    for value in (None, True, object(), float("nan"), 10**400):
        with pytest.raises(UsageError, match=r"pacing\.min_s takes a number"):
            validate({"pacing.min_s": value})


def test_the_thresholds_of_a_check_are_its_own():
    assert {limit.name.split(".")[0] for limit in of_check("pacing")} == {"pacing"}
    assert of_check("pac") == []


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("signal.dropouts=0", "signal.dropouts takes a number from 1 to 1000000, not '0'"),
        ("signal.wrapped=0", "signal.wrapped takes a number from 1 to 1000000, not '0'"),
        ("signal.silent_peak=1e308", "signal.silent_peak takes a number from 0 to 1, not '1e308'"),
        ("pacing.drain_speed=1e308", "pacing.drain_speed takes a number from 0 to 1000000, not '1e308'"),
        ("joining.similar=1.01", "joining.similar takes a number from 0 to 1, not '1.01'"),
    ],
)
def test_a_limit_that_makes_no_sense_is_told_with_its_bounds(setting, says):
    with pytest.raises(UsageError, match=says):
        parse_settings([setting])


def test_each_default_lies_within_its_bounds():
    assert all(limit.bounds[0] <= limit.default <= limit.bounds[1] for limit in THRESHOLDS)
