"""The only boto3 of the deployed side: each class speaks to one service, as narrowly as is used."""

from lambdas.aws.alarms import Alarms, Load
from lambdas.aws.bakes import Bakes
from lambdas.aws.counters import Counters, MetricsUnavailable
from lambdas.aws.endpoint import (
    Endpoint,
    EndpointBusy,
    EndpointGone,
    EndpointRefused,
    is_home,
    is_settled,
    live_weights,
)
from lambdas.aws.ledger import Ledger, LedgerConflict, LedgerUnreachable
from lambdas.aws.scaling import Scaling, Target
from lambdas.aws.topic import Topic

__all__ = [
    "Alarms",
    "Bakes",
    "Counters",
    "Endpoint",
    "EndpointBusy",
    "EndpointGone",
    "EndpointRefused",
    "Ledger",
    "LedgerConflict",
    "LedgerUnreachable",
    "Load",
    "MetricsUnavailable",
    "Scaling",
    "Target",
    "Topic",
    "is_home",
    "is_settled",
    "live_weights",
]
