"""The demo from curtain to curtain: set up, feed, show, drain, reconcile, take down."""

from __future__ import annotations

import queue
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from schemas.alerts import Severity, TransitionKind
from streams.broker import BrokerFailedError, BrokerUnusableError
from streams.demo.broker_ends import Feeder, Listener, Offsets, count_facts, replay_ids
from streams.demo.reconciling import BrokerCounts, Reconciliation, reconcile
from streams.demo.scraping import ScrapeFailed, scrape
from streams.demo.screen import Screen, Ward
from streams.demo.stage import Stage
from streams.refusals import CheckFailed, ExitCode, Refusal
from streams.settings import Settings
from streams.simulator.happenings import Happening, Mishap
from streams.simulator.ward import DEFAULT_PATIENTS, DEFAULT_SEED, DEFAULT_WEEKS, simulate
from streams.topics import SOURCES, Subject

DRAIN_SECONDS: Final = 60.0
"""How long the pipeline may take to finish what was sent."""

FEED_SHARE: Final = 0.95
"""Share of `--for` in which the whole ward passes; the rest is room for the last messages."""

INTERRUPTED: Final = 130
"""What a shell expects of a program that Ctrl-C ended (128 + SIGINT)."""

SHOW_SECONDS: Final = 0.1
"""How often the panel is renewed."""

_READ: Final = (*SOURCES, Subject.LOG)
"""What the workers read."""

_DURATION: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)?$")
_SECONDS: Final = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def read_duration(text: str | float) -> float:
    """`60s`, `2m`, `90`: seconds. Typer hands a default, which is a number already, through here too."""
    match = _DURATION.match(str(text).strip().lower())
    if match is None or float(match.group(1)) <= 0:
        raise typer.BadParameter(f"{text!r} is no duration: write it as 60s or 2m.")
    return float(match.group(1)) * _SECONDS[match.group(2) or "s"]


def run_demo(
    for_seconds: Annotated[
        float,
        typer.Option("--for", parser=read_duration, metavar="DURATION", help="How long to feed the ward: 60s, 2m."),
    ] = 60.0,
    patients: Annotated[int, typer.Option(min=1, max=2_000, help="How many synthetic patients.")] = DEFAULT_PATIENTS,
    speed: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds of the ward for one second; by default the whole ward fits into --for."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open no browser (there is none to open yet).")
    ] = False,
) -> int:
    """Show everything at work on this machine: a real Kafka, the worker, a ward of synthetic patients.

    Weeks pass in a minute. Ends by itself after --for, or with Ctrl-C; what was sent is finished either way,
    and both reconciliation equations are printed. Exit code 1 where they do not balance.
    """
    del no_browser  # The console comes with the back door; the option is there so that scripts need not change.
    with Screen() as screen, _ended_by_termination():
        try:
            return _perform(screen, for_seconds, patients, speed)
        except KeyboardInterrupt:
            screen.end_progress()
            screen.sentence("Stopped at once; everything that was started is ended. Nothing was reconciled.")
            return INTERRUPTED
        except BrokerUnusableError as error:
            raise Refusal(str(error)) from error
        except BrokerFailedError as error:
            raise CheckFailed(str(error)) from error


def _perform(screen: Screen, for_seconds: float, patients: int, speed: float | None) -> int:
    screen.sentence(f"A ward of {patients} synthetic patients over {DEFAULT_WEEKS} weeks. Nobody in it exists.")
    happenings = list(simulate(patients, DEFAULT_WEEKS, DEFAULT_SEED))
    opens_at = happenings[0].known_at - timedelta(minutes=1)
    closes_at = happenings[-1].known_at + timedelta(minutes=1)
    pace = speed or (closes_at - opens_at).total_seconds() / (FEED_SHARE * for_seconds)
    ward = Ward(opens_at, closes_at, opens_at, patients, len(happenings))
    with Stage(screen.sentence) as stage:
        stage.start_broker()
        stage.create_topics()
        stage.start_role("worker")
        stage.wait_until_ready()
        screen.sentence(
            f"Topics are made and the worker is ready. One second is now {_spoken(pace)} of the ward. "
            "Alerts appear as they come off the notification topic; Ctrl-C ends the demo in order."
        )
        reconciliation = _play(screen, stage, ward, happenings, pace, for_seconds)
        _show_mishaps(screen, happenings, ward)
        _show_reconciliation(screen, ward, reconciliation)
        stage.keep_folder = not reconciliation.balances
        return ExitCode.DONE if reconciliation.balances else ExitCode.CHECK_FAILED


