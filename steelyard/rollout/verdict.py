"""What the judge says: an outcome, and why."""

from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["advance", "continue", "abort", "pause"]
Blame = Literal["challenger", "both", "instance", "routing", "metrics"]


@dataclass(frozen=True)
class Verdict:
    """
    What to do now, why (each reason with both numbers), and the evidence against its limits.

    blame: where the trouble lies, None where there is none; proven: an advance on evidence, which
    excluded that the challenger is worse than the promotion margin.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    evidence: dict[str, float]
    blame: Blame | None = None
    proven: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return what is said, as the ledger keeps it beside the evidence."""
        return {
            "outcome": self.outcome,
            "reasons": list(self.reasons),
            "blame": self.blame,
            "proven": self.proven,
        }
