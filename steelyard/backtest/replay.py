"""
Replay a recording: fold its minutes as they settle, and ask for the verdict each minute.

What the judge says changes nothing of what was recorded: the weights are those of the recording.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from steelyard.backtest.recording import Recording
from steelyard.backtest.steps import Part, divide
from steelyard.rollout import judge
from steelyard.rollout.counters import Measurement
from steelyard.rollout.judge import State
from steelyard.rollout.policy import Policy
from steelyard.rollout.verdict import Verdict

TICK_SECONDS = 60


@dataclass(frozen=True)
class Turn:
    """A verdict on a step; `at` is in epoch seconds."""

    at: int
    step: int
    verdict: Verdict


@dataclass(frozen=True)
class Passage:
    """
    What became of one step.

    minutes, requests, challenger_requests: as recorded, 0 for a step that was not; advanced: when
    (epoch seconds) the judge would first have left it, None if never.
    """

    step: int
    minutes: int
    requests: int
    challenger_requests: int
    advanced: int | None


@dataclass(frozen=True)
class Replay:
    """What the judge would have said, and when."""

    outcome: Literal["promote", "abort", "undecided"]
    turns: tuple[Turn, ...]
    passages: tuple[Passage, ...]


def replay(policy: Policy, recording: Recording) -> Replay:
    """
    Return what the judge would have made of a recording.

    promote: it would have left every step, the soak, too; abort: it would have aborted in one, even
    if it had left that one before. Raises ValueError for histograms of another length.
    """
    before, parts = divide(policy, recording)
    state = judge.start(policy)
    for sample in before:
        state = judge.fold(policy, state, Measurement(sample.minute, -1, 0, sample.champion, None))
    verdicts = list(_until_abort(_verdicts(policy, state, parts)))
    advanced: dict[int, int] = {}
    for turn in verdicts:
        if turn.verdict.outcome == "advance":
            advanced.setdefault(turn.step, turn.at)
    passages = tuple(_passage(index, parts, advanced) for index in range(len(policy.plan())))
    return Replay(_outcome(verdicts, passages), tuple(_turns(verdicts)), passages)


def _verdicts(policy: Policy, state: State, parts: tuple[Part, ...]) -> Iterator[Turn]:
    """Yield the verdict of each minute, as deployed ticks would come to it."""
    measured = [
        Measurement(
            sample.minute,
            part.step,
            policy.plan()[part.step].weight,
            sample.champion,
            sample.challenger,
        )
        for part in parts
        for sample in part.samples
    ]
    for index, part in enumerate(parts):
        state = _entered(policy, state, part)
        for now in _ticks(policy, parts, index):
            while measured and measured[0].minute <= judge.settled(policy, now):
                state = judge.fold(policy, state, measured.pop(0))
            yield Turn(now, part.step, judge.verdict(policy, state, now))


def _entered(policy: Policy, state: State, part: Part) -> State:
    """Return the state in a step; steps that were not recorded are passed through at once."""
    first = 0 if state.step is None else state.step + 1
    for step in range(first, part.step + 1):
        state = judge.enter(policy, state, step, part.at)
    return state


def _ticks(policy: Policy, parts: tuple[Part, ...], index: int) -> range:
    """Return when ticks come while a step lasts; after the last one, until all has settled."""
    begin = int(parts[index].at) // TICK_SECONDS + 1
    if index + 1 < len(parts):
        end = int(parts[index + 1].at) // TICK_SECONDS
    else:
        # A settled minute and one more: so long its data counts as fresh.
        end = parts[index].samples[-1].minute + 2 + policy.settle_seconds // TICK_SECONDS
    return range(TICK_SECONDS * begin, TICK_SECONDS * (end + 1), TICK_SECONDS)


def _until_abort(turns: Iterator[Turn]) -> Iterator[Turn]:
    for turn in turns:
        yield turn
        if turn.verdict.outcome == "abort":
            return


def _turns(verdicts: list[Turn]) -> Iterator[Turn]:
    """Yield the verdicts that change something; who has left a step is asked no more in it."""
    before: tuple[int, str] | None = None
    for turn in verdicts:
        found = (turn.step, turn.verdict.outcome)
        has_left = before == (turn.step, "advance") and turn.verdict.outcome != "abort"
        if found != before and not has_left:
            yield turn
            before = found


def _passage(step: int, parts: tuple[Part, ...], advanced: dict[int, int]) -> Passage:
    samples = [sample for part in parts if part.step == step for sample in part.samples]
    champion = sum(sample.champion.n for sample in samples if sample.champion is not None)
    challenger = sum(sample.challenger.n for sample in samples if sample.challenger is not None)
    return Passage(step, len(samples), champion + challenger, challenger, advanced.get(step))


def _outcome(
    verdicts: list[Turn], passages: tuple[Passage, ...]
) -> Literal["promote", "abort", "undecided"]:
    if verdicts and verdicts[-1].verdict.outcome == "abort":
        return "abort"
    return "promote" if all(it.advanced is not None for it in passages) else "undecided"
