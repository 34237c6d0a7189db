"""Read what the commands that judge have in common: an endpoint's folder, challenger, shares."""

from typing import Any

import click
from rich.console import Console

from steelyard.cli.place import Unusable, endpoint_folder
from steelyard.spec import Endpoint, SpecError, load
from steelyard.spec.quantities import share

_PIPE_WIDTH = 10_000


class Share(click.ParamType[float]):
    """A share as the endpoint file writes it, such as 0.5%."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the share as a fraction; a default that is a number already stays."""
        try:
            return share(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def on_trial(name: str, challenger: str | None, purpose: str) -> Endpoint:
    """
    Return the endpoint of a folder with its challenger, another one if it is given.

    `purpose` completes "ENDPOINT cannot be ...". Raises Unusable with everything that is wrong.
    """
    try:
        endpoint = load(endpoint_folder(name))
        found = endpoint if challenger is None else endpoint.with_challenger(challenger)
        found.policy()
    except (SpecError, Unusable) as error:
        raise Unusable(error.problems, f"{name} cannot be {purpose}") from None
    return found


def environment_of(endpoint: Endpoint, name: str | None, purpose: str) -> str:
    """Return the environment of that name, or the first; raises Unusable for an unknown one."""
    known = list(endpoint.file.environments)
    if name is not None and name not in known:
        raise Unusable(
            [f"--environment: given {name!r}, allowed is {', '.join(known)}: write one of these"],
            f"{endpoint.file.endpoint} cannot be {purpose}",
        )
    return known[0] if name is None else name


def console() -> Console:
    """Return a console for what is printed once; a pipe has no edge to wrap at."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPE_WIDTH)
