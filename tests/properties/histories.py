"""Random courses of treatment as lists of log entries, for the properties."""

from __future__ import annotations

from hypothesis import strategies as st

from schemas.events import Fact, FactStatus
from tests.rules.bedside import on
from tests.rules.log import condition, described, dispense, lab, stated

COUNTS = st.sampled_from(["300", "499", "500", "501", "800", "999", "1000", "1001", "2500", "4000"])
PLATELETS = st.sampled_from(["9000", "29999", "30000", "49999", "50000", "99999", "100000", "180000"])
CREATININE = st.sampled_from(["0.9", "1.2", "1.9", "2.4"])
TEMPERATURE = st.sampled_from(["36.6", "38.0", "38.4"])
MEDICINES = st.sampled_from(["aspirin", "enoxaparin", "warfarin", "co-trimoxazole", "filgrastim", "epoetin-alfa"])
CONDITIONS = st.sampled_from(["dvt", "pneumonia", "heart-failure", "bleeding", "immobility", "ckd"])
STATEMENTS = st.sampled_from(
    [("vte-risk-assessment", "done"), ("immobilisation", "bedbound"), ("aggressive-disease", "yes"),
     ("lenalidomide-stopped", "progression")]
)  # fmt: skip


@st.composite
def courses(draw: st.DrawFn, *, corrections: bool = True) -> list[list[Fact]]:
    """Who, dispenses, panels, other medicines, conditions, now and then a correction; in clinical order."""
    parts: list[tuple[float, list[Fact]]] = [(-20, list(described())), (-2, list(lab(-2))), (1, list(dispense(1)))]
    for day in draw(st.lists(st.integers(3, 70), min_size=2, max_size=7, unique=True)):
        values = {"anc": draw(COUNTS), "platelets": draw(PLATELETS)}
        if draw(st.booleans()):
            values |= {"creatinine": draw(CREATININE), "weight": "60"}
        if draw(st.booleans()):
            values["temperature"] = draw(TEMPERATURE)
        parts.append((day, list(lab(day, **values))))
        if corrections and draw(st.integers(0, 3)) == 0:
            fixed = lab(
                day,
                status=FactStatus.CORRECTED,
                version=on(day, 15),
                issued=on(day, 15),
                **{**values, "anc": draw(COUNTS)},
            )
            parts.append((day + 0.3, list(fixed)))
    refills = draw(st.lists(st.sampled_from([29, 30, 36, 57, 60]), max_size=2, unique=True))
    parts.extend((day, list(dispense(day, dose=draw(st.sampled_from(["25", "15"]))))) for day in refills)
    for _ in range(draw(st.integers(0, 3))):
        day = draw(st.integers(-5, 65))
        parts.append((day or 1, list(dispense(day or 1, draw(MEDICINES), days=draw(st.sampled_from([14, 28, 90]))))))
    for _ in range(draw(st.integers(0, 2))):
        day = draw(st.sampled_from([-150, -100, -10, 5, 20, 40]))
        parts.append((day, list(condition(day, draw(CONDITIONS)))))
    for _ in range(draw(st.integers(0, 2))):
        code, value = draw(STATEMENTS)
        day = draw(st.integers(2, 65))
        parts.append((day, list(stated(day, code, value))))
    if draw(st.booleans()):
        parts.append((25, list(stated(25, "planned-cycle-day-1", when=on(30)))))
    seen: set[str] = set()
    unique = []
    for _, part in sorted(parts, key=lambda item: item[0]):
        fresh = [fact for fact in part if (fact.fact_id, fact.status) not in seen]
        seen.update((fact.fact_id, fact.status) for fact in fresh)
        if fresh:
            unique.append(fresh)
    return unique
