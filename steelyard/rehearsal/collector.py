"""SageMaker's detailed observability: containers' counters, scraped and labelled."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from steelyard.rehearsal.containers import Container
from steelyard.rehearsal.promql import Labels, SampleStore, exposition

DEFAULT_PERIOD_SECONDS = 60
# The judge reaches back an hour and some minutes; what is older is forgotten now and then.
KEPT_SECONDS = 2 * 3600
FORGETTING_SECONDS = 3600


class Collector:
    """
    Scrapes as often as the endpoint config asks for, and not at all where it is switched off.

    Counters of time are told by the seeded latency model: the containers' own hold how busy this
    machine is, and the judge would take that for the variant's.
    """

    def __init__(self, endpoint: str, config: dict[str, Any], samples: SampleStore) -> None:
        metrics = config.get("MetricsConfig", {})
        self._endpoint = endpoint
        self._samples = samples
        self._enabled = bool(metrics.get("EnableDetailedObservability", False))
        self.period = int(metrics.get("MetricPublishFrequencyInSeconds", DEFAULT_PERIOD_SECONDS))

    def collect(self, containers: Iterable[Container], now: float) -> None:
        """Scrape every container that answers, if this moment is one of the period's."""
        if not self._enabled or now % self.period:
            return
        for container in containers:
            text = container.metrics()
            if text is None:
                continue
            added = (
                ("aws.sagemaker.endpoint.name", self._endpoint),
                ("aws.sagemaker.variant.name", container.variant),
                ("@resource.host.id", container.host),
            )
            for name, labels, own in exposition(text):
                value = container.durations.told(name, labels, own)
                self._samples.append(now, name, _ordered(*labels.items(), *added), value)
        if now % FORGETTING_SECONDS == 0:
            self._samples.forget(now - KEPT_SECONDS)


# A page has the same labels at every scrape.
@lru_cache(maxsize=10_000)
def _ordered(*labels: tuple[str, str]) -> Labels:
    return tuple(sorted(labels))
