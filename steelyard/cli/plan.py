"""`steelyard plan`: say what a rollout will be able to decide, when, and at whose cost."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from steelyard.cli.options import Share, console, environment_of, on_trial
from steelyard.cli.place import Unusable
from steelyard.cli.plan_drawing import as_dict, tables
from steelyard.planning.fleet import Fleet, Scaling
from steelyard.planning.outlook import Outlook, Rollout, look
from steelyard.planning.sight import Setting
from steelyard.planning.soak import Alarms
from steelyard.planning.traffic import Expected, Histograms
from steelyard.spec import Endpoint
from steelyard.spec.endpoint import Variant
from steelyard.spec.quantities import seconds


class Duration(click.ParamType[float]):
    """A duration as the endpoint file writes it, such as 20 milliseconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the duration in seconds; a default that is a number already stays."""
        try:
            return value if isinstance(value, float) else seconds(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("endpoint")
@click.option("--environment", help="the environment that is planned for; the first if not given")
@click.option("--challenger", metavar="VERSION", help="another version on trial, such as v1-2-0")
@click.option(
    "--errors",
    type=Share(),
    default="0.5%",
    show_default=True,
    help="the share of the champion's requests that fail, as far as is known",
)
@click.option(
    "--client-errors",
    type=Share(),
    default="1%",
    show_default=True,
    help="the share of requests that are the clients' own mistakes",
)
@click.option(
    "--latency",
    type=Duration(),
    default="20 milliseconds",
    show_default=True,
    help="the median of the champion's answers",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True, max=1e9),
    help="requests a minute; what the file expects if not given",
)
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d %H:%M"]),
    metavar="'YYYY-MM-DD HH:MM'",
    help="when the rollout begins, in UTC: says which freeze windows it meets",
)
@click.option(
    "--runs",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="how often each rollout is played; what all of 20 see is seen by 86% of all",
)
@click.option("--seed", type=int, default=7, show_default=True, help="of the imagined traffic")
@click.option("--all", "is_whole", is_flag=True, help="print each fault that was played, too")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="write a page that draws the evidence over the minutes",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
def plan(endpoint: str, is_whole: bool, page: Path | None, as_json: bool, **typed: Any) -> None:
    """
    Say what a rollout of ENDPOINT will be able to decide, when, and at whose cost.

    The judge itself is played on imagined traffic; AWS is asked for nothing. Exit code 0; 1 if the
    rollout would be refused as it is planned; 2 for input that cannot be used.
    """
    found = _look(rollout(endpoint, **typed))
    if page is not None:
        _write(found, page)
    if as_json:
        click.echo(json.dumps(as_dict(found), indent=2))
    else:
        for table in tables(found, is_whole):
            console().print(table, highlight=False)
    raise SystemExit(1 if found.refused else 0)


def rollout(
    name: str,
    environment: str | None,
    challenger: str | None,
    rate: float | None,
    at: datetime | None,
    runs: int,
    seed: int,
    **known: float,
) -> Rollout:
    """
    Return the rollout that is planned, from what was typed.

    `known` is what is known of the champion. Raises Unusable with all that is wrong.
    """
    found = on_trial(name, challenger, "planned")
    limits = found.file.alarms
    setting = Setting(
        found.policy(),
        expected(found, rate, **known),
        Alarms(limits.error_rate, limits.latency_p99, limits.minimum_requests),
        runs,
        seed,
    )
    title = f"{found.file.endpoint}-{environment_of(found, environment, 'planned')}"
    start = None if at is None else int(at.replace(tzinfo=UTC).timestamp())
    return Rollout(title, setting, fleet(found.champion), fleet(found.challenger), start)


def expected(
    endpoint: Endpoint, rate: float | None, errors: float, client_errors: float, latency: float
) -> Expected:
    """Return the traffic that the endpoint's file and its held-out rows make us expect."""
    champion, challenger = (
        Histograms(
            tuple(scores.score.counts),
            tuple(scores.confidence.counts) if scores.confidence is not None else (),
        )
        for scores in (
            endpoint.manifests[variant.version].scores
            for variant in (endpoint.champion, endpoint.challenger)
        )
    )
    usual = endpoint.file.traffic.requests_per_minute
    return Expected(
        usual if rate is None else rate,
        errors,
        champion,
        challenger,
        client_errors,
        latency,
        edges=endpoint.policy().latency_edges,
    )


def fleet(variant: Variant) -> Fleet:
    """Return a variant's instances as they are planned."""
    scaling = None
    if (found := variant.scaling) is not None:
        scaling = Scaling(found.min, found.max, found.invocations_per_instance)
    return Fleet(
        variant.version,
        variant.instance_type,
        variant.instance_count,
        variant.price_per_hour,
        scaling,
    )


def _look(planned: Rollout) -> Outlook:
    workers = min(os.cpu_count() or 1, planned.setting.runs)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("playing the judge", total=None)
        return look(
            planned,
            lambda done, of: progress.update(task, completed=done, total=of),
            workers,
        )


def _write(found: Outlook, page: Path) -> None:
    # Late: templates cost what other commands need not wait for.
    from steelyard.page.library import ChartLibraryError
    from steelyard.planning.page import write

    try:
        write(found, page)
    except (ChartLibraryError, OSError) as error:
        raise Unusable([str(error)], f"{page} cannot be written") from None
