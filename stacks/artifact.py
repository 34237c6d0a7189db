"""The model artefact: a version's folder as the archive that SageMaker unpacks at /opt/ml/model."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path


def write_artifact(folder: Path, archive: Path) -> None:
    """
    Write a folder as model.tar.gz, the same bytes for the same files.

    SageMaker wants the files at the archive's root (API reference, ContainerDefinition). What
    tools leave behind is not packed: hidden files, and the bytecode of an imported features.py.
    """
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in sorted(_files(folder)):
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mode = 0o644
            with path.open("rb") as content:
                tar.addfile(member, content)
    # A fixed time and no name in the header: both would change the digest, and so the asset. Not
    # gzip.compress: with Python's version it changes what the header says of the machine.
    with (
        archive.open("wb") as packed,
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream,
    ):
        stream.write(plain.getvalue())


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not any(
            part.startswith(".") or part == "__pycache__" for part in inside.parts
        ):
            yield inside.as_posix(), path