def _play(
    screen: Screen, stage: Stage, ward: Ward, happenings: list[Happening], pace: float, for_seconds: float
) -> Reconciliation:
    # Only the name of the group is asked for; the stream engine comes along and is not needed before.
    from streams.app import group_name

    settings = stage.settings
    ward.began = time.monotonic()
    feeder = Feeder(settings, happenings, ward, pace)
    listener = Listener(settings)
    listener.start()
    feeder.start()
    deadline = ward.began + for_seconds
    try:
        while feeder.is_alive() and time.monotonic() < deadline:
            _show(screen, listener, ward)
            stage.check_roles()
    except KeyboardInterrupt:
        screen.sentence("Stopping: what was sent is finished first. Ctrl-C again ends at once.")
    feeder.end()
    while feeder.is_alive():
        _show(screen, listener, ward)
    offsets = Offsets(settings, group_name(settings))
    try:
        if not _drain(screen, stage, listener, ward, offsets):
            screen.sentence(f"The pipeline did not finish within {DRAIN_SECONDS:.0f} s.", "bold red")
        listener.end()
        listener.join()
        _show(screen, listener, ward)
        screen.end_progress()
        for failure in (feeder.failure, listener.failure):
            if failure is not None:
                raise CheckFailed(f"The demo lost its own end at the broker: {failure}") from failure
        return reconcile(scrape(stage.addresses), _count(settings, feeder, listener, offsets))
    except ScrapeFailed as error:
        raise CheckFailed(str(error)) from error
    finally:
        offsets.close()


def _show(screen: Screen, listener: Listener, ward: Ward) -> None:
    """Show every alert that has come, then the panel; waits a moment where none has."""
    until = time.monotonic() + SHOW_SECONDS
    while True:
        try:
            transition = listener.heard.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        ward.transitions[transition.transition] += 1
        if transition.transition is TransitionKind.RAISED:
            ward.raised[transition.severity] += 1
        screen.transition(transition)
    screen.progress(ward)


def _drain(screen: Screen, stage: Stage, listener: Listener, ward: Ward, offsets: Offsets) -> bool:
    """Wait until the workers have committed all there is, and every transition has been heard."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        _show(screen, listener, ward)
        stage.check_roles()
        is_done = offsets.ends(_READ) == offsets.committed(_READ)
        if is_done and listener.records == offsets.count_records((Subject.LIFECYCLE,)):
            return True
    return False


def _count(settings: Settings, feeder: Feeder, listener: Listener, offsets: Offsets) -> BrokerCounts:
    log = offsets.read_log()
    replayed = replay_ids(log, settings)
    return BrokerCounts(
        sent=feeder.sent,
        ticks=feeder.ticks,
        held=offsets.count_records(SOURCES),
        waiting=offsets.count_waiting(),
        log_held=len(log),
        log_committed=sum(offsets.committed((Subject.LOG,)).values()),
        facts=count_facts(log),
        rejections=offsets.count_records((Subject.REJECTED,)),
        transitions=listener.records,
        distinct=len(listener.ids),
        heard_or_replayed=len(listener.ids | replayed),
        heard_and_replayed=len(listener.ids & replayed),
    )


def _show_mishaps(screen: Screen, happenings: list[Happening], ward: Ward) -> None:
    """What went wrong in the ward, so that the alerts above can be told from chance."""
    met: dict[Mishap, set[str]] = {}
    for happening in happenings[: ward.messages]:
        if happening.mishap is not None:
            met.setdefault(happening.mishap, set()).add(happening.patient)
    listed = ", ".join(f"{mishap.value} {len(met[mishap])}" for mishap in Mishap if mishap in met) or "nothing yet"
    screen.sentence("")
    screen.sentence(f"What went wrong in the ward ({len(met)} of {len(Mishap)} kinds), by patients: {listed}.")


def _show_reconciliation(screen: Screen, ward: Ward, reconciliation: Reconciliation) -> None:
    kinds = ", ".join(f"{ward.transitions[kind]} {kind.value}" for kind in TransitionKind)
    severities = ", ".join(f"{ward.raised[severity]} {severity.value}" for severity in Severity)
    screen.sentence("")
    screen.sentence(f"Transitions: {kinds}. Raised by severity: {severities}.")
    screen.sentence("")
    for equation, balances in (
        (str(reconciliation.messages), reconciliation.messages.balances),
        (str(reconciliation.facts), reconciliation.facts.balances),
    ):
        screen.sentence(
            f"{equation}  {'balances' if balances else 'DOES NOT BALANCE'}", "green" if balances else "bold red"
        )
    for check in reconciliation.checks:
        screen.sentence(f"  {check}", "dim" if check.agrees else "bold red")
    if not reconciliation.balances:
        screen.sentence("The counts do not balance: this is a fault of myelowatch.", "bold red")


def _spoken(seconds: float) -> str:
    for size, name in ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} seconds"


@contextmanager
def _ended_by_termination() -> Iterator[None]:
    """A polite SIGTERM ends the demo as Ctrl-C does."""

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
