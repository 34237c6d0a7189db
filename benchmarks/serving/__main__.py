"""Compare what serving costs: `python -m benchmarks.serving`, best as `make bench`."""

import json
import os
import shutil
import signal
import sys
from typing import Any

import click
import numpy as np
from rich.console import Console

from benchmarks.serving.measure import Plan, measure
from benchmarks.serving.model import scores, write_version
from benchmarks.serving.report import Machine, Report
from benchmarks.serving.servers import BASE, BUILD, MODEL, OURS, SERVERS, CannotMeasure
from benchmarks.serving.verify import Sample

OTHERS = [name for name in SERVERS if name not in (OURS, BASE)]


class Listed(click.ParamType[tuple[object, ...]]):
    """Several of one type, with commas between."""

    name = "list"

    def __init__(self, member: click.ParamType[Any]) -> None:
        self._member = member

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[object, ...]:
        """Split and convert; what is no such list is refused by click, which exits with 2."""
        if isinstance(value, tuple):
            return value
        return tuple(self._member.convert(it, param, ctx) for it in str(value).split(","))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--peers",
    type=Listed(click.Choice([BASE, *OTHERS])),
    default=",".join(OTHERS),
    show_default=True,
    help=f"Servers beside ours and {BASE}, which is always there: ratios are made to it.",
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=3, show_default=True, help="A run's.")
@click.option("--connections", type=Listed(click.IntRange(1)), default="1,8,64", show_default=True)
@click.option("--quick", is_flag=True, help=f"One round of one second, {BASE} alone.")
@click.option("--strict", is_flag=True, help="Exit 1 when a target is missed or not measured.")
def main(
    peers: tuple[str, ...],
    rounds: int,
    seconds: int,
    connections: tuple[int, ...],
    quick: bool,
    strict: bool,
) -> None:
    """Compare our container with other servers: same model, same request, same work."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends servers, too
    names = dict.fromkeys((OURS, BASE, *(() if quick else peers)))
    servers = [SERVERS[name] for name in names]
    try:
        core = _cores()
        plan = Plan(servers, 1 if quick else rounds, 1 if quick else seconds, connections, core)
        report = _measured(plan)
    except CannotMeasure as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    console = Console()
    report.show(console)
    report.write(BUILD / "serving")
    console.print(f"report: {BUILD / 'serving'}/report.md and report.json")
    if strict and not all(report.verdicts.values()):
        sys.exit(1)


def _measured(plan: Plan) -> Report:
    machine = Machine.here()
    for warning in machine.warnings:
        click.echo(f"warning: {warning}", err=True)
    versions = {server.name: server.versions() for server in plan.servers}
    # Plain lines: a live display would take time from wrk, on whose core this process is.
    rounds = measure(plan, _sample(), lambda step: click.echo(step, err=True))
    return Report(machine, versions, plan, rounds)


def _sample() -> Sample:
    records = write_version(MODEL)
    manifest = json.loads((MODEL / "manifest.json").read_bytes())
    rows = np.array([list(record.values()) for record in records])
    redacted = frozenset(it["name"] for it in manifest["features"] if it["pii"])
    expected = scores((MODEL / "model.onnx").read_bytes(), rows)
    return Sample(records, expected, redacted, manifest["version"])


def _cores() -> int:
    """Keep this process, and so wrk, off the core that it gives for the servers."""
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            raise CannotMeasure(
                f"there is no {program} on the PATH; install it: apt-get install {package}"
            )
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise CannotMeasure(
            f"this process may use {len(allowed)} core, at least 2 are needed: one for the server, "
            "one for what loads it; allow it another"
        )
    os.sched_setaffinity(0, {allowed[1]})
    return allowed[0]


if __name__ == "__main__":
    main()
