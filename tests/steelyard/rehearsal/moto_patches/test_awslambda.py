"""moto's Lambda echoes; the patch runs the handler."""

from pathlib import Path
from typing import Any

from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import assembly, function, invoke

SOURCE = """
def handler(event, context):
    if event == "fail":
        raise ValueError("as asked")
    return [event, context.function_version]
"""


def test_moto_still_echoes_the_event(plain: dict[str, Any]) -> None:
    answer = plain["versions_and_aliases"]["answer"]

    assert answer == '"the event"', "moto runs handlers without Docker now: remove the patch"


def test_the_published_handler_answers_under_its_alias(aws: LocalAws, tmp_path: Path) -> None:
    aws.deploy(assembly(*function(SOURCE, tmp_path)))

    assert invoke(aws, "f:live", "event") == {"error": None, "payload": ["event", "1"]}


def test_a_failure_of_the_handler_is_said_as_lambda_says_it(aws: LocalAws, tmp_path: Path) -> None:
    aws.deploy(assembly(*function(SOURCE, tmp_path)))

    answer = invoke(aws, "f:live", "fail")

    assert answer["error"] == "Unhandled"
    assert answer["payload"]["errorType"] == "ValueError"
