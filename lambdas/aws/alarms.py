"""CloudWatch: the endpoint's alarms."""

import boto3


class Alarms:
    """The endpoint's alarms."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._cloudwatch = boto3.client("cloudwatch")

    def ringing(self, variant: str) -> list[str]:
        """Return the names of a variant's alarms that are in ALARM now: those fire no action."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=f"{self._endpoint}-{variant}-", AlarmTypes=["MetricAlarm"]
        )
        found = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")
