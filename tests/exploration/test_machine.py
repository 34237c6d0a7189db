"""The interpreter does with the deployed definition what moto's executor does with it."""

import io
import json
import zipfile
from datetime import datetime

import pytest
from moto.awslambda_simple.models import LambdaSimpleBackend

from exploration.execution import stopped
from exploration.expressions import CannotPlay
from exploration.machine import Machine
from exploration.table import Refusal, Table
from exploration.values import thawed
from exploration.world import ENDPOINT, ROOT, SETTINGS, rollout_machine

FUNCTIONS = ("acquire", "preflight", "prepare", "set_weights", "release", "rollback")
LOCK = {
    "pk": {"S": f"lock#{ENDPOINT}"},
    "sk": {"S": "lock"},
    "rollout": {"S": "r1"},
    "generation": {"N": "1"},
    "phase": {"S": "progressing"},
}
STEPS = [
    {"index": index, "weight": weight, "timeout_seconds": 7200}
    for index, weight in enumerate((10, 100))
]
PLAN = {"generation": 1, "steps": STEPS, "confirm": False}
SET = [("set_weights", {"settled": False}), ("set_weights", {"settled": True})]
READY = [("acquire", PLAN), ("preflight", {}), ("prepare", {"prepared": True})]
HOME = [("rollback", {"home": False}), ("rollback", {"home": True})]

# What the Lambdas answer, in order (a text: the error they raise), and what a token is told.
SCRIPTS = {
    "promoted": ([*READY, *SET, *SET, ("release", {})], ["success", "success"]),
    "confirmed": (
        [("acquire", PLAN | {"confirm": True}), *READY[1:], *SET, *SET, ("release", {})],
        ["beat", "success", "beat", "success", "success"],
    ),
    "prepared at the third call": (
        [*READY[:2], *[("prepare", {"prepared": False})] * 2, *READY[2:], *SET, *HOME],
        ["failure"],
    ),
    "refused": ([("acquire", "RolloutInProgress")], []),
    "not ready": ([READY[0], ("preflight", "NotReady"), ("rollback", {"home": True})], []),
    "conflicts": (
        [*READY, ("set_weights", "LedgerConflict"), ("set_weights", "LedgerConflict"), *SET, *HOME],
        ["failure"],
    ),
    "conflicts for too long": (
        [*READY, *[("set_weights", "LedgerConflict")] * 6, ("rollback", {"home": True})],
        [],
    ),
    "nobody judges": ([*READY, *SET, *HOME], ["nothing"]),
    "rollback fails at first": (
        [*READY, ("set_weights", "RolloutEnded"), ("rollback", "EndpointBusy"), *HOME],
        [],
    ),
    "not released": ([*READY, *SET, *SET, ("release", "NotPromoted"), *HOME], ["success"] * 2),
    "a generation that is gone": (
        [("acquire", PLAN | {"generation": 2}), *READY[1:], *SET, *HOME],
        [],
    ),
    "dry run": ([("preflight", {"ready": True})], []),
    "dry run refused": ([("preflight", "NotReady")], []),
}


def given(name):
    return {"dry_run": True} if name.startswith("dry run") else {}


def by_interpreter(name):
    """Play a script; return the calls of Lambdas and how the execution ended."""
    machine, table, now = rollout_machine(), Table().put(LOCK), 1_800_000_000.0
    answers, words = map(list, SCRIPTS[name])
    calls = []
    execution, call = machine.begin("r1", given(name), now)
    while execution.status == "RUNNING":
        if call is not None and call.handler != "sdk":
            handler, answer = answers.pop(0)
            calls.append((call.handler, normal(thawed(call.event))))
            assert call.handler == handler
            if isinstance(answer, str):
                cause = json.dumps({"errorMessage": "said", "errorType": answer})
                execution, call = machine.failed(execution, answer, cause, now)
            else:
                execution, call = machine.returned(execution, answer, now)
        elif call is not None:
            params = thawed(call.event)["params"]
            try:
                table, _ = table.call("update_item", params)
                execution, call = machine.returned(execution, {}, now)
            except Refusal as refusal:
                error = f"DynamoDb.{refusal.answer['Error']['Code']}"
                execution, call = machine.failed(execution, error, "", now)
        elif execution.waits == "token" and (word := words.pop(0)) != "nothing":
            if word == "beat":
                now += 200
                execution = machine.beat(execution, now)
            elif word == "success":
                execution, call = machine.returned(execution, {}, now)
            else:
                execution, call = machine.failed(execution, "JudgedWorse", "worse", now)
        else:
            now = execution.due
            execution, call = machine.time(execution, now)
    assert answers == []
    return calls, execution.status, execution.error


