"""`steelyard loadtest`: send a planned load to one container or endpoint, and judge it."""

from pathlib import Path

import click

from steelyard.cli.load_request import Request, prepare
from steelyard.cli.place import ROOT

_OUTPUT = ROOT / "build" / "loadtest"


@click.command()
@click.argument("target", metavar="URL|ENDPOINT")
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 100_000),
    help="requests a second; what the file plans for an instance, times --times, if not given",
)
@click.option(
    "--times",
    type=click.FloatRange(0.01, 10_000),
    default=10,
    show_default=True,
    help="how many times the file's traffic is planned for",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86_400),
    help="how long; 30, or what 600 requests take, if not given",
)
@click.option(
    "--warm-up",
    type=click.FloatRange(0, 3600),
    default=2,
    show_default=True,
    help="seconds at the same rate, before, that do not count",
)
@click.option(
    "--version", metavar="VERSION", help="another version than the champion, such as v1-2-0"
)
@click.option("--workers", type=click.IntRange(1, 64), help="processes of the container")
@click.option("--environment", help="load the endpoint that is deployed there, on AWS")
@click.option("--variant", metavar="VERSION", help="the variant there that gets every request")
@click.option("--endpoint", metavar="ENDPOINT", help="whose rows and limits are used for a URL")
@click.option("--body", type=click.Path(path_type=Path), help="the file to post to a URL")
@click.option(
    "--content-type", default="application/json", show_default=True, help="what --body holds"
)
@click.option("--p99", metavar="DURATION", help="another limit than the file's: '20 milliseconds'")
@click.option(
    "--arrivals",
    type=click.Choice(["poisson", "constant"]),
    default="poisson",
    show_default=True,
    help="as from callers who do not know of each other, or evenly",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 900),
    default=256,
    show_default=True,
    help="open at a time, at most",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.01, 600),
    default=10,
    show_default=True,
    help="seconds after which a request has failed",
)
@click.option(
    "--knee/--no-knee",
    default=None,
    help="look for the highest rate that is still good; done if no --rate is given",
)
@click.option("--seed", type=int, default=7, show_default=True, help="of arrivals and rows")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=_OUTPUT,
    help="folder of the report; build/loadtest if not given",
)
def loadtest(**typed: object) -> None:
    """
    Send a planned load to URL or ENDPOINT, at its time whatever is outstanding, and judge it.

    ENDPOINT is a path, or the name of a folder in endpoints/: its champion's container is started
    here and gets its held-out rows. Exit code 0 when p99 and throughput are what the endpoint file
    asks for, 1 when not or when it cannot be told, 2 for input that cannot be used.
    """
    request = Request(**typed)  # type: ignore[arg-type]  # click has checked them
    prepared = prepare(request)
    from steelyard.cli.load import run  # late: the client costs what wrong input need not wait for

    raise SystemExit(0 if run(request, prepared) == "pass" else 1)
