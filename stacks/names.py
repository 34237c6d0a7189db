"""Names and ARNs that are known before anything exists, so that stacks need not know each other."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """What the parts of one endpoint in one environment are called."""

    endpoint_in_file: str
    environment: str
    account: str
    region: str

    @property
    def endpoint(self) -> str:
        """The endpoint's name, stable for its life."""
        return f"{self.endpoint_in_file}-{self.environment}"

    @property
    def state_machine(self) -> str:
        """The rollout's state machine."""
        return f"{self.endpoint}-rollout"

    @property
    def topic(self) -> str:
        """The topic that people subscribe to."""
        return f"{self.endpoint}-alerts"

    @property
    def undelivered(self) -> str:
        """The queue of what should have woken the rollback Lambda and could not."""
        return f"{self.endpoint}-undelivered"

    def function(self, handler: str) -> str:
        """Return the name of the function that runs `lambdas/<handler>.py`."""
        return f"{self.endpoint}-{handler.replace('_', '-')}"

    def alarm(self, variant: str, signal: str) -> str:
        """Return the name of a variant's alarm; the runbook is called after the signal."""
        return f"{self.endpoint}-{variant}-{signal}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    @property
    def endpoint_arn(self) -> str:
        """The endpoint's ARN."""
        return self.arn("sagemaker", f"endpoint/{self.endpoint}")

    @property
    def state_machine_arn(self) -> str:
        """The state machine's ARN."""
        return self.arn("states", f"stateMachine:{self.state_machine}")

    @property
    def topic_arn(self) -> str:
        """The topic's ARN."""
        return self.arn("sns", self.topic)

    @property
    def undelivered_arn(self) -> str:
        """The ARN of the queue of what could not be delivered."""
        return self.arn("sqs", self.undelivered)

    def alias_arn(self, handler: str) -> str:
        """Return the alias that others wake: an exported version's ARN would wedge updates."""
        return self.arn("lambda", f"function:{self.function(handler)}:live")
