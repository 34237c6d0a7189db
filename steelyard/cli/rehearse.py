"""`steelyard rehearse`: play a whole rollout on the local AWS."""

import os
from dataclasses import dataclass
from pathlib import Path

import click

from steelyard.cli.assemble import assembly_problems
from steelyard.cli.cast import Cast, Wish, cast, unplayable
from steelyard.cli.place import Unusable, endpoint_folder
from steelyard.cli.tools import missing_tools
from steelyard.spec import Endpoint, SpecError, load


@dataclass(frozen=True)
class Request:
    """What was typed."""

    endpoint: str
    challenger: str | None
    faults: tuple[str, ...]
    events: tuple[str, ...]
    shadow: bool
    expect: str | None
    everything: bool
    environment: str | None
    assembly: Path | None
    copy: Path | None


@dataclass(frozen=True)
class Programme:
    """What will be played: every rollout, and the environment whose stacks they use."""

    endpoint: Endpoint
    environment: str
    casts: list[Cast]


@click.command()
@click.argument("endpoint")
@click.option("--challenger", metavar="VERSION", help="another version on trial, such as v1-2-0")
@click.option(
    "--fault",
    "faults",
    metavar="KIND=VALUE@STEP",
    multiple=True,
    help="errors=5%@25%, latency=x3@2, constant-output@2 or dead@2, into the challenger from a "
    "step on; may be given more than once",
)
@click.option(
    "--event",
    "events",
    metavar="KIND@MOMENT+DELAY",
    multiple=True,
    help="pause@2+3m, abort@25%, stop-execution@2, deploy@2, revert@end+5m and others, what people "
    "and mishaps do; may be given more than once",
)
@click.option("--shadow", is_flag=True, help="play a shadow run: the challenger answers copies")
@click.option(
    "--expect", type=click.Choice(["promoted", "passed", "aborted"]), help="how it must end"
)
@click.option(
    "--all", "everything", is_flag=True, help="play every rollout of the file's rehearsal"
)
@click.option(
    "--environment", help="the environment whose stacks are played; the first if not given"
)
@click.option(
    "--assembly",
    type=click.Path(path_type=Path),
    help="play this output of cdk synth instead of synthesising",
)
@click.option("--json", "copy", type=click.Path(path_type=Path), help="also write report.json here")
@click.option("--seed", type=int, default=7, show_default=True, help="of traffic, routing, latency")
def rehearse(seed: int, **typed: object) -> None:
    """
    Play a whole rollout of ENDPOINT on the local AWS, on the templates that will be deployed.

    ENDPOINT is a path, or the name of a folder in endpoints/. Exit code 0 when every rollout ended
    as expected, 1 when not, 2 for input that cannot be used.
    """
    request = Request(**typed)  # type: ignore[arg-type]  # click has checked them
    programme = prepare(request)
    # Imported late: the local AWS costs seconds, which wrong input need not wait for.
    from steelyard.cli.play import play

    passed = play(
        programme.endpoint,
        programme.casts,
        programme.environment,
        request.assembly,
        seed,
        request.copy,
    )
    raise SystemExit(0 if passed else 1)


def prepare(request: Request) -> Programme:
    """Return what will be played; raises Unusable with everything that is wrong with a request."""
    problems = [
        *_option_problems(request),
        *_copy_problems(request.copy),
        *missing_tools(synthesises=request.assembly is None),
    ]
    endpoint, casts = None, []
    try:
        endpoint = load(endpoint_folder(request.endpoint), unplayable)
        casts = cast(endpoint, _wishes(endpoint, request))
    except (SpecError, Unusable) as error:
        problems += error.problems
    environment = _environment(endpoint, request, problems)
    if problems or endpoint is None:
        raise Unusable(problems, f"{request.endpoint} cannot be rehearsed")
    return Programme(endpoint, environment, casts)


def _option_problems(request: Request) -> list[str]:
    beside = {
        "--challenger": request.challenger is not None,
        "--fault": bool(request.faults),
        "--event": bool(request.events),
        "--shadow": request.shadow,
        "--expect": request.expect is not None,
        "--assembly": request.assembly is not None,
    }
    return [
        f"{option}: given with --all, which plays the file's rollouts as they are, with their own "
        f"challengers: leave out one of the two"
        for option, is_given in beside.items()
        if request.everything and is_given
    ]


def _copy_problems(copy: Path | None) -> list[str]:
    """Return why a report cannot be written there, before an hour is spent on it."""
    if copy is None:
        return []
    if copy.is_dir():
        return [f"--json: {copy} is a folder, allowed is a file: add the file's name"]
    if not copy.parent.is_dir():
        return [f"--json: {copy.parent} is no folder, allowed is one that exists: make it first"]
    if not os.access(copy if copy.exists() else copy.parent, os.W_OK):
        return [f"--json: {copy} cannot be written: choose another place"]
    return []


def _wishes(endpoint: Endpoint, request: Request) -> list[Wish]:
    if not request.everything:
        name = endpoint.file.endpoint
        typed = (request.challenger, request.faults, request.expect, request.events)
        return [Wish(name, *typed, request.shadow)]
    wishes = [
        Wish(entry.name, entry.challenger, entry.faults, entry.expect, entry.events, entry.shadow)
        for entry in endpoint.file.rehearsal
    ]
    if not wishes:
        raise Unusable(
            [
                f"--all: {endpoint.document.at('rehearsal')}: lists no rollout, allowed is one or "
                f"more: add one, or leave out --all"
            ]
        )
    return wishes


def _environment(endpoint: Endpoint | None, request: Request, problems: list[str]) -> str:
    """Return the environment to play, and note what is wrong with it or with its assembly."""
    known = list(endpoint.file.environments) if endpoint is not None else []
    name = request.environment if request.environment is not None else next(iter(known), "")
    if endpoint is not None and name not in known:
        problems.append(
            f"--environment: given {name!r}, allowed is {', '.join(known)}: write one of these"
        )
    if request.assembly is not None:
        stage = (
            f"{endpoint.file.endpoint}-{name}" if endpoint is not None and name in known else None
        )
        problems += assembly_problems(request.assembly, stage)
    return name
