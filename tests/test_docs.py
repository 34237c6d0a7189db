"""What the papers say, held against what the code does."""

import dataclasses
import json
import re
import shlex
import subprocess
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import botocore.session
import pytest
import yaml
from botocore import xform_name
from pydantic import BaseModel, Field, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lambdas.event import cause_of
from stacks.signals import SIGNALS
from steelyard.cli import main
from steelyard.rollout.ledger import Lock, Phase, lock_key, record_key
from steelyard.spec.endpoint import EndpointFile

ROOT = Path(__file__).resolve().parent.parent
RUNBOOKS = sorted(path for path in (ROOT / "runbooks").glob("*.md") if path.name != "README.md")
PAGES = [*RUNBOOKS, ROOT / "runbooks/README.md"]
ROWS = [
    f"{letter}{number}"
    for letter, count in {"R": 17, "M": 9, "S": 11, "P": 8, "O": 9}.items()
    for number in range(1, count + 1)
]
# Words of the aws command line itself, which no service model knows.
CLI_OPTIONS = {"query", "output"}

text = Path.read_text


def by_name(path: Path) -> str:
    return path.name


def rows(page: str) -> list[list[str]]:
    """Return the cells of each row of a page's tables, heads left out."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    bodies = [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if "|---" not in line and "|---" not in following
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in bodies]


def shell(page: str) -> str:
    """Return a page's commands, each on one line."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.S | re.M)).replace("\\\n", " ")


# --- runbooks


def test_each_signal_has_its_runbook_and_each_runbook_its_signal():
    assert {path.stem for path in RUNBOOKS} == {signal.name for signal in SIGNALS}


def test_the_index_says_of_each_signal_what_its_alarm_says():
    index = rows(text(ROOT / "runbooks/README.md"))[: len(SIGNALS)]

    assert index == [
        [f"[{signal.name}]({signal.name}.md)", signal.summary, signal.severity, signal.owner]
        for signal in SIGNALS
    ]


@pytest.mark.parametrize("path", RUNBOOKS, ids=by_name)
def test_a_runbook_has_its_four_parts_on_one_screen(path: Path):
    page = text(path)

    assert re.findall(r"^#+ .*", page.split("```")[0], re.M)[0] == f"# {path.stem}"
    assert re.findall(r"^## (.*)", page, re.M) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert len(page.splitlines()) < 60
    assert not re.search(r"\b(TODO|FIXME|TBD)\b", page)


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_every_aws_command_of_a_runbook_exists_with_its_options(path: Path):
    commands = re.findall(r"aws ([a-z]+) ([a-z-]+)([^\n|#]*)", shell(text(path)))

    assert commands
    assert [problem for command in commands for problem in wrong_with(*command)] == []


def wrong_with(service: str, name: str, rest: str) -> Iterator[str]:
    model = botocore.session.Session().get_service_model(service)
    operations = {xform_name(operation, "-"): operation for operation in model.operation_names}
    if name not in operations:
        yield f"aws {service} {name} is no command"
        return
    members = model.operation_model(operations[name]).input_shape.members
    known = CLI_OPTIONS | {xform_name(member, "-") for member in members}
    given = re.findall(r"--([a-z-]+)", rest)
    yield from (
        f"aws {service} {name} has no --{option}" for option in given if option not in known
    )


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_every_name_in_a_command_is_explained(path: Path):
    used = set(re.findall(r"\$([A-Z]+)", shell(text(path))))
    assigned = set(re.findall(r"\b([A-Z]+)=", shell(text(path))))
    explained = set(re.findall(r"`\$([A-Z]+)`", text(ROOT / "runbooks/README.md")))

    assert used <= assigned | explained


def steelyard_commands(page: str) -> list[list[str]]:
    """Return the words after `steelyard` of each command on a page, also those within a line."""
    found = re.findall(r"^steelyard ([^\n]*)", shell(page), re.M)
    found += re.findall(r"`steelyard ([^`]+)`", page)
    return [shlex.split(line, comments=True) for line in found if " " in line]


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_every_steelyard_command_of_a_runbook_is_one_that_the_command_line_takes(path: Path):
    commands = steelyard_commands(text(path))

    assert commands
    for name, *arguments in commands:
        context = main.commands[name].make_context(name, arguments)
        assert context.params["endpoint"] == "$ENDPOINT"


