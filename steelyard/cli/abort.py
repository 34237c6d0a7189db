"""`steelyard abort`: bring all traffic home to the champion, and see that it arrives."""

import click

from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.order import bring_home, checked, orders, person, waits
from steelyard.rollout.ledger import ACTIVE


@click.command()
@deployed
@orders
@waits
def abort(
    deployment: Deployment, reason: str, rollout: str | None, actor: str | None, wait: float
) -> None:
    """
    Abort the rollout of ENDPOINT: the challenger to weight 0, and wait until that is in force.

    Asked through the rollback Lambda, without the state machine. ENDPOINT is a folder, or the
    deployed name. Exit code 0 when home, 1 when not yet within --wait, 2 for input that cannot be
    used.
    """
    lock = checked(deployment, "abort", rollout, *ACTIVE)
    bring_home(deployment, lock, {"reason": reason, "actor": person(actor)}, wait)
