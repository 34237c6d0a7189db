"""Synthesise, play and report: what `steelyard rehearse` does once its input is good."""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from steelyard.cli.assemble import mismatches, synthesise
from steelyard.cli.cast import Cast
from steelyard.cli.place import BUILD, Unusable
from steelyard.cli.screen import Screen
from steelyard.rehearsal.assembly import Assembly, CannotPlay, stage_folder
from steelyard.rehearsal.containers import ContainerFailed
from steelyard.rehearsal.functions import CannotStart
from steelyard.rehearsal.rehearse import Watches, rehearse
from steelyard.rehearsal.report import ChartLibraryError, write
from steelyard.rehearsal.scenario import Scenario
from steelyard.rehearsal.traffic import bodies
from steelyard.spec import Endpoint


def play(
    endpoint: Endpoint,
    casts: Sequence[Cast],
    environment: str,
    assembly: Path | None,
    seed: int,
    copy: Path | None,
) -> bool:
    """
    Play every rollout, write the report, and say whether all ended as expected.

    Raises Unusable for an assembly that cannot be synthesised or played.
    """
    watches = Watches()
    records = [record for record, _ in endpoint.rows]
    rate = endpoint.file.traffic.requests_per_minute
    with (
        tempfile.TemporaryDirectory(prefix="steelyard-synth-") as folder,
        Screen(casts[0].endpoint.trial_policy().plan()) as screen,
        _refusals(),
    ):
        outputs = _outputs(casts, environment, assembly, Path(folder), screen, watches)
        scenarios = _scenarios(casts, environment, outputs)
        report = rehearse(environment, scenarios, bodies(records), rate, seed, screen, watches)
        write(report, BUILD)
        if copy is not None:
            copy.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", "utf-8")
        screen.summarise(report, BUILD)
    return all(entry["passed"] for entry in report["rollouts"])


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the rehearsal refuses into input that cannot be used."""
    try:
        yield
    except CannotPlay as error:
        raise Unusable(error.problems, "the rehearsal cannot play this assembly") from None
    except (CannotStart, ContainerFailed, ChartLibraryError) as error:
        raise Unusable([str(error)]) from None


def _outputs(
    casts: Sequence[Cast],
    environment: str,
    assembly: Path | None,
    folder: Path,
    screen: Screen,
    watches: Watches,
) -> list[Path]:
    """Return the output that each rollout is played from; each challenger is synthesised once."""
    if assembly is not None:
        return [assembly for _ in casts]
    since = time.perf_counter()
    endpoints = {folder / _name(one): one.endpoint for one in casts}
    with screen.working(f"synthesising {', '.join(path.name for path in endpoints)}"):
        synthesise(endpoints, environment)
    watches.note("synthesise", since)
    return [folder / _name(one) for one in casts]


def _name(one: Cast) -> str:
    """Return what a rollout's output is called: all of one challenger's are alike."""
    return f"{one.endpoint.challenger.version}{'-shadow' if one.is_shadow else ''}"


def _scenarios(casts: Sequence[Cast], environment: str, outputs: Sequence[Path]) -> list[Scenario]:
    assemblies = [
        Assembly.read(stage_folder(output, f"{one.endpoint.file.endpoint}-{environment}"))
        for one, output in zip(casts, outputs, strict=True)
    ]
    pairs = list(zip(casts, assemblies, strict=True))
    problems = [problem for one, it in pairs for problem in mismatches(it, one.endpoint)]
    if problems:
        raise Unusable(list(dict.fromkeys(problems)))
    return [_scenario(one, it) for one, it in pairs]


def _scenario(one: Cast, assembly: Assembly) -> Scenario:
    return Scenario(
        name=one.name,
        assembly=assembly,
        champion=one.endpoint.champion.version,
        challenger=one.endpoint.challenger.version,
        plan=one.weights,
        faults=one.faults,
        is_worse=one.is_worse,
        expected=one.expected,
        longest_seconds=one.longest_seconds,
        events=one.events,
        is_shadow=one.is_shadow,
    )
