"""
What the Dockerfile builds, built here without an engine: its own commands, in a folder.

The builder's `COPY` and `RUN` are carried out as they stand, with this machine's Python of the
same minor version in place of the base's. What comes out is started by the image's own
`ENTRYPOINT` and `ENV`, as its user, from folders that nobody may write to. It downloads packages.
"""

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from importlib.metadata import distributions
from pathlib import Path
from stat import S_ISLNK
from typing import NamedTuple

import pytest

from stacks.artifact import write_artifact
from tests.inference.dockerfile import ROOT, instructions, stage, texts

EXAMPLE = ROOT / "endpoints" / "tumour-classifier"
BASE = texts("ARG", instructions())[0]
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(
        f":{MINOR}." not in BASE or (sys.platform, platform.machine()) != ("linux", "x86_64"),
        reason=f"needs Linux on x86-64 and the minor version of {BASE}",
    ),
]

PLACE = "/opt/steelyard"
# 45.5 MB packed, says docker-library/repo-info of python:3.11-slim-trixie (August 2026). Unpacked
# it is taken as four times that, which is more than gzip saves on programs.
BASE_BYTES = 4 * 45_500_000
# From Debian's libc6, libgcc-s1, libstdc++6 and zlib1g, which apt and dpkg need: every Debian has
# them.
OF_THE_BASE = {
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libstdc++.so.6",
    "libz.so.1",
    "linux-vdso.so.1",
}
# Root may search and read everything here, this machine's Python too; what is started may not
# write where its user may not.
AS_USER = (
    "setpriv --reuid={0} --regid={0} --clear-groups --no-new-privs "
    "--inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search "
    "--bounding-set=-all,+dac_read_search"
)

Content = dict[str, tuple[int, str]]


