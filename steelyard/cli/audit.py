"""`steelyard audit`: tell a rollout from its ledger, and recompute each of its verdicts."""

import json
from pathlib import Path

import click
from rich.console import Console

from steelyard.audit import postmortem
from steelyard.audit.impact import impact
from steelyard.audit.reading import Difference, Unreadable, read, tampered
from steelyard.audit.recompute import differences
from steelyard.cli.audit_drawing import as_dict, tables
from steelyard.cli.deployment import Deployment, deployed
from steelyard.cli.options import console
from steelyard.cli.place import Unusable
from steelyard.rollout.ledger import Record


@click.command()
@deployed
@click.option("--rollout", metavar="ID", help="an older rollout; the newest if not given")
@click.option("--json", "as_json", is_flag=True, help="print JSON, with every record")
@click.option(
    "--postmortem",
    "paper",
    type=click.Path(path_type=Path, dir_okay=False),
    help="also write a post-mortem in Markdown here",
)
def audit(deployment: Deployment, rollout: str | None, as_json: bool, paper: Path | None) -> None:
    """
    Tell the newest rollout of ENDPOINT from its records, and recompute each verdict from them.

    ENDPOINT is a folder, or the deployed name. Exit code 0 when what was recomputed is, byte for
    byte, what was stored, 1 when not, 2 for input that cannot be used.
    """
    if paper is not None and not paper.parent.is_dir():
        raise Unusable(
            [f"--postmortem: {paper.parent} is no folder, allowed is one that exists: make it"]
        )
    name, count = _chosen(deployment, rollout)
    texts = list(deployment.texts(name))
    try:
        records = read(texts)
        with Console(stderr=True).status(f"recomputing the verdicts in {len(records):,} records"):
            found = [*tampered(texts, records, count), *differences(records)]
        _show(name, records, found, as_json)
        if paper is not None:
            paper.write_text(postmortem.write(deployment.name, name, records, found), "utf-8")
    except Unreadable as error:
        raise Unusable(error.problems, f"rollout {name} cannot be audited") from None
    raise SystemExit(1 if found else 0)


def _chosen(deployment: Deployment, rollout: str | None) -> tuple[str, int | None]:
    """Return the rollout, and how many records the ledger's lock says that it has, if it does."""
    lock = deployment.lock()
    if rollout is None or rollout == lock.rollout:
        return lock.rollout, lock.seq
    if next(deployment.texts(rollout), None) is None:
        raise Unusable(
            [
                f"--rollout: given {rollout!r}, of which {deployment.name} has no record, allowed "
                f"is the name of an execution: the newest is {lock.rollout}"
            ]
        )
    return rollout, None


def _show(name: str, records: tuple[Record, ...], found: list[Difference], as_json: bool) -> None:
    cost = impact(records)
    if as_json:
        click.echo(json.dumps(as_dict(name, records, cost, found), indent=2, allow_nan=False))
        return
    for table in tables(records, cost, found):
        console().print(table, highlight=False)