@pytest.mark.parametrize("path", RUNBOOKS, ids=by_name)
def test_a_runbook_looks_aborts_and_reverts_in_this_order(path: Path):
    assert [words[0] for words in steelyard_commands(text(path))] == ["status", "abort", "revert"]


@pytest.mark.parametrize(("more", "is_revert"), [({}, False), ({"revert": True}, True)])
def test_without_the_command_line_the_event_is_an_operators_order_to_the_rollback_lambda(
    more: dict[str, bool], is_revert: bool, tmp_path: Path
):
    (line,) = re.findall(r"^printf .*event\.json$", shell(text(ROOT / "runbooks/README.md")), re.M)
    given = {"ROLLOUT": "v1-1-0-7", "WHY": "errors seen by callers", "PATH": "/usr/bin:/bin"}

    subprocess.run(["bash", "-c", line], cwd=tmp_path, env=given, check=True)
    cause = cause_of(json.loads(text(tmp_path / "event.json")) | more)

    assert cause is not None
    assert (cause.actor, cause.reason) == ("operator", "errors seen by callers")
    assert cause.condition == {"rollout": "v1-1-0-7"}
    assert cause.revert is is_revert


def test_the_ledger_is_read_by_the_keys_that_it_is_written_with():
    words = shlex.split(shell(text(ROOT / "runbooks/README.md")), comments=True)
    lock = {name: {"S": value} for name, value in lock_key("$ENDPOINT").items()}

    assert [json.loads(word) for word in words if '"S":' in word] == [
        lock,
        {":rollout": {"S": record_key("$ROLLOUT", 0)["pk"]}},
    ]


def first_cells(page: str, head: str) -> list[str]:
    """Return the first cell of each row of the table whose head begins with this word."""
    (table,) = re.findall(rf"^\| {head} \|.*\n\|---.*\n((?:\|.*\n)+)", page, re.M)
    return [line.strip("|").split(" | ")[0].strip().strip("`") for line in table.splitlines()]


def test_every_message_that_a_function_sends_is_explained_and_no_other():
    sources = "".join(text(ROOT / f"lambdas/{name}.py") for name in ("rollback", "watchdog"))
    sent = set(re.findall(r'"(?:\{[a-z.]+\}: )?((?:rollout|rollback|traffic) [a-z ]+)"', sources))
    told = set(first_cells(text(ROOT / "runbooks/README.md"), "message"))

    assert told == sent | {"promoted, passed"}


@pytest.mark.parametrize("name", ["runbooks/README.md", "docs/architecture.md"])
def test_every_phase_is_explained(name: str):
    assert set(first_cells(text(ROOT / name), "phase")) == set(typing.get_args(Phase))


def test_every_field_of_the_lock_is_explained():
    told = ", ".join(first_cells(text(ROOT / "docs/architecture.md"), "field"))

    assert sorted(told.replace("`", "").split(", ")) == sorted(
        field.name for field in dataclasses.fields(Lock) if field.name != "endpoint"
    )


# --- coverage


def coverage() -> list[list[str]]:
    return rows(text(ROOT / "docs/coverage.md"))


def test_coverage_names_every_row_once_and_in_order():
    assert [row[0] for row in coverage()] == ROWS


def test_a_status_is_backed_by_a_place_and_a_showing():
    assert {row[2] for row in coverage()} <= {"absent", "partial", "works"}
    for id_, _, status, where, shown, missing in coverage():
        assert bool(where) == bool(shown) == (status != "absent"), id_
        assert status == "absent" or bool(missing) == (status == "partial"), id_


