"""Write a post-mortem of a rollout in Markdown: what the records say, and what a person adds."""

from collections.abc import Iterable, Iterator, Sequence

from steelyard.audit.impact import Impact, impact
from steelyard.audit.reading import Difference, policy_of
from steelyard.audit.timeline import Entry, timeline
from steelyard.audit.wording import moment, said, step_name
from steelyard.rollout.ledger import Record
from steelyard.rollout.policy import Policy

TO_FILL = {
    "Root cause": "*Why was the challenger as it was? Why was it not seen before the rollout?*",
    "What did not work": "*What was late, missing, or told to the wrong people?*",
    "Where we were lucky": "*What would have made this worse?*",
    "Actions": "| what | who | until |\n|---|---|---|\n| | | |",
}
"""The sections that a person fills, and what each asks."""


def write(
    endpoint: str, rollout: str, records: Sequence[Record], found: Sequence[Difference]
) -> str:
    """
    Return the post-mortem of a rollout; `found` is where its audit differs.

    Raises Unreadable without the rollout's first record.
    """
    policy, cost, entries = policy_of(records), impact(records), timeline(records)
    sections = {
        "Impact": "\n\n".join(_impact(cost)),
        "Timeline": _table(
            ("UTC", "step", "who", "what", "said"),
            ((*_head(policy, it), it.who, it.what, said(it)) for it in entries),
        ),
        "Decisions": "\n".join(_decisions(policy, entries)) or "The judge gave no verdict.",
        "What worked": "\n".join(f"- {line}" for line in _worked(cost, records, found)),
        **TO_FILL,
    }
    summary = (
        f"{records[0].reason}: {cost.outcome}. Written from {len(records):,} records of the "
        f"ledger; every moment is UTC."
    )
    written = "\n\n".join(f"## {title}\n\n{content}" for title, content in sections.items())
    title = f"# Post-mortem: rollout {rollout} of {endpoint}"
    return f"{title}\n\n{summary[:1].upper()}{summary[1:]}\n\n{written}\n"


def _impact(cost: Impact) -> Iterator[str]:
    since = "in all minutes" if cost.bad_since is None else f"from {moment(cost.bad_since)} on"
    yield _table(("what", "how much"), _figures(cost))
    if cost.harms:
        yield f"What the challenger answered, {since}, as far as it was measured:"
        yield _table(
            ("channel", "bad", "of", "usual share", "more than that"),
            (
                (it.channel, f"{it.bad:,}", f"{it.of:,}", f"{it.usual:.2%}", f"{it.excess:,}")
                for it in cost.harms
            ),
        )


def _figures(cost: Impact) -> Iterator[tuple[str, str]]:
    yield "requests to the challenger, measured", f"{cost.requests:,}"
    yield "requests after the last measured minute, estimated", f"{cost.unmeasured:,}"
    if cost.bad_since is not None:
        yield "first bad minute", moment(cost.bad_since)
    if cost.stopped is not None:
        yield "weight 0 asked for", moment(cost.stopped)
    if cost.home is not None:
        yield "weight 0 seen in force", moment(cost.home)
    if cost.seconds is not None:
        yield "seconds from the first bad minute to weight 0", f"{cost.seconds:,.0f}"


def _decisions(policy: Policy, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield each change of the verdict, with the last reasons that were given for it."""
    for entry in entries:
        if entry.ticks:
            at, step = _head(policy, entry)
            yield f"- {at}, step {step}: **{entry.what}**. {_one_line(entry.why)}"


def _worked(cost: Impact, records: Sequence[Record], found: Sequence[Difference]) -> Iterator[str]:
    verdicts = sum(record.kind == "decided" for record in records)
    if found:
        yield f"The audit of {verdicts:,} verdicts **differs** in {len(found):,} places."
    else:
        yield f"All {verdicts:,} verdicts were recomputed from the ledger, byte for byte."
    if cost.stopped is not None:
        first = next(it for it in records if it.at == cost.stopped and it.kind == "acted")
        yield f"Stopped by {first.actor}: {_one_line(first.reason)}."
    if cost.stopped is not None and cost.home is not None:
        yield f"Traffic was home {cost.home - cost.stopped:,.0f} s after weight 0 was asked for."
    if cost.outcome == "aborted" and cost.stopped is None:
        yield "It ended before the challenger had any weight."


def _head(policy: Policy, entry: Entry) -> tuple[str, str]:
    return moment(entry.at), step_name(policy, entry.step)


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(_one_line(cell) for cell in line)} |" for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
