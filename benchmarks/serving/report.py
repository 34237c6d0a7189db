"""Show what was measured: tables on the terminal, the same as Markdown, and all of it as JSON."""

import json
import os
import platform
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.serving.measure import Plan, Round
from benchmarks.serving.ratios import UNITS, Spread, Spreads, Target, medians, ratios, verdicts
from benchmarks.serving.servers import BASE, COMMON, OURS

QUIET = 0.5
"""Load average above which something else was at work."""
Rows = list[list[str]]


@dataclass(frozen=True)
class Machine:
    """Where and when it was measured; `load` is the average of the minute before."""

    processor: str
    cores: int
    system: str
    python: str
    wrk: str
    load: float

    @classmethod
    def here(cls) -> "Machine":
        """Describe this machine as it is now."""
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        version = subprocess.run(["wrk", "--version"], capture_output=True, text=True).stdout
        return cls(
            processor=found[1] if found else platform.machine(),
            cores=os.cpu_count() or 0,
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
            wrk=version.split("[")[0].strip(),
            load=round(os.getloadavg()[0], 2),
        )

    @property
    def warnings(self) -> list[str]:
        """Say what makes these numbers less than they seem."""
        if self.load <= QUIET:
            return []
        return [
            f"the load average was {self.load} before the start, allowed is {QUIET}: something "
            "else was at work; end it and measure again before you quote a number"
        ]


@dataclass(frozen=True)
class Report:
    """All that there is to show."""

    machine: Machine
    versions: Mapping[str, Mapping[str, str]]
    plan: Plan
    rounds: Sequence[Round]

    @property
    def verdicts(self) -> dict[Target, bool | None]:
        """Which targets ours met."""
        return verdicts(ratios(self.rounds))

    @property
    def warnings(self) -> list[str]:
        """Say what makes these numbers less than they seem."""
        differing = [
            f"{name} is not the same everywhere: {', '.join(sorted(found))}; lock it anew"
            for name in COMMON
            if len(found := {it[name] for it in self.versions.values()}) > 1
        ]
        return self.machine.warnings + differing

    def tables(self) -> dict[str, Rows]:
        """Give every table by its title, the head as its first row."""
        found = ratios(self.rounds)
        return {
            f"Times {BASE}, median (lowest to highest) of {len(self.rounds)} rounds": _by_server(
                {name: spreads for name, spreads in found.items() if name != BASE},
                _ratio,
                ("cpu_us", "lines_per_request"),
            ),
            "Medians": _by_server(medians(self.rounds), _median, ("per_cpu_second",)),
            f"Targets, as multiples of {BASE}": [
                ["quantity", "asked for", "median", "met"],
                *(_verdict(target, met, found[OURS]) for target, met in self.verdicts.items()),
            ],
            "Versions": [
                ["server", "packages"],
                *(
                    [server, ", ".join(f"{name} {version}" for name, version in found.items())]
                    for server, found in self.versions.items()
                ),
            ],
        }

    def show(self, console: Console) -> None:
        """Print the tables."""
        for title, (head, *rows) in self.tables().items():
            table = Table(*head, title=title, title_justify="left")
            for row in rows:
                table.add_row(*row)
            console.print(table)
        for line in (_sentence(self.machine, self.plan), *self.warnings):
            console.print(line)

    def write(self, folder: Path) -> None:
        """Write report.json and report.md."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "machine": asdict(self.machine),
            "warnings": self.warnings,
            "seconds": self.plan.seconds,
            "versions": self.versions,
            "rounds": [{name: asdict(it) for name, it in found.items()} for found in self.rounds],
            "ratios": _plain(ratios(self.rounds)),
            "medians": _plain(medians(self.rounds)),
            "targets": [asdict(target) | {"is_met": met} for target, met in self.verdicts.items()],
        }
        (folder / "report.json").write_text(json.dumps(content, indent=2) + "\n")
        tables = [f"## {title}\n\n{_markdown(rows)}" for title, rows in self.tables().items()]
        parts = ["# Serving", _sentence(self.machine, self.plan), *self.warnings, *tables]
        (folder / "report.md").write_text("\n\n".join(parts) + "\n")


def _by_server(found: Spreads, words: Callable[[Spread], str], left_out: Sequence[str]) -> Rows:
    """Give a row for each quantity, sorted as UNITS is, and a column for each server."""
    every = next(iter(found.values()))
    names = [
        name
        for unit in UNITS
        if unit not in left_out
        for name in every
        if name.partition(" ")[0] == unit
    ]
    rows = ([_named(name), *(words(it[name]) for it in found.values())] for name in names)
    return [["", *found], *rows]


def _named(quantity: str) -> str:
    name, _, connections = quantity.partition(" ")
    return f"{UNITS[name]}, c{connections}" if connections else UNITS[name]


def _ratio(spread: Spread) -> str:
    between = "" if spread.low == spread.high else f" ({spread.low:.3g}–{spread.high:.3g})"
    return f"{spread.median:.3g}{between}"


def _median(spread: Spread) -> str:
    return f"{spread.median:,.0f}" if spread.median >= 100 else f"{spread.median:.3g}"


def _verdict(target: Target, met: bool | None, ours: Mapping[str, Spread]) -> list[str]:
    return [
        _named(target.quantity),
        f"{target.bound} {target.limit:g}",
        "–" if met is None else f"{ours[target.quantity].median:.3g}",
        {True: "met", False: "NOT met", None: "not measured"}[met],
    ]


def _sentence(machine: Machine, plan: Plan) -> str:
    return (
        f"{machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}, "
        f"{machine.wrk}; one worker a server on one core, wrk on another, {plan.seconds} s a run; "
        "c64 is 64 connections; "
        f"load average before the start: {machine.load}."
    )


def _markdown(rows: Rows) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _plain(found: Spreads) -> dict[str, dict[str, dict[str, float]]]:
    return {
        server: {name: asdict(spread) for name, spread in spreads.items()}
        for server, spreads in found.items()
    }
