"""Monitoring: the alarms of each variant, and the place where baselines go."""

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.names import Names
from stacks.signals import SIGNALS, Signal
from steelyard.spec import Endpoint


class MonitoringStack(cdk.Stack):
    """Alarms that wake the rollback Lambda and tell people, and a bucket for baselines."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, endpoint: Endpoint) -> None:
        super().__init__(scope, id_, description=f"Watches {names.endpoint}")
        self._names = names
        self._endpoint = endpoint
        for variant in endpoint.versions():
            group = Construct(self, variant)
            for signal in SIGNALS:
                self._alarm(group, variant, signal)
        baselines = s3.Bucket(
            self,
            "Baselines",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            versioned=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        cdk.CfnOutput(self, "BaselinesName", value=baselines.bucket_name)

    def _alarm(self, scope: Construct, variant: str, signal: Signal) -> None:
        names, limits = self._names, self._endpoint.file.alarms
        alarm = cloudwatch.Alarm(
            scope,
            signal.name,
            alarm_name=names.alarm(variant, signal.name),
            alarm_description=(
                f"{signal.summary}. Severity: {signal.severity}. Owner: {signal.owner}. "
                f"Runbook: runbooks/{signal.name}.md"
            ),
            metric=signal.metric(names.endpoint, variant, limits),
            threshold=signal.limit(limits),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=signal.periods,
            datapoints_to_alarm=signal.breaching,
            # No requests, no points: silence is for the judge, which never takes it for health.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        # Both are named by ARN: the alarms may be deployed, changed and removed by themselves.
        alarm.add_alarm_action(_Action(names.alias_arn("rollback")), _Action(names.topic_arn))


@jsii.implements(cloudwatch.IAlarmAction)
class _Action:
    """An alarm action that is known by its ARN alone."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def bind(self, _scope: Construct, _alarm: cloudwatch.IAlarm) -> cloudwatch.AlarmActionConfig:
        """Return the action's ARN; the permission stands beside the function."""
        return cloudwatch.AlarmActionConfig(alarm_action_arn=self._arn)
