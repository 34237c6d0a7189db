"""What the arguments and the environment may say."""

from pathlib import Path

import pytest

from inference import settings
from inference.settings import MB, CannotStart, read


def test_the_one_word_that_the_platform_says_serves_with_the_defaults():
    command, given = read(["serve"], {})

    assert command == "serve"
    assert given.model == Path("/opt/ml/model")
    assert (given.host, given.port) == ("0.0.0.0", 8080)
    assert (given.endpoint, given.variant, given.slo_seconds) == (None, None, None)
    assert given.largest_body_bytes == 6 * MB


def test_arguments_and_environment_are_taken():
    environment = {
        "STEELYARD_ENDPOINT": "scorer-staging",
        "STEELYARD_VARIANT": "v1-0-0",
        "STEELYARD_SLO_SECONDS": "0.2",
        "STEELYARD_LARGEST_BODY_MB": "100",
    }
    place = ["--model", "m", "--host", "::1", "--port", "0", "--workers", "3"]

    command, given = read(["openapi", *place], environment)

    assert command == "openapi"
    assert (given.model, given.host, given.port, given.workers) == (Path("m"), "::1", 0, 3)
    assert (given.endpoint, given.variant) == ("scorer-staging", "v1-0-0")
    assert given.slo_seconds == 0.2
    assert given.largest_body_bytes == given.most_buffered_bytes == 100 * MB


def test_an_argument_beats_the_environment_and_an_empty_variable_is_none():
    environment = {"STEELYARD_WORKERS": "5", "STEELYARD_ENDPOINT": ""}

    assert read(["--workers", "2"], environment)[1].workers == 2
    assert read([], environment)[1].workers == 5
    assert read([], environment)[1].endpoint is None


@pytest.mark.parametrize(
    ("quota", "workers"),
    [("max 100000", 6), ("250000 100000", 2), ("50000 100000", 1), ("900000 100000", 6), ("", 6)],
)
def test_a_worker_for_each_processor_that_may_be_used(monkeypatch, tmp_path, quota, workers):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)))
    monkeypatch.setattr(settings, "CPU_QUOTA", tmp_path / "cpu.max")
    (tmp_path / "cpu.max").write_text(quota)

    assert read([], {})[1].workers == workers
    assert read(["--workers", "auto"], {})[1].workers == workers


def test_without_a_quota_the_affinity_decides(monkeypatch, tmp_path):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 4})
    monkeypatch.setattr(settings, "CPU_QUOTA", tmp_path / "absent")

    assert read([], {})[1].workers == 2


BAD = {
    "a port that is none": (["--port", "http"], {}, "--port: given 'http'"),
    "a port too high": (["--port", "65536"], {}, "from 0 to 65535"),
    "no worker": (["--workers", "0"], {}, "--workers: given '0'"),
    "half a worker": ([], {"STEELYARD_WORKERS": "1.5"}, "STEELYARD_WORKERS: given '1.5'"),
    "a goal that is no number": ([], {"STEELYARD_SLO_SECONDS": "nan"}, "given 'nan'"),
    "a goal past the time limit": ([], {"STEELYARD_SLO_SECONDS": "61"}, "0.001 to 60.0"),
    "no body": ([], {"STEELYARD_LARGEST_BODY_MB": "0"}, "STEELYARD_LARGEST_BODY_MB"),
    "another command": (["train"], {}, "given command 'train', allowed is serve or openapi"),
    "an argument that is none": (["--prot", "1"], {}, "given '--prot'"),
    "an argument cut short": (["--work", "1"], {}, "given '--work'"),
    "an argument without its value": (["--port"], {}, "--port: expected one argument"),
}


@pytest.mark.parametrize(("arguments", "environment", "said"), BAD.values(), ids=BAD)
def test_a_setting_that_cannot_be_used_is_named(arguments, environment, said):
    with pytest.raises(CannotStart) as refusal:
        read(arguments, environment)

    assert any(said in problem for problem in refusal.value.problems)


def test_all_problems_are_told_at_once():
    with pytest.raises(CannotStart) as refusal:
        read(["--port", "x", "--workers", "y", "--bad"], {"STEELYARD_SLO_SECONDS": "z"})

    assert len(refusal.value.problems) == 4
