"""`python -m tests.benchmarks [names]`: speed side by side in one run, and results/bench.json.

Names: core history replay where pipeline latency recovery; all of them without one. Figures of the core are of one
processor's own time, so that what else runs on the machine does not count; what goes through Kafka is wall time,
with the generator and the broker on the same machine. Trust ratios: everything is measured in the same run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streams.broker import LaptopKafka
from streams.worker import collect_garbage_seldom
from tests.benchmarks.core import Spent, measure_core, measure_history
from tests.benchmarks.ground import Ground
from tests.benchmarks.replaying import measure_files, measure_log
from tests.benchmarks.through_kafka import (
    Pipeline,
    Rate,
    measure_baseline,
    measure_echo,
    measure_latency,
    measure_pipeline,
    measure_recovery,
)
from tests.benchmarks.where import measure_where
from tests.results import write_results

RECOVERED_PATIENTS = 20_000


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*_MEASURES, []], help="what to measure; all of it without a name")
    parser.add_argument("--quick", action="store_true", help="a tenth of the load: to try, not to compare")
    arguments = parser.parse_args()
    names = arguments.names or list(_MEASURES)
    collect_garbage_seldom()  # as the worker does
    figures: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="myelowatch-bench-"))
    kafka = LaptopKafka(folder / "broker", die_with_parent=True)
    try:
        if set(names) & set(_THROUGH_KAFKA):
            kafka.start()
        for name in names:
            _MEASURES[name](figures, Bench(kafka, folder, small=arguments.quick))
    finally:
        kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if not arguments.names and not arguments.quick:
        print(f"written to {write_results('bench', **figures)}")
    return 0


class Bench:
    """The ground of a measurement."""

    def __init__(self, kafka: LaptopKafka, folder: Path, *, small: bool) -> None:
        self._kafka = kafka
        self._folder = folder
        self.small = small

    def ground(self, prefix: str) -> Ground:
        """Topics of its own."""
        return Ground(self._kafka, prefix, self._folder)

    def size(self, whole: int) -> int:
        """The size of something, or a tenth of it."""
        return max(1, whole // 10) if self.small else whole


def _line(what: str, figure: str, beside: str = "") -> None:
    print(f"{what:58} {figure:>22}  {beside}", flush=True)


def _core(figures: dict[str, Any], bench: Bench) -> None:
    without, with_entry, ward = measure_core(bench.size(100), 61)
    sizes = ward.sizes()
    _line("core: record decoded, all rules, record encoded", f"{without.rate:,.0f} reports/s", _share(without))
    _line("core, the entry's own JSON decoded too", f"{with_entry.rate:,.0f} reports/s", _share(with_entry))
    _line("bytes of a record (480 results in 60 days): median", f"{sizes[len(sizes) // 2]:,}", f"largest {sizes[-1]:,}")
    figures["core"] = {
        "reports_a_second": round(without.rate),
        "with_entry_decode": round(with_entry.rate),
        "reports": without.reports,
        "raising_share": round(without.raising / without.reports, 4),
        "record_bytes_p50": sizes[len(sizes) // 2],
        "record_bytes_max": sizes[-1],
    }


def _share(spent: Spent) -> str:
    return f"{100 * spent.raising / spent.reports:.1f} % of {spent.reports:,} reports raise an alert"


def _history(figures: dict[str, Any], bench: Bench) -> None:
    short, long, ward_3, ward_5 = measure_history(bench.size(30))
    ratio = long.microseconds / short.microseconds
    sizes_3, sizes_5 = ward_3.sizes(), ward_5.sizes()
    _line("core after 3 months of weekly reports", f"{short.microseconds:,.0f} us a report")
    _line("core after 5 years of weekly reports", f"{long.microseconds:,.0f} us a report", f"x {ratio:.2f}")
    _line("bytes of a record after 3 months, median", f"{sizes_3[len(sizes_3) // 2]:,}")
    _line("bytes of a record after 5 years, median", f"{sizes_5[len(sizes_5) // 2]:,}")
    figures["history"] = {
        "months_3_microseconds": round(short.microseconds),
        "years_5_microseconds": round(long.microseconds),
        "ratio": round(ratio, 3),
        "record_bytes_3_months": sizes_3[len(sizes_3) // 2],
        "record_bytes_5_years": sizes_5[len(sizes_5) // 2],
    }


def _replay(figures: dict[str, Any], bench: Bench) -> None:
    log, files = measure_log(bench.size(100)), measure_files(bench.size(60))
    _line("replay of a dump of the log", f"{log.rate:,.0f} reports/s")
    _line("replay of files of our own events", f"{files.rate:,.0f} reports/s")
    figures["replay"] = {"log": round(log.rate), "files": round(files.rate)}


def _where(figures: dict[str, Any], bench: Bench) -> None:
    areas, microseconds = measure_where(bench.size(100))
    _line("translate and monitor over memory, no engine, no broker", f"{microseconds:,.0f} us a report")
    for area, share in areas:
        _line(f"  {area}", f"{100 * share:.1f} %", f"{share * microseconds:,.0f} us")
    figures["where"] = {
        "microseconds_a_report": round(microseconds),
        "share": {area: round(share, 4) for area, share in areas},
    }


def _pipeline(figures: dict[str, Any], bench: Bench) -> None:
    ground = bench.ground("bench.pipeline")
    patients, days = bench.size(2_000), 9
    ours = measure_pipeline(ground, patients, days)
    areas = measure_pipeline(bench.ground("bench.where"), bench.size(1_000), 9, where=True).areas
    count = patients * (days - 1) + 3 * patients
    faust = measure_baseline(ground, "faust", count)
    raw = measure_baseline(ground, "aiokafka", count)
    _line(
        "pipeline through Kafka, one worker",
        f"{ours.a_second:,.0f} reports/s",
        f"{ours.a_processor_second:,.0f} a second of its own processor time",
    )
    _line("  beside it: a plain Faust agent, no rules", f"{faust.a_second:,.0f} reports/s", _times(faust, ours))
    _line("  beside it: a raw aiokafka loop, no rules", f"{raw.a_second:,.0f} reports/s", _times(raw, ours))
    for area, part in areas:
        _line(f"  of the worker's time: {area}", f"{100 * part:.1f} %")
    figures["pipeline"] = {
        "reports_a_second": round(ours.a_second),
        "reports_a_processor_second": round(ours.a_processor_second),
        "reports": ours.reports,
        "alerts_raised": ours.raised,
        "plain_faust_a_second": round(faust.a_second),
        "raw_aiokafka_a_second": round(raw.a_second),
        "of_plain_faust": round(ours.a_second / faust.a_second, 3),
        "of_raw_aiokafka": round(ours.a_second / raw.a_second, 3),
        "share_of_time": {area: round(part, 4) for area, part in areas},
    }


def _times(neighbour: Rate, ours: Pipeline) -> str:
    return f"x {neighbour.a_second / ours.a_second:.1f}"


def _latency(figures: dict[str, Any], bench: Bench) -> None:
    rate, seconds = 200, 60 if not bench.small else 10
    alert = measure_latency(bench.ground("bench.latency"), 400, seconds, rate)
    echo = measure_echo(bench.ground("bench.echo"), 400, seconds // 2, rate)
    _line(f"lab to alert at {rate} reports/s: p50", f"{alert.p50:,.0f} ms", f"echo {echo.p50:,.0f} ms")
    _line(
        f"lab to alert at {rate} reports/s: p99",
        f"{alert.p99:,.0f} ms",
        f"echo {echo.p99:,.0f} ms ({alert.count} alerts)",
    )
    figures["latency"] = {"rate": rate, "alert": asdict(alert), "echo": asdict(echo)}


def _recovery(figures: dict[str, Any], bench: Bench) -> None:
    patients = bench.size(RECOVERED_PATIENTS)
    cold, warm, sizes = measure_recovery(bench.ground("bench.recovery"), bench.ground("bench.nobody"), patients)
    _line(
        f"recovery of {patients:,} patients, cold",
        f"{cold.recovery_seconds:.1f} s",
        f"{cold.seconds:.1f} s from the start of the process",
    )
    _line(
        f"recovery of {patients:,} patients, warm",
        f"{warm.recovery_seconds:.1f} s",
        f"{warm.seconds:.1f} s from the start of the process",
    )
    _line("  bytes a patient on the changelog, median", f"{sizes[len(sizes) // 2]:,}", f"largest {sizes[-1]:,}")
    _line(
        "  memory a patient in the worker (RocksDB store)",
        f"{warm.bytes_a_patient:,.0f} bytes",
        f"cold {cold.bytes_a_patient:,.0f}",
    )
    figures["recovery"] = {
        "patients": patients,
        "cold": asdict(cold),
        "warm": asdict(warm),
        "changelog_bytes_p50": sizes[len(sizes) // 2],
    }


_MEASURES: dict[str, Callable[[dict[str, Any], Bench], None]] = {
    "core": _core,
    "history": _history,
    "replay": _replay,
    "where": _where,
    "pipeline": _pipeline,
    "latency": _latency,
    "recovery": _recovery,
}
_THROUGH_KAFKA = ("pipeline", "latency", "recovery")

if __name__ == "__main__":
    sys.exit(main())
