"""Rollback, over every event, phase and state of the endpoint: it only ever brings traffic home."""

import itertools

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from lambdas import rollback
from lambdas.aws import EndpointRefused, LedgerUnreachable
from lambdas.rollback import ChampionUnknown, NotReverted

REFUSALS = (EndpointRefused, ChampionUnknown, LedgerUnreachable, NotReverted)
VARIANTS = ("v0", "v1", "v2")

weights = st.fixed_dictionaries(dict.fromkeys(VARIANTS, st.sampled_from([0, 1, 50, 100]))).filter(
    lambda live: any(live.values())
)
phases = st.sampled_from(["progressing", "paused", "aborting", "aborted", "promoted"])
unwritten = itertools.count(1, 10)
alarms = ["alarm v0", "alarm v1", "alarm v2"]
callers = st.sampled_from([*alarms, "operator", "engine", "rule", "stranger", "revert"])


def event_of(world, caller):
    if caller.startswith("alarm"):
        return world.alarm_event(caller.split()[1])
    if caller == "rule":
        detail = {"name": "r1", "status": "ABORTED"}
        kind = "Step Functions Execution Status Change"
        return {"detail-type": kind, "time": world.iso(), "detail": detail}
    if caller == "revert":
        return world.event(revert=True)
    named = world.event(rollout="r0" if caller == "stranger" else "r1")
    return named | ({"error": {"Error": "States.Timeout"}} if caller == "engine" else {})


@pytest.mark.parametrize("table", ["ledger", "a-table-that-is-gone"])
@settings(
    max_examples=40,
    deadline=None,
    # Each example is half a dozen calls of services: one that fails is small enough as it is.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    # Lock and endpoint are made anew for each example, records go where none is yet.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(live=weights, phase=phases, step=st.integers(-1, 2), caller=callers, is_busy=st.booleans())
def test_no_variant_but_the_champion_ever_gains_traffic(
    world, monkeypatch, table, live, phase, step, caller, is_busy
):
    monkeypatch.setattr(rollback, "MARK_SECONDS", 20.0)
    monkeypatch.setenv("STEELYARD_LEDGER", table)
    world.hold(phase=phase, step=step, seq=next(unwritten))
    world.endpoint(live)
    if is_busy:
        world.busy()

    try:
        rollback.handler(event_of(world, caller), None)
    except REFUSALS as refusal:
        event(type(refusal).__name__)
    world.settle()

    now = world.weights()
    event("moved" if now != live else "not moved")
    assert now in (live, {"v0": 0, "v1": 100, "v2": 0})
    if phase == "promoted" and table == "ledger" and caller != "revert":
        assert now == live
