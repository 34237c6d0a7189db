"""What wakes the rollback Lambda, read into values."""

import json

import pytest

from lambdas.event import Cause, cause_of, epoch

AT = 1_800_000_000.0


def alarm(value="ALARM", *variants):
    metrics = [{"id": "e1", "expression": "errors / requests"}]
    metrics += [
        {"id": f"m{i}", "metricStat": {"metric": {"dimensions": {"VariantName": variant}}}}
        for i, variant in enumerate(variants)
    ]
    return {
        "source": "aws.cloudwatch",
        "time": "2027-01-15T08:00:00.000+0000",
        "alarmData": {
            "alarmName": "scales-v2-ErrorRate",
            "state": {"value": value, "reason": "2 of 3 points"},
            "configuration": {"metrics": metrics},
        },
    }


def execution(status, **more):
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "time": "2027-01-15T08:00:00Z",
        "detail": {"name": "r1", "status": status, **more},
    }


def engine(error):
    return {"rollout": "r1", "now": "2027-01-15T08:00:00Z", "error": error}


@pytest.mark.parametrize(
    "moment",
    [
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:00:00.000Z",
        "2027-01-15T08:00:00.000+0000",
        "2027-01-15T09:00:00+01:00",
    ],
)
def test_every_spelling_of_a_moment_is_the_same_second(moment):
    assert epoch(moment) == AT


R1 = {"rollout": "r1"}


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (
            alarm("ALARM", "v2", "v2", "v2"),
            Cause(
                AT,
                "alarm",
                "scales-v2-ErrorRate: 2 of 3 points",
                {"challenger": "v2"},
                begun_by=AT,
            ),
        ),
        (alarm("OK", "v2"), None),
        (alarm("INSUFFICIENT_DATA", "v2"), None),
        (
            engine({"Error": "JudgedWorse", "Cause": "errors 31 > 20"}),
            Cause(AT, "judge", "errors 31 > 20", R1),
        ),
        (
            engine(
                {
                    "Error": "NotReady",
                    "Cause": json.dumps(
                        {"errorMessage": "not InService", "errorType": "NotReady", "stackTrace": []}
                    ),
                }
            ),
            Cause(AT, "engine", "NotReady: not InService", R1),
        ),
        (
            engine({"Error": "States.HeartbeatTimeout", "Cause": ""}),
            Cause(AT, "engine", "States.HeartbeatTimeout", R1),
        ),
        (engine({"Error": "States.Timeout"}), Cause(AT, "engine", "States.Timeout", R1)),
        (engine({"Error": "X", "Cause": "[1]"}), Cause(AT, "engine", "X: [1]", R1)),
        (engine({"Error": "X", "Cause": "{}"}), Cause(AT, "engine", "X: {}", R1)),
        (
            {"rollout": "r1", "now": "2027-01-15T08:00:00Z", "reason": "I said so"},
            Cause(AT, "operator", "I said so", R1),
        ),
        (
            {"rollout": "r1", "now": "2027-01-15T08:00:00Z", "reason": "slow", "actor": "anna"},
            Cause(AT, "operator", "anna: slow", R1),
        ),
        (
            {"rollout": "r1", "now": "2027-01-15T08:00:00Z", "reason": "slow", "revert": True},
            Cause(AT, "operator", "slow", R1, revert=True),
        ),
        (
            execution("FAILED", error="JudgedWorse", cause="errors 31 > 20"),
            Cause(AT, "engine", "the execution ended FAILED: JudgedWorse: errors 31 > 20", R1),
        ),
        (execution("TIMED_OUT"), Cause(AT, "engine", "the execution ended TIMED_OUT", R1)),
        (
            execution("ABORTED", error=None, cause=None),
            Cause(AT, "engine", "the execution ended ABORTED", R1),
        ),
        (execution("SUCCEEDED"), None),
        (execution("RUNNING"), None),
        (
            {"rollout": "r1", "now": "2027-01-15T08:00:00Z"},
            Cause(AT, "operator", "no reason given", R1),
        ),
    ],
)
def test_each_caller_s_event_is_read_into_who_why_and_for_which_rollout(event, cause):
    assert cause_of(event) == cause


@pytest.mark.parametrize("event", [{}, {"rollout": "r1"}, {"Records": []}])
def test_an_event_of_nobody_known_is_refused_by_what_it_holds(event):
    with pytest.raises(ValueError, match="are understood") as refusal:
        cause_of(event)

    assert str(sorted(event)) in str(refusal.value)


@pytest.mark.parametrize("variants", [(), ("v1", "v2")])
def test_an_alarm_that_watches_no_single_variant_is_refused(variants):
    with pytest.raises(ValueError, match=r"alarm scales-v2-ErrorRate watches .* one variant"):
        cause_of(alarm("ALARM", *variants))
