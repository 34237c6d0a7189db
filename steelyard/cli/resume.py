"""`steelyard resume`: let a paused rollout go on."""

import click

from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.order import checked, give, orders


@click.command()
@deployed
@orders
def resume(deployment: Deployment, reason: str, rollout: str | None, actor: str | None) -> None:
    """
    Let the paused rollout of ENDPOINT go on; the step's bake begins anew, evidence is kept.

    ENDPOINT is a folder, or the deployed name. Exit code 0 when done, 1 when refused, 2 for input
    that cannot be used.
    """
    lock = checked(deployment, "resume", rollout, "paused")
    give(deployment, lock, "resume", reason, actor)
