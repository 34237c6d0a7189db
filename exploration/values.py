"""Values as text: equal ones have equal text, and text can be hashed."""

import datetime
import json
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

# The members of our answers that boto3 gives as datetimes.
_MOMENTS = ("CreationTime", "LastModifiedTime")


def frozen(value: Any) -> str:
    """Return a value as JSON text."""
    # Moments stand in requests alone, and nothing reads them there.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


@lru_cache(maxsize=50_000)
def thawed(text: str) -> Any:
    """Return the value of a text, shared: not to be changed."""
    return json.loads(text)


def moments(answer: Any) -> Any:
    """Return an answer with its epoch seconds as datetimes, where boto3 gives these."""
    for name in _MOMENTS:
        if name in answer:
            answer[name] = datetime.datetime.fromtimestamp(answer[name], datetime.UTC)
    return answer


def iso(now: float) -> str:
    """Return a moment (epoch seconds) as AWS writes it in events."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dated(answer: dict[str, Any], now: float) -> dict[str, Any]:
    """Return an answer with the Date header that a service sends, whole seconds."""
    moment = datetime.datetime.fromtimestamp(int(now), datetime.UTC)
    headers = {"date": format_datetime(moment, usegmt=True)}
    return answer | {"ResponseMetadata": {"HTTPHeaders": headers}}