def by_moto(moto, monkeypatch, name):
    """Play the same script with moto's executor."""
    answers, words = map(list, SCRIPTS[name])
    calls = []

    def invoke(_backend, function, _qualifier, body, _headers, response_headers):
        _, answer = answers.pop(0)
        calls.append((function.split(":")[6], normal(json.loads(body))))
        if isinstance(answer, str):
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorMessage": "said", "errorType": answer}).encode()
        return json.dumps(answer).encode()

    monkeypatch.setattr(LambdaSimpleBackend, "invoke", invoke)
    arn = deployed(moto)
    engine = moto.client("stepfunctions")
    execution = engine.start_execution(
        stateMachineArn=arn, name="r1", input=json.dumps(given(name))
    )["executionArn"]
    for _ in range(4000):
        moto.clock.settle()
        status = engine.describe_execution(executionArn=execution)["status"]
        if status != "RUNNING":
            break
        if (token := token_of(moto)) is not None and words[:1] not in ([], ["nothing"]):
            word = words.pop(0)
            if word == "beat":
                moto.clock.advance(200)
                engine.send_task_heartbeat(taskToken=token)
                continue
            forget_token(moto)
            if word == "success":
                engine.send_task_success(taskToken=token, output="{}")
            else:
                engine.send_task_failure(taskToken=token, error="JudgedWorse", cause="worse")
            continue
        moto.clock.advance(1)
    ended = engine.describe_execution(executionArn=execution)
    assert answers == []
    return calls, ended["status"], ended.get("error")


def normal(event):
    """Return a payload with its moment in whole epoch seconds, and the error's name alone."""
    found = event | {"now": round(datetime.fromisoformat(event["now"]).timestamp())}
    return found | ({"error": event["error"]["Error"]} if "error" in event else {})


def deployed(moto):
    """Put the definition, its Lambdas and the ledger where moto finds them; return the ARN."""
    moto.reset()
    moto.clock.advance(-moto.clock.elapsed)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("f.py", "")
    role = moto.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"][
        "Arn"
    ]
    text = (ROOT / "stacks" / "rollout.asl.json").read_text()
    names = {"SetWeights": "set_weights"}
    for state in ("Acquire", "Preflight", "Prepare", "SetWeights", "Release", "Rollback"):
        function = moto.client("lambda").create_function(
            FunctionName=names.get(state, state.lower()),
            Runtime="python3.13",
            Role=role,
            Handler="f.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        text = text.replace(f"${{{state}}}", function["FunctionArn"])
    text = text.replace("${Ledger}", SETTINGS["LEDGER"]).replace("${Endpoint}", ENDPOINT)
    dynamodb = moto.client("dynamodb")
    dynamodb.create_table(
        TableName=SETTINGS["LEDGER"],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName=SETTINGS["LEDGER"], Item=LOCK)
    machine = moto.client("stepfunctions").create_state_machine(
        name="m", definition=text, roleArn=role
    )
    return machine["stateMachineArn"]


def token_of(moto):
    key = {name: LOCK[name] for name in ("pk", "sk")}
    item = moto.client("dynamodb").get_item(TableName=SETTINGS["LEDGER"], Key=key)["Item"]
    return item["token"]["S"] if "token" in item else None


def forget_token(moto):
    key = {name: LOCK[name] for name in ("pk", "sk")}
    moto.client("dynamodb").update_item(
        TableName=SETTINGS["LEDGER"],
        Key=key,
        UpdateExpression="REMOVE #t",
        ExpressionAttributeNames={"#t": "token"},
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_calls_the_same_with_the_same_and_ends_alike(moto, monkeypatch, name):
    calls, status, error = by_moto(moto, monkeypatch, name)

    if name == "nobody judges":
        # moto calls a heartbeat that did not come an error of the machine itself.
        assert error == "States.Runtime"
        error = "States.HeartbeatTimeout"
        calls = [(handler, {**given, **_named(given, error)}) for handler, given in calls]
    assert by_interpreter(name) == (calls, status, error)


def _named(given, error):
    return {"error": error} if "error" in given else {}


def test_an_execution_that_was_stopped_goes_on_at_the_state_it_was_in():
    machine = rollout_machine()
    execution, _ = machine.begin("r1", {}, 0.0)
    execution, first = machine.returned(execution, PLAN, 1.0)

    again, call = machine.redriven(stopped(execution), 900.0)

    assert (again.status, again.state, call.handler) == ("RUNNING", "Preflight", first.handler)


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Parallel", "Branches": []},
        {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage"},
        {"Type": "Wait", "TimestampPath": "$.at"},
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "A"}]},
        {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": {"StartAt": "B", "States": {}}},
    ],
)
def test_a_state_that_it_does_not_know_is_refused(state):
    machine = Machine("m", {"StartAt": "A", "States": {"A": state}})

    with pytest.raises(CannotPlay):
        machine.begin("r1", {"a": 1, "items": [1]}, 0.0)
