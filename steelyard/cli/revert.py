"""`steelyard revert`: after a promotion, give the previous champion its traffic back."""

import click

from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.order import bring_home, checked, orders, person, waits


@click.command()
@deployed
@orders
@waits
def revert(
    deployment: Deployment, reason: str, rollout: str | None, actor: str | None, wait: float
) -> None:
    """
    Revert the promotion of ENDPOINT: all weight to the previous champion, as long as it is warm.

    One change of weights, no deployment; refused once the previous variant is gone. ENDPOINT is a
    folder, or the deployed name. Exit code 0 when home, 1 when not yet within --wait, 2 for input
    that cannot be used.
    """
    lock = checked(deployment, "revert", rollout, "promoted")
    event = {"reason": reason, "actor": person(actor), "revert": True}
    bring_home(deployment, lock, event, wait)
