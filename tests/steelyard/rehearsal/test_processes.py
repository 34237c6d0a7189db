"""What processes of a rehearsal inherit, and how they end."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from steelyard.rehearsal import processes

# Says that it is up, and once it is asked to end, does so as soon as this is true or None.
WAITING = """
import pathlib, signal, sys, time


def end(number, frame):
    while {} is False:
        time.sleep(0.01)
    sys.exit(7)


signal.signal(signal.SIGTERM, end)
print("up", flush=True)
while True:
    time.sleep(0.1)
"""
HOSTILE = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "real",
    "AWS_ENDPOINT_URL": "https://sagemaker.eu-central-1.example.com",
    "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.example.com",
    "AWS_CONFIG_FILE": "/nowhere/aws.config",
    "BOTO_CONFIG": "/nowhere/boto.cfg",
    "HTTP_PROXY": "http://proxy.example.com",
    "https_proxy": "http://proxy.example.com",
    "MOTO_ACCOUNT_ID": "999999999999",
    "SECRET": "of the user",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "say.py").write_text(
        "import json, os, sys\nprint(json.dumps([sys.argv[1:], dict(os.environ)]))\n", "utf-8"
    )
    (tmp_path / "stay.py").write_text("import time\ntime.sleep(600)\n", "utf-8")
    (tmp_path / "resist.py").write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n",
        "utf-8",
    )
    return tmp_path


def test_a_process_inherits_nothing_of_the_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    log = folder / "log.txt"

    process = processes.start("say", ["a"], folder, {"PYTHONPATH": str(folder), "OURS": "1"}, log)
    process.wait(30)
    processes.end(process)

    arguments, environment = json.loads(log.read_text("utf-8"))
    assert arguments == ["a"]
    assert environment["OURS"] == "1"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert environment["NO_PROXY"] == "*"
    assert set(HOSTILE.values()) & set(environment.values()) == set()


def test_only_what_leads_away_is_taken_from_an_environment() -> None:
    ours = {"STEELYARD_ENDPOINT": "e", "PATH": "/bin", "LAMBDA_TASK_ROOT": "/task"}

    assert processes.harmless(HOSTILE | ours) == {"SECRET": "of the user", **ours}


def test_the_users_settings_are_hidden_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)

    with processes.isolated():
        inside = dict(os.environ)
        os.environ["MOTO_PORT"] = "1"

    assert dict(os.environ) == before
    assert "AWS_PROFILE" not in inside
    assert "HTTP_PROXY" not in inside
    assert inside["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert inside["SECRET"] == "of the user"


@pytest.mark.parametrize("module", ["stay", "resist"])
def test_a_process_is_gone_after_its_end_even_if_it_resists(
    folder: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setattr(processes, "OBEDIENCE_SECONDS", 0.2)
    log = folder / "log.txt"
    process = processes.start(module, [], folder, {"PYTHONPATH": str(folder)}, log)
    while module == "resist" and processes.last_words(log) != "up":
        time.sleep(0.02)

    processes.end(process)

    assert process.returncode in (-signal.SIGTERM, -signal.SIGKILL)


def test_processes_are_all_asked_to_end_before_any_is_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "OBEDIENCE_SECONDS", 5.0)
    # The first one only ends once the other one was asked.
    (folder / "first.py").write_text(WAITING.format("pathlib.Path('asked').exists()"), "utf-8")
    (folder / "other.py").write_text(WAITING.format("pathlib.Path('asked').touch()"), "utf-8")
    started = []
    for module in ("first", "other"):
        log = folder / f"{module}.txt"
        started.append(processes.start(module, [], folder, {"PYTHONPATH": str(folder)}, log))
        while processes.last_words(log) != "up":
            time.sleep(0.02)

    processes.end(*started)

    assert [process.returncode for process in started] == [7, 7]


def test_sigterm_becomes_an_exception_so_that_everything_is_ended() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ended: list[str] = []

    def play() -> None:
        with processes.ended_in_order():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                ended.append("in order")

    with pytest.raises(SystemExit) as leaving:
        play()

    assert leaving.value.code == 143
    assert ended == ["in order"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_in_another_thread_signals_are_left_alone() -> None:
    seen: list[object] = []

    def play() -> None:
        with processes.ended_in_order():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=play)
    thread.start()
    thread.join()

    assert seen == [signal.getsignal(signal.SIGTERM)]
