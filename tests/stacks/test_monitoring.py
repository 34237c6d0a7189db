"""The alarms: each variant has all of them, and each says who must come and what to do."""

from dataclasses import replace

import pytest

from stacks.signals import SIGNALS
from tests.stacks.synthesis import ROOT, example, synthesise, templates

LAMBDA = "arn:aws:lambda:eu-central-1:111122223333:function:tumour-classifier-staging-rollback:live"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:tumour-classifier-staging-alerts"


def alarms(found=None):
    resources = (found or templates()).resources("monitoring", "AWS::CloudWatch::Alarm").values()
    return {alarm["Properties"]["AlarmName"]: alarm["Properties"] for alarm in resources}


NAMES = sorted(
    f"tumour-classifier-staging-{version}-{signal.name}"
    for version in ("v1-0-0", "v1-1-0")
    for signal in SIGNALS
)


def test_every_variant_has_every_alarm_and_there_is_no_other():
    assert sorted(alarms()) == NAMES


def watched(alarm):
    """Return the dimensions of everything that an alarm watches, and the metrics' names."""
    queries = alarm.get("Metrics", [{"MetricStat": {"Metric": alarm}}])
    metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
    return [{item["Name"]: item["Value"] for item in metric["Dimensions"]} for metric in metrics], {
        (metric["Namespace"], metric["MetricName"]) for metric in metrics
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_watches_its_own_variant_only(name):
    dimensions, _ = watched(alarms()[name])

    variant = name.removeprefix("tumour-classifier-staging-").rsplit("-", 1)[0]
    assert all(
        found == {"EndpointName": "tumour-classifier-staging", "VariantName": variant}
        for found in dimensions
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_wakes_the_rollback_lambda_first_and_then_people(name):
    alarm = alarms()[name]

    assert alarm["AlarmActions"] == [LAMBDA, TOPIC]
    assert alarm.get("ActionsEnabled", True) is True
    # Silence is for the judge, which never takes it for health.
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_says_how_bad_it_is_whose_it_is_and_what_to_read(name):
    signal = name.rsplit("-", 1)[1]
    description = alarms()[name]["AlarmDescription"]

    assert "Severity: page" in description or "Severity: ticket" in description
    assert "Owner: infrastructure" in description or "Owner: model quality" in description
    assert f"Runbook: runbooks/{signal}.md" in description
    assert (ROOT / "runbooks" / f"{signal}.md").is_file()


def test_latency_is_compared_in_microseconds():
    alarm = alarms()["tumour-classifier-staging-v1-1-0-Latency"]

    assert example().file.alarms.latency_p99 == 0.5
    assert alarm["Threshold"] == 500_000
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (3, 5)


def test_latency_counts_once_there_are_enough_requests_to_speak_of_a_percentile():
    alarm = alarms()["tumour-classifier-staging-v1-1-0-Latency"]
    stats = {it["Id"]: it["MetricStat"] for it in alarm["Metrics"] if "MetricStat" in it}
    (expression,) = [query for query in alarm["Metrics"] if query["ReturnData"]]

    assert expression["Expression"] == "IF(requests >= 5, latency, 0)"
    assert {key: (it["Metric"]["MetricName"], it["Stat"]) for key, it in stats.items()} == {
        "requests": ("Invocations", "Sum"),
        "latency": ("ModelLatency", "p99"),
    }


def test_errors_are_compared_as_a_share_of_requests_once_there_are_enough():
    alarm = alarms()["tumour-classifier-staging-v1-1-0-ErrorRate"]
    queries = {query["Id"]: query for query in alarm["Metrics"]}
    stats = {key: query["MetricStat"] for key, query in queries.items() if "MetricStat" in query}
    (expression,) = [query for query in alarm["Metrics"] if query["ReturnData"]]

    assert alarm["Threshold"] == 0.3
    assert expression["Expression"] == "IF(requests >= 5, (errors - mistakes) / requests, 0)"
    assert {key: (it["Metric"]["MetricName"], it["Stat"]) for key, it in stats.items()} == {
        "requests": ("Invocations", "Sum"),
        "errors": ("InvocationModelErrors", "Sum"),
        "mistakes": ("Invocation4XXErrors", "Sum"),
    }
    assert {it["Metric"]["Namespace"] for it in stats.values()} == {"AWS/SageMaker"}
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (2, 3)


def test_the_limits_are_the_file_s():
    limits = example().file.alarms.model_copy(
        update={"error_rate": 0.1, "latency_p99": 1.25, "minimum_requests": 20}
    )
    file = example().file.model_copy(update={"alarms": limits})

    found = alarms(synthesise(replace(example(), file=file)))

    assert found["tumour-classifier-staging-v1-1-0-Latency"]["Threshold"] == 1_250_000
    rate = found["tumour-classifier-staging-v1-1-0-ErrorRate"]
    assert rate["Threshold"] == 0.1
    assert any("requests >= 20" in query.get("Expression", "") for query in rate["Metrics"])


def test_baselines_are_kept_private_encrypted_and_in_every_version():
    ((key, bucket),) = templates().resources("monitoring", "AWS::S3::Bucket").items()

    assert key == "Baselines974D5F96"
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = bucket["Properties"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in properties
