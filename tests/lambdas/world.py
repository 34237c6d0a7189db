"""What stands around the handlers under test, made and looked at through the services' API."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from lambdas.aws import Ledger
from steelyard.rehearsal import history
from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rollout.ledger import Claim, Lock, lock_key
from steelyard.rollout.policy import canonical
from tests.steelyard.rollout.sample import policy, policy_dict

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT = "scales-test"
TABLE = "ledger"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alerts"
POLICY = canonical(policy().to_dict())
HOME = {"v0": 0, "v1": 100, "v2": 0}


def conducted(**changes: Any) -> str:
    """Return the policy with its conduct changed, as the lock holds it."""
    conduct = policy_dict()["conduct"] | changes
    return canonical(policy(conduct=conduct).to_dict())


class World:
    """A ledger, a topic with a listener, and an endpoint where v1 is champion, v2 challenger."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        aws.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self._listen()
        self.endpoint({"v0": 0, "v1": 1, "v2": 0})

    @property
    def now(self) -> float:
        """The virtual moment, in epoch seconds."""
        return self.aws.clock.now

    def iso(self, after: float = 0.0) -> str:
        """Return the moment `after` seconds from now as AWS writes it."""
        return datetime.datetime.fromtimestamp(self.now + after, datetime.UTC).isoformat()

    def event(self, **more: Any) -> dict[str, Any]:
        """Return what the state machine hands to a function, now."""
        return {"rollout": "r1", "generation": 1, "now": self.iso(), **more}

    def alarm_event(self, variant: str, state: str = "ALARM") -> dict[str, Any]:
        """Return what CloudWatch sends for an alarm of a variant, now."""
        metric = {"name": "ModelLatency", "dimensions": {"VariantName": variant}}
        return {
            "source": "aws.cloudwatch",
            "time": self.iso().replace("+00:00", ".000+0000"),
            "alarmData": {
                "alarmName": f"{ENDPOINT}-{variant}-Latency",
                "state": {"value": state, "reason": "3 of 5 points"},
                "configuration": {"metrics": [{"id": "m1", "metricStat": {"metric": metric}}]},
            },
        }

    def endpoint(
        self, weights: dict[str, float], config: str = "config-1", shadow: str | None = None
    ) -> None:
        """Let an endpoint with these weights have been in service for long."""
        variants, shadows = (
            [
                {"VariantName": name, "InitialVariantWeight": weight, "InitialInstanceCount": 1}
                for name, weight in named.items()
            ]
            for named in (weights, {} if shadow is None else {shadow: 1})
        )
        model = EndpointModel.create(ENDPOINT, config, variants, self.now - 3600, shadows=shadows)
        self.aws.endpoints.models[ENDPOINT] = model

    def busy(self) -> None:
        """Let SageMaker maintain the endpoint for the next minute: it refuses every change."""
        models = self.aws.endpoints.models
        models[ENDPOINT] = models[ENDPOINT].system_update(self.now, 60)

    def settle(self) -> None:
        """Let the time pass that the endpoint needs for what was asked of it."""
        self.aws.clock.advance(max(0, self.aws.endpoints.get(ENDPOINT).settles_at() - self.now))

    @property
    def status(self) -> str:
        """The endpoint's status."""
        return str(self.aws.endpoints.describe(ENDPOINT)["EndpointStatus"])

    def weights(self, field: str = "CurrentWeight") -> dict[str, float]:
        """Return the weights in force, or with DesiredWeight those that were asked for."""
        variants = self.aws.endpoints.describe(ENDPOINT)["ProductionVariants"]
        return {variant["VariantName"]: variant[field] for variant in variants}

    def hold(self, **changes: Any) -> None:
        """Let rollout r1 have held the lock for ten minutes, at its first step unless said else."""
        lock = {
            "endpoint": ENDPOINT,
            "rollout": "r1",
            "generation": 1,
            "phase": "progressing",
            "champion": "v1",
            "challenger": "v2",
            "others": ["v0"],
            "policy": POLICY,
            "seq": 1,
            "step": 0,
            "config": "config-1",
            "began_at": self.now - 600,
            "deadline": self.now + 86400,
        }
        item = json.loads(json.dumps(lock | lock_key(ENDPOINT) | changes), parse_float=Decimal)
        typed = {name: TypeSerializer().serialize(value) for name, value in item.items()}
        self.aws.client("dynamodb").put_item(TableName=TABLE, Item=typed)

    def claim(self, stack: str = "scales-test-endpoint", lasts: float = 7200.0) -> None:
        """Let a deploy of a stack hold rollouts off, for so many seconds from now."""
        Ledger(TABLE, ENDPOINT).claim(Claim(stack, "of a template", self.now + lasts))

    def occupy(self, rollout: str, seq: int) -> None:
        """Let somebody else have written a rollout's record, so that the next write conflicts."""
        item = {"pk": {"S": f"rollout#{rollout}"}, "sk": {"S": f"{seq:08d}"}}
        self.aws.client("dynamodb").put_item(TableName=TABLE, Item=item)

    def lock(self) -> Lock:
        """Return the lock."""
        lock = Ledger(TABLE, ENDPOINT).read()
        assert lock is not None
        return lock

    def records(self, rollout: str = "r1") -> list[dict[str, Any]]:
        """Return a rollout's records."""
        return history.records(self.aws, TABLE, rollout)

    def ring(self, variant: str, state: str = "ALARM") -> str:
        """Let a variant have an alarm in this state; return its name."""
        cloudwatch, name = self.aws.client("cloudwatch"), f"{ENDPOINT}-{variant}-Latency"
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
        return name

    def bake(self) -> str:
        """Start the deployed state machine's own Bake state, which waits for a word."""
        states = self._definition()["States"]["Steps"]["ItemProcessor"]["States"]
        given = {"rollout": "r1", "generation": 1, "step": {"timeout_seconds": 86400}}
        return self._start("Bake", states["Bake"], given)

    def confirm(self) -> str:
        """Start its Confirm state, which waits for a person before the first weight."""
        state = self._definition()["States"]["Confirm"]
        kept = {name: value for name, value in state.items() if name not in ("Next", "Catch")}
        return self._start("Confirm", kept | {"End": True}, {"plan": {"generation": 1}})

    def _definition(self) -> dict[str, Any]:
        definition: dict[str, Any] = json.loads((ROOT / "stacks" / "rollout.asl.json").read_text())
        return definition

    def _start(self, name: str, state: dict[str, Any], given: dict[str, Any]) -> str:
        text = json.dumps({"StartAt": name, "States": {name: state}})
        stepfunctions = self.aws.client("stepfunctions")
        machine = stepfunctions.create_state_machine(
            name=name,
            definition=text.replace("${Ledger}", TABLE).replace("${Endpoint}", ENDPOINT),
            roleArn="arn:aws:iam::111122223333:role/states",
        )["stateMachineArn"]
        execution = stepfunctions.start_execution(
            stateMachineArn=machine, name="r1", input=json.dumps(given)
        )
        self.aws.clock.settle()
        return str(execution["executionArn"])

    def baked(self, execution: str) -> tuple[str, str | None, str | None]:
        """Return status, error and cause of a bake."""
        self.aws.clock.settle()
        answer = self.aws.client("stepfunctions").describe_execution(executionArn=execution)
        return answer["status"], answer.get("error"), answer.get("cause")

    def told(self) -> list[str]:
        """Return the subjects of the messages that people got since the last look."""
        sqs, subjects = self.aws.client("sqs"), []
        while found := sqs.receive_message(QueueUrl=self._queue).get("Messages"):
            for message in found:
                subjects.append(json.loads(message["Body"])["Subject"])
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return subjects

    def _listen(self) -> None:
        sns, sqs = self.aws.client("sns"), self.aws.client("sqs")
        assert sns.create_topic(Name="alerts")["TopicArn"] == TOPIC
        self._queue = sqs.create_queue(QueueName="people")["QueueUrl"]
        arn = "arn:aws:sqs:eu-central-1:111122223333:people"
        sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
