"""Where things are: endpoint folders, and the app that synthesises them."""

from collections.abc import Sequence
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "rehearsal"
EXIT_UNUSABLE = 2


class Unusable(click.ClickException):
    """Input that cannot be used: `problems` says everything that is wrong; exit code 2."""

    exit_code = EXIT_UNUSABLE

    def __init__(self, problems: Sequence[str], headline: str = "") -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{headline}:\n{listed}" if headline else "; ".join(problems))


def endpoint_folder(name: str) -> Path:
    """
    Return the folder of an endpoint, given as a path or as the name of a folder in endpoints/.

    A folder of that name that lacks its endpoint.yaml is returned too. Raises Unusable when there
    is no folder at all.
    """
    places = (Path(name), ROOT / "endpoints" / name)
    for folder in (*(it for it in places if (it / "endpoint.yaml").is_file()), *places):
        if name and folder.is_dir():
            return folder.resolve()
    known = sorted(path.parent.name for path in (ROOT / "endpoints").glob("*/endpoint.yaml"))
    raise Unusable(
        [
            f"ENDPOINT: given {name!r}, allowed is the path of a folder with an endpoint.yaml, or "
            f"the name of one in endpoints/: write for example {known[0] if known else 'a path'}"
        ]
    )


def shown(path: Path) -> str:
    """Return a path as short as it can be written from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
