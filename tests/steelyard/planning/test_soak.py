"""What static alarms see of a fault in the soak."""

import pytest

from stacks.signals import SIGNALS
from steelyard.planning import soak
from steelyard.planning.traffic import HEALTHY, Fault, Traffic
from tests.steelyard.planning.sample import ALARMS, setting


def rings(fault, rate=600.0, minutes=30):
    expected = setting(rate).expected
    return soak.rings(ALARMS, expected, Traffic(expected, "a seed"), fault, minutes)


@pytest.mark.parametrize(
    ("fault", "minute"),
    [
        (Fault("x", errors=0.5), 2),  # two of three minutes
        (Fault("x", is_silent=True), 2),
        (Fault("x", slower=20.0), 3),  # three of five
        (Fault("x", errors=0.1), None),  # the limit is 20%
        (Fault("x", slower=2.0), None),  # p99 is 90 ms, the limit 200 ms
        (Fault("x", is_constant=True), None),
        (Fault("x", client_errors=0.9), None),
        (HEALTHY, None),
    ],
)
def test_an_alarm_rings_on_what_passes_its_limit_and_on_nothing_else(fault, minute):
    assert rings(fault) == minute


def test_minutes_with_too_few_requests_prove_nothing():
    assert rings(Fault("x", errors=1.0), rate=1) is None


def test_a_fault_that_the_soak_is_too_short_for_rings_nothing():
    assert rings(Fault("x", errors=0.5), minutes=1) is None


def test_points_and_periods_are_those_of_the_deployed_alarms():
    deployed = {signal.name: (signal.breaching, signal.periods) for signal in SIGNALS}

    assert deployed == {"ErrorRate": soak.ERROR_RATE, "Latency": soak.LATENCY}
