"""
Say who is to blame for what the evidence shows: the verdict tells what to do, this tells where.

Blame changes no verdict but one: a challenger whose share of the traffic is far from its weight is
held. The rules are in docs/judge.md.
"""

import math
from collections.abc import Collection, Mapping

from steelyard.rollout import channels
from steelyard.rollout.distribution import lower, upper
from steelyard.rollout.effects import effects
from steelyard.rollout.evidence import Trials, log_rates, log_sum
from steelyard.rollout.policy import Policy, Tolerance
from steelyard.rollout.state import State
from steelyard.rollout.verdict import Blame

FAR = 1.5
"""How many times its weight a variant's share of the traffic may be, or its weight the share."""


def blamed(
    policy: Policy, state: State, late: Collection[str], suspicion: str | None
) -> Blame | None:
    """
    Return where the trouble lies, None where there is none.

    `late` names the variants whose data is late or missing, `suspicion` says what speaks against
    the challenger. The first that holds: a conviction, or nothing from the challenger alone for
    longer than points go missing; late data; routing; an outage in the newest compared minute that
    both share; suspicion.
    """
    is_silent = channels.logs(state).get("silence", -math.inf) > 0.0
    if state.convictions or (is_silent and set(late) == {"challenger"}):
        return "challenger"
    if late:
        return "metrics"
    if misrouted(policy, state):
        return "routing"
    if state.shared is not None and state.shared == state.compared:
        return "both"
    return "challenger" if suspicion is not None else None


def misrouted(policy: Policy, state: State) -> list[str]:
    """
    Return how far the challenger's share of this step's requests is from its weight, if it is far.

    Far for certain: of a confidence sequence at level `false_rollback`, beyond `FAR` times the
    weight, or below its part. Of two variants the one with less weight is looked at.
    """
    if state.step is None or state.step >= len(policy.steps):
        return []
    weight = policy.steps[state.step].weight
    ours, theirs = state.challenger.step_requests, state.champion.step_requests
    k, share = (ours, weight / 100) if weight <= 50 else (theirs, 1 - weight / 100)
    n, alpha = ours + theirs, policy.false_rollback
    if not n or share / FAR <= k / n <= FAR * share:
        return []
    if lower(k, n, alpha) <= FAR * share and upper(k, n, alpha) >= share / FAR:
        return []
    return [
        f"challenger had {ours:,} of {n:,} requests in this step ({ours / n:.1%}), "
        f"its weight is {weight} of 100: routing is not what was asked"
    ]


def instance(hosts: Mapping[str, Trials], tolerance: Tolerance, alpha: float) -> str | None:
    """
    Return the one host that is to blame for its variant's failures, None if no single one is.

    `hosts` has each host's requests and failures in the same minutes. A host is to blame if it is
    worse than all others together beyond `tolerance` (an e-value, split among the hosts, of
    1 / alpha), and if no other is worse than the rest once it is left out.
    """
    worst = _worst(hosts, tolerance, alpha)
    if worst is None or len(hosts) < 2:
        return None
    rest = {name: trials for name, trials in hosts.items() if name != worst}
    return worst if _worst(rest, tolerance, alpha) is None else None


def _worst(hosts: Mapping[str, Trials], tolerance: Tolerance, alpha: float) -> str | None:
    """Return the host with most evidence that it is worse than the others together."""
    needed = math.log(len(hosts) / alpha) if hosts else math.inf
    found = {name: _against_others(hosts, name, tolerance) for name in hosts}
    worst = max(found, key=lambda name: found[name], default=None)
    return worst if worst is not None and found[worst] >= needed else None


def _against_others(hosts: Mapping[str, Trials], name: str, tolerance: Tolerance) -> float:
    others = [trials for other, trials in hosts.items() if other != name]
    rest = Trials(sum(it.n for it in others), sum(it.x for it in others))
    rho, delta = 1 + tolerance.errors_relative, tolerance.errors_absolute
    if not (rest.n and hosts[name].n):
        return -math.inf
    usual, ratio = (rest.x + 0.5) / (rest.n + 1), hosts[name].n / rest.n
    ways = effects(usual, ratio, rho, delta)
    logs = [log_rates(it, hosts[name], rest, rho, delta) for it in ways]
    return log_sum(logs) - math.log(len(logs))
