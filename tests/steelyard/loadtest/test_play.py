"""A whole load test of a real server on loopback."""

import time

import pytest

from steelyard.loadtest import client
from steelyard.loadtest.client import Patience
from steelyard.loadtest.play import Plan, play
from steelyard.loadtest.target import Target
from steelyard.loadtest.verdict import Wanted
from tests.steelyard.loadtest.loopback import METRICS


class Notes:
    """A screen that only remembers."""

    def __init__(self) -> None:
        self.rates = []

    def begin(self, what, rate, seconds):
        self.rates.append((what, rate, seconds))

    def show(self, glimpse):
        pass


def load(server, screen=None, **changes):
    given = {"rate": 400.0, "seconds": 1.0, "warm_up": 0.2, "wanted": Wanted(2.0, 100.0, "plan")}
    plan = Plan(Target(f"{server.url}/invocations", [b"{}"]), **given | changes)
    return client.run(lambda: play(plan, screen or Notes()))


def test_a_server_that_does_what_is_asked_passes(server):
    result = load(server, wanted=Wanted(5.0, 100.0, "plan"), rate=380, seconds=1.5)

    assert result.verdict.outcome == "pass", result.verdict
    assert result.run.p99.seconds < 5.0
    assert result.knee is None


def test_a_server_that_stalls_fails_although_most_answers_are_fast(server):
    server.stall(0.3, after=250)

    result = load(server, wanted=Wanted(0.1, 100.0, "plan"))

    assert result.run.p99.seconds > 0.1
    assert result.run.response[0].seconds < 0.1
    assert result.verdict.outcome != "pass"


def test_a_server_whose_every_answer_is_an_error_fails_however_fast(server):
    server.status = 500

    result = load(server, rate=100.0, seconds=0.4)

    assert result.verdict.outcome == "fail"
    assert set(result.run.failures) == {"HTTP 500"}


def test_the_knee_is_sought_from_the_run_on_and_every_rate_is_kept(server, monkeypatch):
    monkeypatch.setattr("steelyard.loadtest.play._STEP_SECONDS", 0.3)
    monkeypatch.setattr("steelyard.loadtest.play._STEP_WARM_UP", 0.1)
    monkeypatch.setattr("steelyard.loadtest.play._MOST_RATE", 1500.0)
    screen = Notes()

    result = load(server, screen, seeks_knee=True, wanted=Wanted(60.0), patience=Patience(64, 3.0))

    rates = [rate for _, rate, _ in screen.rates]
    assert [point.run.rate for point in result.points] == rates
    assert rates[:2] == [400, 800]
    assert result.knee is not None
    assert result.knee.good is None or result.knee.good in rates


def test_memory_that_a_url_shows_is_read_each_second(server):
    server.metrics = METRICS

    result = load(server, rate=50.0, seconds=1.2)

    assert {held for _, held in result.memory.readings} == {50_000_000}
    assert 1 <= len(result.memory.readings) <= 3
    assert result.memory.source.endswith("/metrics")
    assert result.memory.trend is None


def test_memory_that_nobody_tells_is_unknown_and_never_nothing(server):
    result = load(server, rate=50.0, seconds=0.2)

    assert (result.memory.source, result.memory.readings) == ("", ())


def test_an_interrupt_ends_it_at_once(server):
    class Impatient(Notes):
        def show(self, glimpse):
            raise KeyboardInterrupt

    since = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        load(server, Impatient(), seconds=30.0)
    assert time.monotonic() - since < 20
