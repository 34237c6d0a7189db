"""The documented life cycle of an endpoint, as a state machine: whatever is called, and when."""

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.endpoint_request import Refused
from tests.steelyard.rehearsal.endpoint_sample import TOOK, column, config, want

WEIGHTS = st.sampled_from([0, 1, 5, 50, 100]) | st.floats(0, 1000)


class Life(RuleBasedStateMachine):
    """Calls at arbitrary times; the invariants hold at each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.configs = 1
        self.model = EndpointModel.create("e", "config-1", config(v1=1, v2=0), 0, durations=TOOK)

    def is_open(self) -> bool:
        return self.model.status(self.now) == "InService"

    @rule(seconds=st.sampled_from([1, 10, 60, 240, 500]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(weights=st.tuples(WEIGHTS, WEIGHTS))
    def weigh(self, weights: tuple[float, float]) -> None:
        counts = column(self.model, "DesiredInstanceCount", self.now)
        desired = [want(name, w) for name, w in zip(counts, weights, strict=True)]
        if not self.is_open() or not any(weights):
            with pytest.raises(Refused):
                self.model.update_weights_and_capacities(desired, self.now)
            return
        self.model = self.model.update_weights_and_capacities(desired, self.now)
        for at in (self.now, self.model.settles_at()):
            assert column(self.model, "DesiredInstanceCount", at) == counts

    @precondition(is_open)
    @rule(count=st.integers(0, 9))
    def scale(self, count: int) -> None:
        weights = column(self.model, "CurrentWeight", self.now)
        self.model = self.model.update_weights_and_capacities([want("v2", count=count)], self.now)
        assert column(self.model, "DesiredWeight", self.model.settles_at()) == weights

    @precondition(is_open)
    @rule(retain=st.booleans(), fails=st.booleans())
    def update(self, retain: bool, fails: bool) -> None:
        self.configs += 1
        name = f"config-{self.configs}"
        model = self.model.fail_next_update() if fails else self.model
        old = self.model.describe(self.now)["EndpointConfigName"]
        self.model = model.update_endpoint(name, config(v1=1, v2=0), self.now, retain)
        ended = self.model.describe(self.model.settles_at())["EndpointConfigName"]
        assert ended == (old if fails else name)

    @rule(seconds=st.sampled_from([5, 100]))
    def maintain(self, seconds: float) -> None:
        self.model = self.model.system_update(self.now, seconds)

    @rule()
    def arm(self) -> None:
        self.model = self.model.roll_back_next()

    @invariant()
    def weights_are_never_negative_or_all_zero(self) -> None:
        for field in ("CurrentWeight", "DesiredWeight"):
            weights = column(self.model, field, self.now).values()
            assert min(weights) >= 0 < max(weights)

    @invariant()
    def current_is_desired_once_in_service(self) -> None:
        for at in (self.now, self.model.settles_at()):
            if self.model.status(at) == "InService":
                for what in ("Weight", "InstanceCount"):
                    current = column(self.model, f"Current{what}", at)
                    assert current == column(self.model, f"Desired{what}", at)

    @invariant()
    def shares_sum_to_one_while_serving(self) -> None:
        if self.model.status(self.now) != "Creating":
            assert math.isclose(sum(self.model.shares(self.now).values()), 1)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25)
