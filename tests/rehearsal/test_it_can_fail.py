"""A rehearsal is worth what it refuses: whole rollouts on templates that somebody has broken."""

from typing import Any

import pytest

from steelyard.rehearsal.assembly import CannotPlay
from tests.rehearsal.kit import Kit, Silence, find, rule_disabled


def without_lambda_actions(kit: Kit) -> None:
    with kit.template("monitoring") as template:
        for alarm in find(template, "AWS::CloudWatch::Alarm"):
            properties = template["Resources"][alarm]["Properties"]
            properties["AlarmActions"] = [
                action for action in properties["AlarmActions"] if ":lambda:" not in str(action)
            ]


def without_alarm_permission(kit: Kit) -> None:
    with kit.template("control") as template:
        for permission in find(template, "AWS::Lambda::Permission"):
            if "alarms" in str(template["Resources"][permission]["Properties"]["Principal"]):
                del template["Resources"][permission]


def with_initial_weight(kit: Kit, weight: float) -> None:
    with kit.template("endpoint") as template:
        (config,) = find(template, "AWS::SageMaker::EndpointConfig")
        for variant in template["Resources"][config]["Properties"]["ProductionVariants"]:
            if variant["VariantName"] == "v1-1-0":
                variant["InitialVariantWeight"] = weight


def without_detailed_observability(kit: Kit) -> None:
    with kit.template("endpoint") as template:
        (config,) = find(template, "AWS::SageMaker::EndpointConfig")
        metrics = template["Resources"][config]["Properties"]["MetricsConfig"]
        metrics["EnableDetailedObservability"] = False


def problems(entry: dict[str, Any]) -> str:
    return "\n".join(entry["problems"])


def test_an_untouched_kit_promotes_a_good_challenger(kit: Kit) -> None:
    entry = kit.rehearse("promoted")

    assert entry["passed"], problems(entry)
    assert [step["weight"] for step in entry["steps"]] == [30, 60, 100]


def test_a_few_errors_are_caught_by_the_judge(kit: Kit) -> None:
    entry = kit.rehearse("aborted", "errors=5%")

    assert entry["passed"], problems(entry)
    assert entry["caught_by"] == "judge"


def test_a_dead_challenger_is_caught_by_the_alarm_although_the_judge_is_silent(
    kit: Kit, silence: Silence
) -> None:
    silence(kit)

    entry = kit.rehearse("aborted", "dead@1")

    assert entry["passed"], problems(entry)
    assert entry["caught_by"] == "alarm"
    assert entry["seconds_from_fault_to_safe"] < 240


def test_without_the_alarms_lambda_action_and_without_a_judge_it_is_red(
    kit: Kit, silence: Silence
) -> None:
    silence(kit)
    without_lambda_actions(kit)

    entry = kit.rehearse("aborted", "dead@1")

    assert not entry["passed"]
    assert "no judge and no alarm saw the fault" in problems(entry)


def test_without_the_alarms_permission_and_without_a_judge_it_is_red(kit: Kit) -> None:
    rule_disabled(kit)
    without_alarm_permission(kit)

    entry = kit.rehearse("aborted", "dead@1")

    assert not entry["passed"]
    assert "no permission for lambda.alarms.cloudwatch.amazonaws.com" in problems(entry)


@pytest.mark.parametrize(
    ("weight", "expected", "faults"),
    [(1, "promoted", []), (1, "aborted", ["dead@1"]), (0.001, "promoted", [])],
)
def test_a_challenger_that_starts_with_traffic_is_red_whatever_is_expected(
    kit: Kit, weight: float, expected: str, faults: list[str]
) -> None:
    with_initial_weight(kit, weight)

    entry = kit.rehearse(expected, *faults)

    assert not entry["passed"]
    assert "its initial weight is not 0" in problems(entry)


def test_a_judge_that_measures_nothing_promotes_nothing(kit: Kit) -> None:
    without_detailed_observability(kit)

    entry = kit.rehearse("promoted")

    assert not entry["passed"]
    assert "it was aborted, where promoted was expected" in problems(entry)


def test_a_rollout_that_does_not_end_in_its_time_is_red(kit: Kit) -> None:
    kit.longest_seconds = 120

    entry = kit.rehearse("promoted")

    assert not entry["passed"]
    assert "its execution ended as RUNNING" in problems(entry)


def test_a_silent_judge_promotes_nothing(kit: Kit) -> None:
    rule_disabled(kit)

    entry = kit.rehearse("promoted")

    assert not entry["passed"]
    assert entry["outcome"] == "aborted"


def test_what_cannot_be_played_is_refused_by_name(kit: Kit) -> None:
    with kit.template("control") as template:
        template["Resources"]["Extra"] = {"Type": "AWS::Kinesis::Stream", "Properties": {}}

    with pytest.raises(CannotPlay, match=r"Extra is of type AWS::Kinesis::Stream"):
        kit.rehearse("promoted")
