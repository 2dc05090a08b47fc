"""When what is recorded changes by itself: a cycle that lies ahead begins, a condition, statement or course ends."""

from __future__ import annotations

from datetime import datetime

from rules.answers import earliest
from rules.course_moment import begin_of
from rules.view import View


def next_border(view: View, *names: str) -> datetime | None:
    """The next instant at which a recorded cycle begins, the course ends, or one of these does by its own record.

    `names` are the concepts and statement codes that the rule reads: what it does not read must not wake it.
    """
    stated = (view.ledger.statements.get(name) for name in names)
    ends = [
        *(diagnosis.abated for diagnosis in view.diagnoses(*names)),
        *(statement.until for statement in stated if statement is not None),
        view.ledger.ended_at,
        view.next_cycle_at,
        *(begin_of(cycle, view.zone) for cycle in view.ledger.cycles),
    ]
    return earliest(*(end for end in ends if end is not None and end > view.at))
