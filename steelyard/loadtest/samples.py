"""What a run saw of each request."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.loadtest.arrivals import Floats


@dataclass(frozen=True)
class Samples:
    """
    Every request of a run, in the order in which they were due; all times in seconds.

    Time 0 is the beginning of what is measured: what was due before it warmed up. `started` is when
    the generator got to a request, `sent` when it had a connection for it, `done` when the answer
    was whole or the failure certain; `failures` names what went wrong, empty for a good answer.
    """

    scheduled: Floats
    started: Floats
    sent: Floats
    done: Floats
    failures: Sequence[str]

    def measured(self) -> "Samples":
        """Return the requests without those of the warm-up."""
        first = int(np.searchsorted(self.scheduled, 0.0, side="left"))
        return Samples(
            self.scheduled[first:],
            self.started[first:],
            self.sent[first:],
            self.done[first:],
            self.failures[first:],
        )

    @property
    def is_good(self) -> np.ndarray:
        """Which requests got a good answer."""
        return np.array([not failure for failure in self.failures], bool)

    def response(self) -> Floats:
        """
        Return the time from when each request was due until its answer, infinite for failures.

        A stall of the server is in it for everybody who came while it lasted, not only for who was
        being served: no coordinated omission (Gil Tene, How NOT to Measure Latency; wrk2).
        """
        return np.where(self.is_good, self.done - self.scheduled, np.inf)

    def service(self) -> Floats:
        """Return the time from when each request was sent until its answer, infinite for failures.

        This is what generators tell that wait for an answer before they send again.
        """
        return np.where(self.is_good, self.done - self.sent, np.inf)

    def lateness(self) -> Floats:
        """Return how long after it was due the generator got to each request."""
        return self.started - self.scheduled

    def failure_counts(self) -> dict[str, int]:
        """Return how many requests failed in each way, most frequent first."""
        return dict(Counter(filter(None, self.failures)).most_common())