def test_every_place_in_coverage_exists():
    named = {path for row in coverage() for path in re.findall(r"`([\w./-]+)`", row[3] + row[4])}

    assert named
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_rehearsal_in_coverage_is_played():
    file = yaml.safe_load(text(ROOT / "endpoints/tumour-classifier/endpoint.yaml"))
    played = {scenario["name"] for scenario in file["rehearsal"]}
    named = {name for row in coverage() for name in re.findall(r"\*Rehearsal: ([^*]+)\*", row[4])}

    assert named == played


# --- the endpoint file


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield each field of a model and of the models in it, by its path as people write it."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        part, joint = part_of(field.annotation)
        if joint != ".NAME.":  # a mapping's own names are the user's
            yield path, field
        if part is not None:
            yield from fields(part, path + joint)


def part_of(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the model that an annotation holds and how its fields are joined to it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, "."
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return part_of(arguments[0])
    if origin in (list, dict, types.UnionType):
        part, _ = part_of([it for it in arguments if it is not types.NoneType][-1])
        return part, {list: "[].", dict: ".NAME."}.get(origin, ".")
    return None, ""


def explained() -> dict[str, list[str]]:
    found = rows(text(ROOT / "docs/endpoint-file.md"))
    return {row[0].strip("`"): row[1:] for row in found}


def test_every_field_of_the_endpoint_file_is_explained_and_no_other():
    known = {path for path, _ in fields(EndpointFile)}

    assert set(explained()) - {"environments"} == known - {"environments"}


@pytest.mark.parametrize(("path", "field"), list(fields(EndpointFile)))
def test_the_default_that_is_told_is_the_one_that_holds(path: str, field: FieldInfo):
    told = explained()[path][1]

    if field.is_required():
        assert told == "*required*"
    elif isinstance(field.default, BaseModel):
        assert told == "all defaults"
        assert field.default == type(field.default)()
    else:
        assert field.default is not PydanticUndefined
        accepted = TypeAdapter(Annotated[field.annotation, Field(), *field.metadata])
        assert accepted.validate_python(yaml.safe_load(told.strip("`"))) == field.default


# --- the rest


def test_the_picture_of_a_rollout_has_each_transition_of_the_machine_and_no_other():
    machine = json.loads(text(ROOT / "stacks/rollout.asl.json"))
    (picture,) = re.findall(
        r"```mermaid\nstateDiagram-v2\n(.*?)```", text(ROOT / "docs/architecture.md"), re.S
    )

    assert set(re.findall(r"(\S+) --> ([^\s:]+)", picture)) == set(transitions(machine))


def transitions(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "[*]", machine["StartAt"]
    for name, state in machine["States"].items():
        ways = [state, *state.get("Choices", ()), *state.get("Catch", ())]
        following = [way.get(key) for way in ways for key in ("Next", "Default")]
        yield from ((name, other) for other in following if other is not None)
        if state.get("End") or state["Type"] in ("Succeed", "Fail"):
            yield name, "[*]"
        yield from transitions(state["ItemProcessor"]) if "ItemProcessor" in state else ()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(name: str):
    targets = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.M))
    named = set(re.findall(r"(?:`|^\$ )make ([a-z]+)", text(ROOT / name), re.M))

    assert named
    assert named <= targets


LINKED = [
    "CONTRIBUTING.md",
    "docs/backtest.md",
    "docs/endpoint-file.md",
    "docs/judge.md",
    "docs/operations.md",
    "docs/plan.md",
    "docs/reliability.md",
    "runbooks/README.md",
]
NAMING = ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/coverage.md"]


@pytest.mark.parametrize("name", sorted({*LINKED, *NAMING}))
def test_every_link_leads_to_a_file(name: str):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text(ROOT / name))

    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", NAMING)
def test_every_source_file_that_is_named_exists(name: str):
    rooms = "stacks|lambdas|steelyard|inference|endpoints|exploration|runbooks|tests"
    named = set(re.findall(rf"`((?:{rooms})/[\w./-]+)`", text(ROOT / name)))
    absent = {"steelyard/readiness/", "steelyard/monitor/"}  # and said to be
    found = {path for path in named - absent if not re.search(r"[A-Z]{4}", path)}

    assert found
    assert [path for path in sorted(found) if not (ROOT / path).exists()] == []
