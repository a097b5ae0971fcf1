"""From which status on a verdict fails a run: the words of `--fail-on`."""

FAIL_ON = {"fail": ("fail",), "warn": ("fail", "warn"), "unknown": ("fail", "warn", "unknown"), "never": ()}
"""Word to the statuses of a check that fail the run."""
