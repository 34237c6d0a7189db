"""One endpoint in one environment: its stacks, in the order in which they can stand."""

import aws_cdk as cdk
from constructs import Construct

from stacks.control import ControlStack
from stacks.endpoint import EndpointStack
from stacks.monitoring import MonitoringStack
from stacks.names import Names
from steelyard.spec import Endpoint


class EndpointStage(cdk.Stage):
    """Control, then monitoring, then the endpoint: who watches stands before what is watched."""

    def __init__(self, scope: Construct, *, endpoint: Endpoint, environment: str) -> None:
        place = endpoint.file.environments[environment]
        names = Names(endpoint.file.endpoint, environment, place.account, place.region)
        super().__init__(
            scope, names.endpoint, env=cdk.Environment(account=place.account, region=place.region)
        )
        control = ControlStack(self, "control", names=names, endpoint=endpoint)
        monitoring = MonitoringStack(self, "monitoring", names=names, endpoint=endpoint)
        serving = EndpointStack(self, "endpoint", names=names, endpoint=endpoint)
        monitoring.add_stack_dependency(control)
        serving.add_stack_dependency(monitoring)
        cdk.Tags.of(self).add("steelyard:endpoint", names.endpoint)
