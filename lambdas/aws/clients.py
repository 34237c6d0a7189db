"""boto3's clients, each made once in a process: a warm function's next event finds them there."""

from typing import Any

import boto3
from botocore.config import Config

# Making one costs a warm function more than its calls do:
# https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
_made: dict[Any, Any] = {}


def client(service: str, **settings: Any) -> Any:
    """Return the client of a service with these settings of botocore's `Config`."""
    # Written down first: botocore changes the settings that it is given.
    wanted = repr(settings)
    made = _made.get(_key(service, wanted))
    if made is None:
        made = boto3.client(service, config=Config(**settings))
        # Only now the default session is there for sure.
        _made[_key(service, wanted)] = made
    return made


def _key(service: str, wanted: str) -> Any:
    # Whoever puts another maker or session in the place of boto3's gets clients of that one.
    return boto3.client, boto3.DEFAULT_SESSION, service, wanted
