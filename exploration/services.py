"""AWS in a world: each call changes the world and has an answer, or is refused."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from exploration.deploy import DEPLOY
from exploration.execution import Call, Execution
from exploration.expressions import CannotPlay
from exploration.machine import Machine
from exploration.replay import Process, Request
from exploration.table import Refusal
from exploration.traffic import CHALLENGER, CHAMPION, Health
from exploration.values import dated, frozen, iso, thawed
from exploration.world import ENDPOINT, HELD, Target, World, rollout_machine
from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.endpoint_request import Refused

Params = Mapping[str, Any]
Answer = tuple[World, dict[str, Any]]

MACHINES: dict[str, Machine] = {
    "rollout": rollout_machine(),
    "deploy": Machine("deploy", DEPLOY),
}


def call(world: World, request: Request) -> tuple[World, str]:
    """Return the world after a call, and its answer as text: a result, or a refusal."""
    params = thawed(request.params)
    try:
        after, answer = _SERVICES[request.service](world, request.operation, params)
    except Refusal as refusal:
        return world, frozen({"refused": refusal.answer})
    except Refused as refused:
        return world, frozen({"refused": Refusal(refused.code, refused.message).answer})
    return after, frozen(answer)


def _dynamodb(world: World, operation: str, params: Params) -> Answer:
    table, answer = world.table.call(operation, params)
    return world.but(table=table), dated(answer, world.now)


def _sagemaker(world: World, operation: str, params: Params) -> Answer:
    if operation == "describe_endpoint":
        return world, world.description
    if operation == "update_endpoint_weights_and_capacities":
        desired = params["DesiredWeightsAndCapacities"]
        after = world.endpoint.update_weights_and_capacities(desired, world.now)
    elif operation == "update_endpoint":
        after = _updated(world, params)
    else:
        raise CannotPlay(f"sagemaker.{operation} is not known")
    return world.but(endpoint=after), {"EndpointArn": world.endpoint.arn}


def _updated(world: World, params: Params) -> EndpointModel:
    """Return the endpoint on another config, which names the same variants."""
    variants = [
        {"VariantName": name, "InitialVariantWeight": float(index == 0), "InitialInstanceCount": 1}
        for index, name in enumerate(world.weights())
    ]
    keeps = params.get("RetainAllVariantProperties", False)
    return world.endpoint.update_endpoint(params["EndpointConfigName"], variants, world.now, keeps)


def _cloudwatch(world: World, operation: str, params: Params) -> Answer:
    if operation == "describe_alarms":
        prefix = params.get("AlarmNamePrefix", "")
        names = sorted(name for name in world.alarms if name.startswith(prefix))
        found = [{"AlarmName": name, "StateValue": "ALARM"} for name in names]
        return world, {"MetricAlarms": found, "CompositeAlarms": []}
    if operation in ("get_metric_data", "get_metric_statistics"):
        # Nothing is said of load: what a handler makes of silence is its own matter.
        queries = params.get("MetricDataQueries", [])
        results = [{"Id": q["Id"], "Timestamps": [], "Values": []} for q in queries]
        return world, {"MetricDataResults": results, "Datapoints": []}
    raise CannotPlay(f"cloudwatch.{operation} is not known")


def _scaling(world: World, operation: str, params: Params) -> Answer:
    if operation == "describe_scalable_targets":
        wanted = params.get("ResourceIds")
        found = [_shown(target) for target in world.targets]
        return world, {
            "ScalableTargets": [t for t in found if wanted is None or t["ResourceId"] in wanted]
        }
    if operation == "describe_scaling_policies":
        return world, {"ScalingPolicies": []}
    if operation == "register_scalable_target":
        return world.but(targets=_registered(world.targets, params)), {}
    raise CannotPlay(f"application-autoscaling.{operation} is not known")


def _shown(target: Target) -> dict[str, Any]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": _resource(target.variant),
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": target.least,
        "MaxCapacity": target.most,
        "SuspendedState": {name: name in target.held for name in HELD},
    }


def _registered(targets: tuple[Target, ...], params: Params) -> tuple[Target, ...]:
    if params["ResourceId"] not in [_resource(target.variant) for target in targets]:
        raise CannotPlay(f"register_scalable_target would make {params['ResourceId']} anew")
    asked = params.get("SuspendedState", {})
    return tuple(
        target
        if _resource(target.variant) != params["ResourceId"]
        else replace(
            target,
            least=params.get("MinCapacity", target.least),
            most=params.get("MaxCapacity", target.most),
            held=frozenset(n for n in HELD if asked.get(n, n in target.held)),
        )
        for target in targets
    )


def _resource(variant: str) -> str:
    return f"endpoint/{ENDPOINT}/variant/{variant}"


def _stepfunctions(world: World, operation: str, params: Params) -> Answer:
    waiting = [
        one for one in world.executions if one.waits == "token" and one.token == params["taskToken"]
    ]
    if not waiting:
        raise Refusal("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    (execution,) = waiting
    machine = MACHINES[execution.machine]
    if operation == "send_task_heartbeat":
        return world.with_execution(machine.beat(execution, world.now)), {}
    if operation == "send_task_success":
        return onward(world, machine.returned(execution, thawed(params["output"]), world.now)), {}
    if operation == "send_task_failure":
        step = machine.failed(execution, params["error"], params["cause"], world.now)
        return onward(world, step), {}
    raise CannotPlay(f"stepfunctions.{operation} is not known")


def _topic(world: World, _operation: str, _params: Params) -> Answer:
    return world, {}


_SERVICES: Mapping[str, Callable[[World, str, Params], Answer]] = {
    "dynamodb": _dynamodb,
    "sagemaker": _sagemaker,
    "cloudwatch": _cloudwatch,
    "application-autoscaling": _scaling,
    "stepfunctions": _stepfunctions,
    "sns": _topic,
}


def invoked(world: World, handler: str, event: Any, caller: str | None = None) -> World:
    """Return the world in which a Lambda was invoked; a dead one never runs."""
    if handler in world.dead:
        return world
    process = Process(handler, frozen(event), world.now, health(world), caller)
    return world.but(processes=(*world.processes, process))


def health(world: World) -> Health:
    """Return how the variants do, as the counters show it from now on."""
    is_alone = world.weights()[CHAMPION] == 0
    since = world.description["LastModifiedTime"] if is_alone else None
    return replace(world.health, alone=since)


def onward(world: World, step: tuple[Execution, Call | None]) -> World:
    """Return the world with an execution taken on: its new state, and what it calls or tells."""
    execution, asked = step
    world = world.with_execution(execution)
    if asked is not None:
        process = Process(asked.handler, asked.event, world.now, Health(), execution.name)
        return world.but(processes=(*world.processes, process))
    if execution.status not in ("RUNNING", "SUCCEEDED") and execution.machine == "rollout":
        return invoked(world, "rollback", ended_event(execution, world.now))
    return world


def ended_event(execution: Execution, now: float) -> dict[str, Any]:
    """Return what EventBridge sends when an execution has ended without success."""
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "time": iso(now),
        "detail": {
            "name": execution.name,
            "status": execution.status,
            "stateMachineArn": "arn:aws:states:::stateMachine:rollout",
            "error": execution.error,
            "cause": execution.cause,
        },
    }


def alarm_event(now: float, variant: str = CHALLENGER) -> dict[str, Any]:
    """Return what CloudWatch sends for a variant's alarm."""
    metric = {"name": "ModelLatency", "dimensions": {"VariantName": variant}}
    return {
        "source": "aws.cloudwatch",
        "time": iso(now).replace("Z", "+0000"),
        "alarmData": {
            "alarmName": f"{ENDPOINT}-{variant}-Latency",
            "state": {"value": "ALARM", "reason": "3 of 5 points"},
            "configuration": {"metrics": [{"id": "m1", "metricStat": {"metric": metric}}]},
        },
    }
