"""Metrics as Prometheus reads them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from distributor.operations import exposition
from distributor.operations.exposition import Family, Kind, Sample

_LABEL = re.compile(r'\{code="((?:[^"\\\n]|\\["\\n])*)"\} 1')


def family(*samples: Sample, help_text: str = "Tries.") -> Family:
    return Family("distributor_tries_total", Kind.COUNTER, help_text, samples)


def test_a_family_is_its_help_its_type_and_its_samples() -> None:
    tries = family(Sample(3, {"channel": "email", "code": "ok"}), Sample(0.25, {}))
    assert exposition.text([tries]) == (
        "# HELP distributor_tries_total Tries.\n"
        "# TYPE distributor_tries_total counter\n"
        'distributor_tries_total{channel="email",code="ok"} 3\n'
        "distributor_tries_total 0.25\n"
    )


def test_a_family_without_a_sample_is_left_out() -> None:
    assert exposition.text([family()]) == ""


def test_help_stays_on_its_line() -> None:
    text = exposition.text([family(Sample(1, {}), help_text="a\\b\nc")])
    assert text.splitlines()[0] == "# HELP distributor_tries_total a\\\\b\\nc"


@given(st.text())
def test_any_label_value_is_read_back_as_it_was(value: str) -> None:
    line = exposition.text([family(Sample(1, {"code": value}))]).split("\n", 2)[2]
    found = _LABEL.search(line)
    assert found is not None
    escapes = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}
    assert re.sub(r'\\[\\n"]', lambda match: escapes[match[0]], found[1]) == value


@given(st.integers(0, 10**15 - 1))
def test_a_count_keeps_all_its_digits(number: int) -> None:
    line = exposition.text([family(Sample(number, {}))]).splitlines()[-1]
    assert float(line.split()[1]) == number
