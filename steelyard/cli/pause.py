"""`steelyard pause`: hold a rollout at its weight until a person resumes it."""

import click

from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.order import checked, give, orders


@click.command()
@deployed
@orders
def pause(deployment: Deployment, reason: str, rollout: str | None, actor: str | None) -> None:
    """
    Hold the rollout of ENDPOINT at its present weight until somebody resumes it.

    It is judged, and aborted by judge or alarm, as before; only no weight is raised. Not resumed
    within the policy's pause time, it is aborted. ENDPOINT is a folder, or the deployed name. Exit
    code 0 when done, 1 when refused, 2 for input that cannot be used.
    """
    lock = checked(deployment, "pause", rollout, "progressing")
    give(deployment, lock, "pause", reason, actor)
