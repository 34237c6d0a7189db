"""`steelyard approve`: open the gate at which a rollout waits for a person."""

import click

from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.order import checked, give, orders
from steelyard.rollout.ledger import UNDER_WAY


@click.command()
@deployed
@orders
def approve(deployment: Deployment, reason: str, rollout: str | None, actor: str | None) -> None:
    """
    Approve what the rollout of ENDPOINT waits for: its start, its promotion, an undecided step.

    `steelyard status` says which. ENDPOINT is a folder, or the deployed name. Exit code 0 when
    done, 1 when refused, 2 for input that cannot be used.
    """
    lock = checked(deployment, "approve", rollout, *UNDER_WAY)
    give(deployment, lock, "approve", reason, actor)
