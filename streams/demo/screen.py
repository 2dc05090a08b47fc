"""What the demo shows: sentences, alerts as they come, and how far the ward is.

On a terminal alerts scroll by above a small panel that stays; anywhere else plain lines come out, so
that a log of the demo can be read and searched.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.alerts import Evidence, Severity, Transition, TransitionKind
from streams.simulator.pathway import ZONE

PLAIN_PROGRESS_SECONDS: Final = 5.0
"""How often a plain line says how far the ward is."""

_STYLES: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.INFO: "cyan",
}
_CLOSING_STYLE: Final = "green"
_EVIDENCE_SHOWN: Final = 4
"""Lines of evidence shown of one alert; all of them are in the alert itself."""


@dataclass(slots=True)
class Ward:
    """How far the ward is; one thread writes it, another shows it."""

    opens_at: datetime
    closes_at: datetime
    now: datetime
    patients: int
    messages_in_all: int
    messages: int = 0
    ticks: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    transitions: Counter[TransitionKind] = field(default_factory=Counter)
    raised: Counter[Severity] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    @property
    def share(self) -> float:
        """Share of the ward's time that is over."""
        return min(1.0, max(0.0, (self.now - self.opens_at) / (self.closes_at - self.opens_at)))

    @property
    def messages_a_second(self) -> float:
        """Messages sent a second of real time, on average."""
        return self.messages / max(0.001, time.monotonic() - self.began)


class Screen:
    """Shows the demo on a terminal, or as plain lines where the output is none."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output or sys.stdout
        self._console = Console(file=self._output, highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._said_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.end_progress()

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches."""
        return self._console.is_terminal

    def sentence(self, text: str, style: str = "") -> None:
        """Say something."""
        self._print(Text(text, style=style))

    def transition(self, transition: Transition) -> None:
        """Show an alert that came, changed or went."""
        lines = (Text(text, style=style) for text, style in transition_lines(transition))
        self._print(Text("\n").join(lines))

    def progress(self, ward: Ward) -> None:
        """Show how far the ward is: the panel at once, a plain line every few seconds."""
        if self.is_terminal:
            if self._live is None:
                self._live = Live(console=self._console, refresh_per_second=4, transient=True)
                self._live.start()
            self._live.update(_panel(ward))
            return
        if time.monotonic() - self._said_at >= PLAIN_PROGRESS_SECONDS:
            self._said_at = time.monotonic()
            self.sentence(_progress_line(ward))

    def end_progress(self) -> None:
        """Take the panel away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, text: Text) -> None:
        self._console.print(text)
        if not self.is_terminal:
            self._output.flush()


def transition_lines(transition: Transition) -> Iterator[tuple[str, str]]:
    """An alert as lines with their style: what and whom, on which evidence, by which number and source."""
    is_new = transition.transition is TransitionKind.RAISED
    is_open = is_new or transition.transition is TransitionKind.UPDATED
    style = _STYLES[transition.severity] if is_open else _CLOSING_STYLE
    reason = "" if transition.reason is None else f"/{transition.reason}"
    why = "" if is_new else f" ({transition.cause.value})"
    provisional = ", provisional" if transition.provisional else ""
    place = "" if transition.cycle is None else f"  cycle {transition.cycle} day {transition.cycle_day}"
    what = f"{transition.severity.value.upper():8} {transition.transition.value}{why}{provisional}"
    yield f"{_short(transition.at)}  {what}  {transition.title}", style
    yield f"{_INDENT}patient {transition.patient.key[:8]}  rule {transition.rule}{reason}{place}", "dim"
    if not is_open:
        return
    for evidence in transition.evidence[:_EVIDENCE_SHOWN]:
        yield f"{_INDENT}{'evidence':10} {_evidence(evidence)}", ""
    if len(transition.evidence) > _EVIDENCE_SHOWN:
        yield f"{_INDENT}{'':10} and {len(transition.evidence) - _EVIDENCE_SHOWN} more", "dim"
    if transition.thresholds:
        numbers = "; ".join(f"{each.key} {each.value} {each.unit}".rstrip() for each in transition.thresholds)
        yield f"{_INDENT}{'threshold':10} {numbers}", ""
    if transition.missing:
        missing = "; ".join(f"{each.what} for {each.rule}" for each in transition.missing[:_EVIDENCE_SHOWN])
        yield f"{_INDENT}{'missing':10} {missing}", ""
    if transition.citations:
        sources = "; ".join(f"{each.source}: {each.section}".removesuffix(": ") for each in transition.citations)
        yield f"{_INDENT}{'source':10} {sources}", "dim"


_INDENT: Final = " " * 18


def _evidence(evidence: Evidence) -> str:
    """A value as received, as normalised, and when it was taken."""
    words = [evidence.what]
    if evidence.received is not None:
        received = evidence.received
        value = f"{received.value or ''} {received.unit or 'without unit'}" if received.value else received.status or ""
        words.append(value.strip())
    if evidence.normalised is not None:
        words.append(f"= {evidence.normalised.value} {evidence.normalised.unit}")
    if evidence.collected_at is not None:
        words.append(f"at {_short(evidence.collected_at)}")
    return " ".join(words)


def _short(instant: datetime) -> str:
    return f"{instant.astimezone(ZONE):%Y-%m-%d %H:%M}"


def _progress_line(ward: Ward) -> str:
    alerts = sum(ward.transitions.values())
    return (
        f"{_short(ward.now)}  -- ward: {ward.messages:,} of {ward.messages_in_all:,} messages sent "
        f"({ward.messages_a_second:.0f}/s), {alerts:,} transitions so far"
    )


def _panel(ward: Ward) -> RenderableType:
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(f"ward time {_short(ward.now)}", style="bold"),
        ProgressBar(total=1.0, completed=ward.share, width=30),
        Text(f"{ward.patients} patients"),
    )
    kinds = "  ".join(f"{kind} {count:,}" for kind, count in sorted(ward.kinds.items()))
    intake = Text(
        f"intake  {ward.messages:,} of {ward.messages_in_all:,} messages, {ward.messages_a_second:.0f}/s:  {kinds}"
    )
    raised = Text("alerts  raised ")
    for severity in Severity:
        raised.append(f" {severity.value} {ward.raised[severity]:,} ", style=_STYLES[severity])
        raised.append(" ")
    others = "  ".join(
        f"{kind.value} {ward.transitions[kind]:,}" for kind in TransitionKind if kind is not TransitionKind.RAISED
    )
    raised.append(f"  {others}")
    return Group(Text("─" * 60, style="dim"), head, intake, raised)
