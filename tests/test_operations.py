"""The page for operators: its commands exist, its examples are what they print."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from lambdas.aws import Ledger
from steelyard.cli import main
from steelyard.cli.deployment import function_name
from steelyard.rollout.ledger import Record
from tests.lambdas.conftest import local, world
from tests.lambdas.world import ENDPOINT, TABLE
from tests.stacks.synthesis import templates
from tests.steelyard.cli.conftest import operated
from tests.steelyard.cli.test_audit import Played

__all__ = ["local", "operated", "world"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
ORDERS = ["pause", "resume", "approve", "abort", "revert"]
COMMANDS = [*ORDERS, "status", "audit", "repair"]


def typed() -> list[list[str]]:
    """Return the words of each command on the page."""
    lines = re.findall(r"^(?:\$ )?steelyard (.*)$", PAGE, re.M)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("words", typed(), ids=" ".join)
def test_each_command_of_the_page_is_one_that_the_command_line_takes(words: list[str]):
    name, *arguments = words
    command = main.commands[name]

    command.make_context(name, arguments, resilient_parsing=False)


def test_every_command_for_operators_is_on_the_page():
    assert {words[0] for words in typed()} == set(COMMANDS)


def test_the_orders_of_the_table_are_the_orders_that_need_a_reason_and_a_rollout():
    told = re.findall(r"^\| `([a-z]+)` \| [^|]*\|[^|]*\|[^|]*\|$", PAGE, re.M)
    needing = {
        name
        for name, command in main.commands.items()
        if {"reason", "rollout"} <= {parameter.name for parameter in command.params}
    }

    assert told == ORDERS
    assert needing == set(ORDERS)


def test_every_option_that_the_page_names_is_one_of_the_command_line():
    known = {
        option
        for name in COMMANDS
        for parameter in main.commands[name].params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE)) <= known


def test_the_commands_find_what_the_template_deploys():
    control = json.loads(templates().text["control"])
    aliases = templates().resources("control", "AWS::Lambda::Alias").values()

    assert control["Outputs"].keys() >= {"LedgerName", "RolloutArn"}
    for handler in ("operate", "rollback"):
        name = templates().functions()[handler]["FunctionName"]
        assert name == function_name("tumour-classifier-staging", handler)
    assert {alias["Properties"]["Name"] for alias in aliases} == {"live"}
    assert len(aliases) == len(templates().functions())


def example(command: str) -> list[str]:
    (output,) = re.findall(rf"^\$ steelyard {command} .*?\n(.*?)```", PAGE, re.S | re.M)
    return [line.rstrip() for line in output.splitlines()]


OUTCOME = {"outcome": "continue"}


def test_the_status_of_the_page_is_what_status_prints(operated):
    world = operated.world
    world.endpoint({"v0": 0, "v1": 90, "v2": 10})
    world.hold(since=world.now - 360, token="t", lease_until=world.now + 180)
    verdict = Record(1, world.now, "decided", "judge", 0, {}, "bake 360 s of 600 s", OUTCOME)
    Ledger(TABLE, ENDPOINT).append(world.lock(), [verdict])

    lines = operated.run("status").stdout.splitlines()

    assert [line.rstrip() for line in lines] == example("status")


def test_the_audit_of_the_page_tells_what_audit_tells(operated):
    """The judge's words and numbers are its own page's matter: here, who did what, and when."""
    rollout = Played(operated.world).step(0, 10).minutes(4).order("pause").minutes(1)
    rollout.order("resume").minutes(4, errors=25).abort()

    lines = operated.run("audit").stdout.splitlines()

    assert acts(lines) == acts(example("audit"))
    assert lines[-1].rstrip() == example("audit")[-1]


def acts(lines: list[str]) -> list[list[str]]:
    return [re.split(r"  +", line)[1:4] for line in lines if re.match(r"\d{4}-", line)]
