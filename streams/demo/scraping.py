"""Reading the metrics of a role as Prometheus would: over HTTP, as text, by name and label."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

SCRAPE_SECONDS = 5.0
"""How long a role may take to answer before the scrape counts as failed."""


class ScrapeFailed(RuntimeError):
    """A role did not answer with metrics; the message names the address and the reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a metrics page."""

    name: str
    labels: dict[str, str]
    value: float


class Readings:
    """The samples of one or more roles, added up over whatever is not asked for."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = tuple(samples)

    def total(self, name: str, **labels: str) -> int:
        """Sum of all samples of this name that carry these labels."""
        return round(sum(sample.value for sample in self._chosen(name, labels)))

    def by(self, name: str, label: str, **labels: str) -> Counter[str]:
        """Sums by the values of one label; values that sum to nothing are left out."""
        sums: Counter[str] = Counter()
        for sample in self._chosen(name, labels):
            sums[sample.labels.get(label, "")] += round(sample.value)
        return +sums

    def _chosen(self, name: str, labels: dict[str, str]) -> Iterable[Sample]:
        for sample in self._samples:
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items()):
                yield sample


def read_metrics(text: str) -> list[Sample]:
    """Prometheus text to samples."""
    return [
        Sample(sample.name, dict(sample.labels), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]


def scrape(addresses: Iterable[str]) -> Readings:
    """Read `http://host:port` of each role; raises `ScrapeFailed` where one does not answer."""
    samples: list[Sample] = []
    for address in addresses:
        url = f"{address}/metrics"
        try:
            # The address is one that we chose ourselves on the loopback interface.
            with urllib.request.urlopen(url, timeout=SCRAPE_SECONDS) as answer:  # noqa: S310
                samples += read_metrics(answer.read().decode("utf-8"))
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise ScrapeFailed(f"{url} did not answer with metrics: {error}") from error
    return Readings(samples)


def is_ready(address: str) -> bool:
    """Whether a role says that it does its work now."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=SCRAPE_SECONDS) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
