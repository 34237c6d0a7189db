"""`steelyard status`: the rollout of an endpoint on one screen."""

import json

import click

from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.options import console
from steelyard.cli.standing import as_dict, look, table


@click.command()
@deployed
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
def status(deployment: Deployment, as_json: bool) -> None:
    """
    Show how the newest rollout of ENDPOINT stands: phase, step, weights, lease, gate, verdict.

    ENDPOINT is a folder, or the deployed name. Exit code 0, or 2 for input that cannot be used.
    """
    found = look(deployment)
    if as_json:
        click.echo(json.dumps(as_dict(found), indent=2, allow_nan=False))
    else:
        console().print(table(found), highlight=False)
