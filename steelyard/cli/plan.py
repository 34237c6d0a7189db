"""`steelyard plan`: say what a rollout will be able to decide, when, and at whose cost."""

import json

import click
from rich.console import Console

from steelyard.cli.options import Share, console, environment_of, on_trial
from steelyard.cli.plan_drawing import as_dict, tables
from steelyard.planning.plan import Setting, make
from steelyard.planning.times import Fleet, extras, times
from steelyard.planning.traffic import Expected
from steelyard.spec import Endpoint
from steelyard.spec.endpoint import Variant


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
    "--rate",
    type=click.FloatRange(min=0, min_open=True, max=1e9),
    help="requests a minute; what the file expects if not given",
)
@click.option(
    "--runs",
    type=click.IntRange(1, 10_000),
    default=60,
    show_default=True,
    help="how often each rollout is played; what all of 60 see is seen by 95% of all",
)
@click.option("--seed", type=int, default=7, show_default=True, help="of the imagined traffic")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
def plan(
    endpoint: str,
    environment: str | None,
    challenger: str | None,
    errors: float,
    rate: float | None,
    runs: int,
    seed: int,
    as_json: bool,
) -> None:
    """
    Say what a rollout of ENDPOINT will be able to decide, when, and at whose cost.

    The judge itself is played on imagined traffic; AWS is asked for nothing. Exit code 0, or 2
    for input that cannot be used.
    """
    found = on_trial(endpoint, challenger, "planned")
    name = f"{found.file.endpoint}-{environment_of(found, environment, 'planned')}"
    setting = Setting(found.policy(), expected(found, errors, rate), runs, seed)
    with Console(stderr=True).status("playing the judge") as status:
        made = make(setting, lambda what: status.update(f"playing the judge on {what}"))
    limits = times(setting.policy, setting.expected.requests_per_minute)
    spent = extras(
        fleet(found.champion), fleet(found.challenger), made.healthy.usual or limits.longest
    )
    if as_json:
        click.echo(json.dumps(as_dict(name, setting, made, limits, spent), indent=2))
        return
    for table in tables(name, setting, made, limits, spent):
        console().print(table, highlight=False)


def expected(endpoint: Endpoint, errors: float, rate: float | None) -> Expected:
    """Return the traffic that the endpoint's file and its held-out rows make us expect."""
    champion, challenger = (
        tuple(endpoint.manifests[variant.version].scores.score.counts)
        for variant in (endpoint.champion, endpoint.challenger)
    )
    usual = endpoint.file.traffic.requests_per_minute
    return Expected(usual if rate is None else rate, errors, champion, challenger)


def fleet(variant: Variant) -> Fleet:
    """Return a variant's instances as they are planned."""
    return Fleet(
        variant.version, variant.instance_type, variant.instance_count, variant.price_per_hour
    )
