"""Which room may import which, and that what the template names is there."""

import ast
import importlib
import sys
from pathlib import Path

import pytest

from tests.stacks.synthesis import templates

ROOT = Path(__file__).resolve().parent.parent
OURS = {"app", "stacks", "steelyard", "lambdas", "inference", "exploration", "tests"}
STANDARD = set(sys.stdlib_module_names)

# Room: which of our rooms it may import beside itself; the longest name that fits wins.
ROOMS = {
    "steelyard.rollout": set(),
    "steelyard.monitor": {"steelyard.rollout"},
    "steelyard.readiness": set(),
    "steelyard.spec": {"steelyard.rollout"},
    "steelyard.page": set(),
    "steelyard.loadtest": {"steelyard.page"},
    "steelyard.rehearsal": {"steelyard.rollout", "steelyard.page"},
    "steelyard.planning": {"steelyard.rollout", "steelyard.page"},
    "steelyard.backtest": {"steelyard.rollout"},
    "steelyard.audit": {"steelyard.rollout"},
    "steelyard.cli": {"steelyard", "lambdas.aws"},
    "steelyard": {"steelyard.cli"},
    "lambdas.aws": {"steelyard.rollout"},
    "lambdas.preflight": {"lambdas", "steelyard.rollout", "steelyard.readiness"},
    "lambdas.drift": {"lambdas", "steelyard.rollout", "steelyard.monitor"},
    "lambdas": {"steelyard.rollout"},
    "stacks": {"steelyard.spec", "steelyard.rollout"},
    "inference": set(),
    "exploration": {"lambdas", "steelyard.rollout", "steelyard.rehearsal"},
    "app": {"stacks", "steelyard.spec"},
}
# Rooms that are shipped in every Lambda, or must run anywhere: what else they may import.
OTHERS = {
    "steelyard.rollout": set(),
    "steelyard.readiness": set(),
    "steelyard.planning": set(),
    "steelyard.backtest": set(),
    "steelyard.audit": set(),
    "lambdas.aws": {"boto3", "botocore"},
    "lambdas": set(),
}


def modules():
    """Return every module of ours by its dotted name."""
    paths = [ROOT / "app.py"]
    for folder in ("stacks", "steelyard", "lambdas", "inference", "exploration"):
        paths += sorted((ROOT / folder).rglob("*.py"))
    found = {}
    for path in paths:
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def within(name, room):
    return name == room or name.startswith(f"{room}.")


def room_of(name, rooms=ROOMS):
    return max((room for room in rooms if within(name, room)), key=len, default=None)


def imported(path):
    """Yield every name that a file imports, at whatever depth it stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by full name"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                # `from package import module` reaches the module, not only the package.
                yield full if full in MODULES else node.module


def allowed(name, importer):
    """Say whether a module may import a name."""
    top, room = name.split(".")[0], room_of(importer)
    if top in OURS:
        return any(within(name, other) for other in (room, *ROOMS[room]))
    strict = room_of(importer, OTHERS)
    return strict is None or top in STANDARD | OTHERS[strict]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_room_may(name):
    assert [it for it in imported(MODULES[name]) if not allowed(it, name)] == []


@pytest.mark.parametrize(
    ("importer", "name"),
    [
        ("steelyard.rollout.judge", "boto3"),
        ("steelyard.rollout.judge", "numpy"),
        ("steelyard.rollout.judge", "steelyard.spec"),
        ("steelyard.spec.folder", "stacks.names"),
        ("steelyard.rehearsal.play", "lambdas.event"),
        ("steelyard.rehearsal.play", "stacks"),
        ("steelyard.rehearsal.play", "steelyard.spec.endpoint"),
        ("steelyard.loadtest.play", "steelyard.rehearsal.containers"),
        ("steelyard.loadtest.play", "steelyard.spec"),
        ("steelyard.page.library", "steelyard.rehearsal.report.schema"),
        ("steelyard.cli.play", "lambdas.event"),
        ("lambdas.judge", "boto3"),
        ("lambdas.judge", "pydantic"),
        ("lambdas.judge", "steelyard.rolloutlike"),
        ("lambdas.aws.ledger", "lambdas.event"),
        ("inference.http.server", "steelyard.rollout.policy"),
        ("stacks.control", "lambdas.event"),
        ("exploration.world", "stacks.control"),
        ("lambdas.judge", "exploration.world"),
    ],
)
def test_what_the_design_forbids_is_refused(importer, name):
    assert not allowed(name, importer)


def test_only_the_stacks_speak_cdk_which_takes_seconds_to_import():
    speakers = {
        name
        for name, path in MODULES.items()
        if any(it.split(".")[0] in ("aws_cdk", "constructs", "jsii") for it in imported(path))
    }

    assert {room_of(name) for name in speakers} == {"app", "stacks"}


def test_no_handler_imports_another():
    handlers = {name for name in MODULES if name.count(".") == 1 and within(name, "lambdas")}
    shared = {"lambdas.aws", "lambdas.event", "lambdas.setting"}

    for name in handlers - shared:
        assert not (set(imported(MODULES[name])) & (handlers - shared)), name


@pytest.mark.parametrize("function", sorted(templates().functions()))
def test_each_handler_that_the_template_names_can_be_called(function):
    module, _, name = templates().functions()[function]["Handler"].rpartition(".")

    assert callable(getattr(importlib.import_module(module), name))


def test_no_file_is_called_after_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "manager"}

    files = [path for folder in ("tests", *OURS) for path in (ROOT / folder).rglob("*.py")]
    assert [path for path in files if path.stem in vague or path.parent.name in vague] == []
