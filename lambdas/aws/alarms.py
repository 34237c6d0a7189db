"""CloudWatch: the endpoint's alarms, and the requests that its instances had."""

import datetime

from lambdas.aws.clients import client

HOUR = 3600


class Alarms:
    """The endpoint's alarms."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._cloudwatch = client("cloudwatch")

    def ringing(self, variant: str) -> list[str]:
        """Return the names of a variant's alarms that are in ALARM now: those fire no action."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=f"{self._endpoint}-{variant}-", AlarmTypes=["MetricAlarm"]
        )
        found = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")


class Load:
    """The requests that a variant's instances had."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._cloudwatch = client("cloudwatch")

    def highest(self, variant: str, now: float) -> float:
        """
        Return the most requests that one instance had in a minute of the last hour; 0 for none.

        SageMaker writes InvocationsPerInstance as a share of each request, so that a minute's sum
        is what target tracking compares:
        https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
        """
        end = datetime.datetime.fromtimestamp(now, datetime.UTC)
        metric = {
            "Namespace": "AWS/SageMaker",
            "MetricName": "InvocationsPerInstance",
            "Dimensions": [
                {"Name": "EndpointName", "Value": self._endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
        }
        # 60 points: far below what one page of an answer holds.
        answer = self._cloudwatch.get_metric_data(
            MetricDataQueries=[
                {"Id": "requests", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
            ],
            StartTime=end - datetime.timedelta(seconds=HOUR),
            EndTime=end,
        )
        (found,) = answer["MetricDataResults"]
        return max(map(float, found["Values"]), default=0.0)
