"""`python -m tests.chaos`: break a real pipeline, then compare everything it wrote with the replay of its log.

Writes `results/chaos.json` after a full run (`results/chaos-short.json` after a short one).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.chaos.comparison import Comparison
from tests.chaos.plan import Plan, full, short
from tests.chaos.rig import Rig, RunFailed
from tests.chaos.verdict import judge, rejections_of_messages
from tests.results import write_results
from tests.simulation.mutants import MUTANTS


def main() -> int:
    """Run; 1 if anything was lost, false or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="seven faults in about two minutes")
    parser.add_argument("--seed", type=int, default=1, help="order of faults and what is sent")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="", help="plant this bug in the workers")
    arguments = parser.parse_args()
    plan = (short if arguments.short else full)(arguments.seed, arguments.mutant)
    try:
        figures, comparison = run(plan, say=lambda line: print(line, flush=True))
    except RunFailed as error:
        print(f"FAILED {error}")
        return 1
    report(comparison)
    if not plan.mutant:
        path = write_results("chaos-short" if arguments.short else "chaos", **figures)
        print(f"written to {path}")
    return 0 if comparison.is_equal else 1


def run(plan: Plan, *, say: Any) -> tuple[dict[str, Any], Comparison]:
    """One run and its verdict."""
    folder = Path(tempfile.mkdtemp(prefix="myelowatch-chaos-"))
    began = time.monotonic()
    rig = Rig(folder, plan, say=say)
    try:
        rig.run()
        seconds = time.monotonic() - began
        say(f"comparing after {seconds:.0f} s")
        comparison = judge(rig, folder)
        figures = _figures(rig, comparison, seconds)
    finally:
        rig.close()
        shutil.rmtree(folder, ignore_errors=True)
    return figures, comparison


def _figures(rig: Rig, comparison: Comparison, seconds: float) -> dict[str, Any]:
    ends: dict[str, int] = {}
    for worker in rig.workers:
        for code, count in worker.ends.items():
            ends[code] = ends.get(code, 0) + count
    return {
        "seed": rig.plan.seed,
        "seconds": round(seconds, 1),
        "reports": rig.reports,
        "messages": rig.messages,
        "ticks": rig.ticks,
        "messages_sent_again": rig.resent,
        "messages_rejected": dict(rejections_of_messages(rig)),
        "faults": dict(sorted(rig.faults.items())),
        "fault_total": rig.faults.total(),
        "aimed_kills_by_point": dict(sorted(rig.aimed().items())),
        "worker_ends_by_exit_code": ends,
        "recoveries": sum(worker.recoveries for worker in rig.workers),
        "expected_transitions": comparison.expected,
        "transitions_said": comparison.said,
        "said_again_with_the_same_id": comparison.doubles,
        "records_compared": comparison.records,
        "records_equal": comparison.records - len(comparison.wrong_records),
        **comparison.faults(),
    }


def report(comparison: Comparison) -> None:
    """The verdict for people."""
    faults = comparison.faults()
    print(
        f"expected {comparison.expected:,} transitions, said {comparison.said:,} "
        f"({comparison.doubles:,} again with the same id), {comparison.records:,} records compared"
    )
    print(" ".join(f"{name}={count}" for name, count in faults.items()))
    for name in (
        "lost",
        "false",
        "changed",
        "out_of_order",
        "wrong_records",
        "marker_faults",
        "missing_messages",
        "aside_differs",
    ):
        for line in getattr(comparison, name)[:3]:
            print(f"  {name}: {line}")


if __name__ == "__main__":
    sys.exit(main())
