"""Counters in memory that forked workers share."""

import resource
import subprocess
import sys

import pytest

from inference.counting.registry import Registry

WORKERS = """
import os
from inference.counting.layout import Layout, Ranged
from inference.counting.registry import Registry

assert "numpy" not in __import__("sys").modules, "a supervisor would fork with numpy's threads"
edges = tuple(index / 10 for index in range(11))
layout = Layout(edges, edges, edges, (Ranged("x", edges),))
registry = Registry(layout.size, slots=2)

def work(slot, requests):
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
        return
    from inference.counting.metrics import Metrics
    metrics = Metrics(layout, registry, slot, "1.0.0")
    for _ in range(requests):
        metrics.predicted({"x": 0.5}, 0.5, 0.5)
        metrics.answered("ok", 0.01)
    metrics.render()
    os._exit(0)

work(0, 3)
work(1, 40)
work(0, 500)  # the first one died and is forked anew

from inference.counting.metrics import Metrics
print(Metrics(layout, registry, 0, "1.0.0").render())
"""


@pytest.fixture(scope="module")
def text() -> str:
    """Give what is rendered after three workers, one of them in a dead one's slot."""
    done = subprocess.run([sys.executable, "-c", WORKERS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "line",
    [
        'steelyard_requests_total{outcome="ok"} 543',
        'steelyard_score_bin_total{bin="05"} 543',
        'steelyard_feature_bin_total{feature="f00",bin="05"} 543',
        "steelyard_scrapes_total 3",
    ],
)
def test_workers_dead_and_alive_are_summed(text, line):
    assert line in text.splitlines()


def test_a_dead_worker_has_no_memory_and_the_living_one_its_own(text):
    [line] = [one for one in text.splitlines() if one.startswith("process_resident_memory_bytes")]

    assert 10e6 < int(line.split()[1]) < 1e9


def test_a_process_in_two_slots_has_its_memory_once():
    registry = Registry(size=1, slots=2)
    assert registry.resident_bytes() == 0

    registry.claim(0)
    alone = registry.resident_bytes()
    registry.claim(1)

    assert 0.9 * alone < registry.resident_bytes() < 1.1 * alone
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 0.1 * most < alone < 1.1 * most


def test_a_slot_that_is_not_there_is_refused():
    with pytest.raises(IndexError):
        Registry(size=4, slots=2).claim(2)