class Built(NamedTuple):
    """An environment that nobody may write to, and what two builds of it held."""

    place: Path
    first: Content
    second: Content

    @property
    def site(self) -> Path:
        """Where its packages are."""
        (site,) = self.place.glob("lib/python*/site-packages")
        return site


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build twice in one place, from one copy of the checkout."""
    context, root = tmp_path_factory.mktemp("context"), tmp_path_factory.mktemp("root")
    ignored = shutil.ignore_patterns("__pycache__", "Dockerfile")
    for name in ("inference", "requirements"):
        shutil.copytree(ROOT / name, context / name, ignore=ignored)
    place = build(context, root)
    first = content(place)
    shutil.rmtree(place)
    second = content(build(context, root))
    subprocess.run(["chmod", "-R", "a-w", place], check=True)
    return Built(place, first, second)


def build(context: Path, root: Path) -> Path:
    """Carry out the builder stage below a folder; return the environment that it makes."""
    place, work = root / PLACE[1:], root / "build"
    work.mkdir()
    place.parent.mkdir(exist_ok=True)
    given = os.environ | {"VERSION": "0.0.0", "REVISION": "none", "PIP_QUIET": "3"}
    given["PATH"] = f"{Path(sys.executable).parent}:{given['PATH']}"
    for name, text in stage("builder"):
        if name == "COPY":
            subprocess.run(["cp", "-R", *text.split()[:-1], work], cwd=context, check=True)
        elif name == "RUN":
            command = text.replace(PLACE, str(place))
            subprocess.run(["sh", "-ec", command], cwd=work, env=given, check=True)
        else:
            assert name in {"WORKDIR", "ARG"}, f"{name} is not played here"
    shutil.rmtree(work)
    return place


def content(folder: Path) -> Content:
    """Give mode and digest, or target, of each file and link below a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, meaning(path))
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def meaning(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the example's champion as SageMaker unpacks it."""
    folder = tmp_path_factory.mktemp("ml")
    write_artifact(EXAMPLE / "v1-0-0", folder / "model.tar.gz")
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(folder / "model", filter="tar")
    return folder / "model"


def test_a_second_build_gives_the_same_bytes_and_modes(built: Built):
    assert built.second == built.first


def test_the_base_and_what_is_installed_stay_below_one_gigabyte(
    built: Built, capsys: pytest.CaptureFixture[str]
):
    owners = {
        file.parts[0]: distribution.name
        for distribution in distributions(path=[str(built.site)])
        for file in distribution.files or ()
    }
    sizes = Counter({"base, at most": BASE_BYTES})
    for path in built.place.rglob("*"):
        if path.is_file() and not path.is_symlink():
            inside = path.is_relative_to(built.site)
            top = path.relative_to(built.site if inside else built.place).parts[0]
            sizes[owners.get(top, top)] += path.stat().st_size

    with capsys.disabled():
        rows = [*sizes.most_common(), ("in all", sizes.total())]
        print("", *(f"{size / 1e6:8.1f} MB  {name}" for name, size in rows), sep="\n")
    assert sizes.total() < 1e9


def test_the_base_has_every_library_that_is_linked_to(built: Built):
    outside = set()
    for path in built.place.rglob("*.so*"):
        lines = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for line in lines.splitlines():
            name, _, found = line.strip().partition(" => ")
            if not found.startswith(str(built.place)) and name != "statically linked":
                outside.add(Path(name.split(" (")[0]).name)

    assert outside <= OF_THE_BASE


def test_everybody_may_read_it_and_only_its_owner_may_write(built: Built):
    closed = [path for path in built.place.rglob("*") if not path.stat().st_mode & 0o004]
    open_to_others = [
        name for name, (mode, _) in built.first.items() if mode & 0o022 and not S_ISLNK(mode)
    ]

    assert (closed, open_to_others) == ([], [])


@pytest.mark.parametrize(
    "watched", [True, False], ids=["home and /tmp watched", "no file may grow"]
)
def test_it_answers_alone_as_its_user_and_writes_nothing(
    built: Built, model: Path, tmp_path: Path, watched: bool
):
    before = content(built.place), content(model)
    names, values = (EXAMPLE / "heldout.csv").read_text().splitlines()[:2]
    pairs = zip(names.split(",")[:-1], map(float, values.split(",")[:-1]), strict=True)
    places = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)} if watched else {}
    limits = [] if watched else ["prlimit", "--fsize=0"]

    with running(built.place, model, [*as_user(tmp_path), *limits], places) as port:
        status, body = ask(port, "POST", "/invocations", json.dumps(dict(pairs)))

    assert status == 200
    assert len(json.loads(body)["predictions"]) == 1
    assert (content(built.place), content(model)) == before
    assert list(tmp_path.rglob("*")) == []


@contextmanager
def running(
    place: Path, model: Path, prefix: list[str], environment: dict[str, str]
) -> Iterator[int]:
    """Start the image's entry point; give its port, and check that SIGTERM ends it with 0."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    entry = [word.replace(PLACE, str(place)) for word in json.loads(only("ENTRYPOINT"))]
    options = ["--model", str(model), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [*prefix, *entry, "serve", *options],
        cwd="/",
        env=environment | dict([only("ENV").split("=")]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for_ping(port, process)
            yield port
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


def only(name: str) -> str:
    (text,) = texts(name, stage("final"))
    return text


def as_user(scratch: Path) -> list[str]:
    """Give the words that make a command run as the image's user, where we may: as root."""
    if os.geteuid() != 0:
        return []
    (argument,) = [text for text in texts("ARG", stage("final")) if text.startswith("USER_ID=")]
    user = argument.removeprefix("USER_ID=")
    os.chown(scratch, int(user), int(user))
    return AS_USER.format(user).split()


def wait_for_ping(port: int, process: subprocess.Popen[str]) -> None:
    """Return once `/ping` says 200, at most half a minute later."""
    for _ in range(300):
        assert process.poll() is None, process.stderr and process.stderr.read()
        try:
            if ask(port, "GET", "/ping")[0] == 200:
                return
        except ConnectionRefusedError:
            pass
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"no 200 of /ping within 30 seconds: {process.stderr and process.stderr.read()}")


def ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    """Give status and body of one answer."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
