"""The label's words on second cancers: the same trigger as `spm-event`, which alone is raised and cites both.

Watches for    nothing by itself.
Stays silent   always: two names mean one alert.
Cannot assess  never.
Numbers        none
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer
from rules.view import View

RULE_ID = "spm-label"


def assess(view: View) -> Answer:
    """Nothing: see `spm-event`."""
    return NOTHING
