"""The model artefact: the same bytes for the same files, as SageMaker wants them."""

import os
import tarfile

import pytest
import time_machine

from stacks.artifact import write_artifact


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "v1-0-0"
    (root / "extra").mkdir(parents=True)
    for name, content in (("model.onnx", b"m" * 2000), ("manifest.json", b"{}"), ("extra/x", b"x")):
        (root / name).write_bytes(content)
    return root


def archived(folder, name):
    path = folder.parent / name
    write_artifact(folder, path)
    return path


def test_the_files_lie_at_the_archive_s_root_with_their_content(folder):
    with tarfile.open(archived(folder, "a.tar.gz")) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}

    assert found == {"model.onnx": b"m" * 2000, "manifest.json": b"{}", "extra/x": b"x"}


def test_neither_times_nor_modes_nor_names_change_its_bytes(folder):
    before = archived(folder, "a.tar.gz").read_bytes()
    os.utime(folder / "model.onnx", (1, 1))
    (folder / "manifest.json").chmod(0o600)

    with time_machine.travel(0):
        again = archived(folder, "b.tar.gz").read_bytes()

    assert again == before


def test_another_content_is_another_archive(folder):
    before = archived(folder, "a.tar.gz").read_bytes()
    (folder / "extra" / "x").write_bytes(b"y")

    assert archived(folder, "b.tar.gz").read_bytes() != before


def test_its_header_is_the_same_with_every_python_and_on_every_system(folder):
    # RFC 1952: deflate, no flags, no time, slowest compression, unknown system.
    header = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])

    assert archived(folder, "a.tar.gz").read_bytes()[:10] == header


@pytest.mark.parametrize("left", [".DS_Store", "__pycache__/features.pyc", "extra/.cache/x"])
def test_what_tools_leave_behind_is_not_packed(folder, left):
    before = archived(folder, "a.tar.gz").read_bytes()
    (folder / left).parent.mkdir(exist_ok=True)
    (folder / left).write_bytes(b"left")

    assert archived(folder, "b.tar.gz").read_bytes() == before
