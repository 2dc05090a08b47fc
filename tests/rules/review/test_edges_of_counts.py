"""What one count proves at the edges: bounds, doubts, status, precision, parts of a panel.

The expected answers are those of the clinical reference (parts 0.4, 1.10, 2.1, 3.1, 3.2, 7.2).
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from rules.picture import AnyKept, Result
from schemas.events import FactStatus, ResultDoubt
from tests.rules.asking import answer_of, start
from tests.rules.bedside import cbc, diagnosis, ledger, lenalidomide, procedure, result, statement, supply

P, F = FactStatus.PRELIMINARY, FactStatus.FINAL
BLIND_ANC, BLIND_PLT = "cannot: a usable value of the newest ANC", "cannot: a usable value of the newest platelet count"


def anc(day: float, value: str | None, hour: float = 9.0, **more: object) -> Result:
    return result("anc", value, day, hour, **more)  # type: ignore[arg-type]


def plt(day: float, value: str | None, hour: float = 9.0, **more: object) -> Result:
    return result("platelets", value, day, hour, **more)  # type: ignore[arg-type]


def wbc(day: float, value: str, hour: float = 9.0, **more: object) -> Result:
    return result("wbc", value, day, hour, **more)  # type: ignore[arg-type]


def of_day(count: Result) -> Result:
    """The same count with no more than its day known."""
    midnight = count.at.replace(hour=15) - timedelta(days=1 if count.at.hour < 15 else 0)
    return replace(count, at=midnight, latest=midnight + timedelta(hours=24) - timedelta(seconds=1))


HELD = anc(8, "400")
PLT_HELD = plt(8, "20000")


@pytest.mark.parametrize(
    ("shows", "rule", "facts", "day", "answer"),
    [
        # zero and bounds
        ("an ANC of zero holds and is no doubt", "anc-hold", [anc(8, "0")], 8, "critical"),
        ("platelets of zero hold and are no doubt", "plt-hold", [plt(8, "0")], 8, "critical"),
        ("zero after zero", "anc-hold", [anc(8, "0"), anc(9, "0")], 9, "critical"),
        ("platelets below 30,000 by their bound", "plt-hold", [plt(8, "30000", bound="<")], 8, "critical"),
        ("platelets below 30,001 prove nothing", "plt-hold", [plt(8, "30001", bound="<")], 8, BLIND_PLT),
        ("platelets above 1,000 prove nothing", "plt-hold", [plt(8, "1000", bound=">")], 8, BLIND_PLT),
        ("platelets above 1,000,000 are enough", "plt-hold", [plt(8, "1000000", bound=">")], 8, "quiet"),
        ("at least 30,000 releases", "plt-hold", [PLT_HELD, plt(9, "30000", bound=">=")], 9, "quiet"),
        ("above 29,999 does not", "plt-hold", [PLT_HELD, plt(9, "29999", bound=">")], 9, "critical"),
        ("below 1,000 does not release", "anc-hold", [HELD, anc(9, "1000", bound="<")], 9, "critical"),
        ("at most 1,000 does not release", "anc-hold", [HELD, anc(9, "1000", bound="<=")], 9, "critical"),
        ("above 999 does not release", "anc-hold", [HELD, anc(9, "999", bound=">")], 9, "critical"),
        ("a bound that proves nothing leaves the watch open", "anc-low-watch", [anc(8, "900"), anc(9, "2000", bound="<")], 9, "medium"),
        # status
        ("a preliminary low beside a final normal of one specimen", "anc-hold", [anc(8, "400", status=P), anc(8, "2500")], 8, "quiet"),
        ("a final low beside a preliminary normal of one specimen", "anc-hold", [anc(8, "400"), anc(8, "2500", status=P)], 8, "critical"),
        ("an amended result counts as corrected", "anc-hold", [anc(8, "400", status=FactStatus.CORRECTED)], 8, "critical"),
        ("a retracted one does not count", "anc-hold", [anc(8, "400", status=FactStatus.WITHDRAWN)], 8, "quiet"),
        ("a preliminary recovery releases no platelets", "plt-hold", [PLT_HELD, plt(9, "90000", status=P)], 9, "critical"),
        ("a preliminary platelet count shows", "plt-hold", [plt(8, "20000", status=P)], 8, "critical provisional"),
        ("a preliminary one of exactly 30,000 does not", "plt-hold", [plt(8, "30000", status=P)], 8, "quiet"),
        # doubts
        ("clumped and low holds provisionally", "plt-hold", [plt(8, "20000", doubt=ResultDoubt.CLUMPED)], 8, "critical provisional"),
        ("clumped and high releases nothing", "plt-hold", [PLT_HELD, plt(9, "90000", doubt=ResultDoubt.CLUMPED)], 9, "critical"),
        ("without clumps on the same draw the other one counts", "plt-hold", [plt(8, "20000", doubt=ResultDoubt.CLUMPED), plt(8, "90000")], 8, "quiet"),
        ("an implausible recovery releases nothing", "anc-hold", [HELD, anc(9, None, doubt=ResultDoubt.IMPLAUSIBLE)], 9, "critical"),
        ("an implausible count blinds the rule", "anc-hold", [anc(8, None, doubt=ResultDoubt.IMPLAUSIBLE)], 8, BLIND_ANC),
        ("a code of another system blinds the rule", "anc-hold", [anc(8, "400", doubt=ResultDoubt.CODE_SYSTEM)], 8, BLIND_ANC),
        ("and is said", "dq-code-system", [anc(8, "400", doubt=ResultDoubt.CODE_SYSTEM)], 8, "info"),
        ("a fall of a hundred in doubt opens the hold", "plt-hold", [plt(8, "1800")], 8, "critical provisional"),
        ("a rise of a hundred in doubt releases nothing", "anc-hold", [HELD, anc(9, "40000")], 9, "critical"),
        ("of two values the lower one counts", "anc-hold", [anc(8, "480"), anc(8, "1500")], 8, "critical"),
        ("and the conflict is said", "dq-conflict", [anc(8, "480"), anc(8, "1500")], 8, "medium"),
        ("20 % apart is no conflict", "dq-conflict", [anc(8, "1200"), anc(8, "1500")], 8, "quiet"),
        # parts of a panel
        ("computed from WBC and percent", "anc-hold", [wbc(8, "1000"), result("neutrophils-pct", "40", 8)], 8, "critical"),
        ("segmented and bands", "anc-hold", [wbc(8, "1000"), result("segs-pct", "30", 8), result("bands-pct", "20", 8)], 8, "critical"),
        ("segmented percent alone is not all", "dq-anc-uncomputable", [wbc(8, "1000"), result("segs-pct", "30", 8)], 8, "medium"),
        ("granulocytes are no neutrophils", "dq-anc-uncomputable", [wbc(8, "1000"), result("granulocytes-pct", "30", 8)], 8, "medium"),
        ("total percent contains the bands", "anc-hold", [wbc(8, "1000"), result("neutrophils-pct", "45", 8), result("bands-pct", "10", 8)], 8, "critical"),
        ("percent of another specimen computes nothing", "dq-anc-uncomputable", [wbc(8, "1000"), result("neutrophils-pct", "40", 8, 10)], 8, "medium"),
        ("a preliminary part makes it preliminary", "anc-hold", [wbc(8, "1000"), result("neutrophils-pct", "40", 8, status=P)], 8, "critical provisional"),
        ("a measured ANC is preferred", "anc-hold", [wbc(8, "1000"), result("neutrophils-pct", "40", 8), anc(8, "900")], 8, "quiet"),
        ("final parts count before a preliminary measured one", "anc-hold", [anc(8, "3000", status=P), wbc(8, "1000"), result("neutrophils-pct", "30", 8)], 8, "critical"),
        ("an ANC above the WBC decides nothing", "anc-hold", [anc(8, "3000"), wbc(8, "1000")], 8, BLIND_ANC),
        ("and is said", "dq-implausible", [anc(8, "3000"), wbc(8, "1000")], 8, "medium"),
        ("2 % above the WBC is plausible", "anc-hold", [anc(8, "408"), wbc(8, "400")], 8, "critical"),
        ("a preliminary WBC refutes no final ANC", "anc-hold", [anc(8, "400"), wbc(8, "300", status=P)], 8, "critical"),
        # fever
        ("38.3 exactly is no single fever", "fn-suspected", [anc(8, "900"), result("temperature", "38.3", 8, 10)], 8, "quiet"),
        ("38.4 is", "fn-suspected", [anc(8, "900"), result("temperature", "38.4", 8, 10)], 8, "critical"),
        ("38.0 for exactly an hour is not sustained", "fn-suspected", [anc(8, "900"), result("temperature", "38.0", 8, 10), result("temperature", "38.0", 8, 11)], 8, "quiet"),
        ("38.0 for longer is", "fn-suspected", [anc(8, "900"), result("temperature", "38.0", 8, 10), result("temperature", "38.0", 8, 11.1)], 8, "critical"),
        ("an ANC of 1,000 is none", "fn-suspected", [anc(8, "1000"), result("temperature", "39", 8, 10)], 8, "quiet"),
        ("an ANC of 48 hours ago is known", "fn-suspected", [anc(6, "2500", 10), result("temperature", "39", 8, 10)], 8, "quiet"),
        ("an older one is not, from 38.3 on", "fn-suspected", [anc(6, "2500", 9.9), result("temperature", "38.3", 8, 10)], 8, "critical"),
        ("nor is one of more than 48 hours at 38.2", "fn-suspected", [anc(6, "2500", 9.9), result("temperature", "38.2", 8, 10)], 8, "quiet"),
        ("the ANC may come after the fever", "fn-suspected", [anc(7, "2500"), result("temperature", "39", 8, 8), anc(8, "900")], 8, "critical"),
        # day precision: the safe end
        ("a recovery of the next day releases a count of a day", "anc-hold", [of_day(HELD), anc(9, "1500")], 9, "quiet"),
        ("a count of that day may be older than the low one", "anc-hold", [of_day(HELD), anc(8, "1500", 8)], 9, "critical"),
        ("the same of platelets", "plt-hold", [of_day(PLT_HELD), plt(8, "90000", 8)], 9, "critical"),
        ("two counts of one day: the lower", "anc-hold", [of_day(HELD), of_day(anc(8, "1500"))], 9, "critical"),
        # support
        ("platelets of 9,999 for a day", "plt-support-missing", [plt(8, "9999")], 9, "high"),
        ("platelets of exactly 10,000", "plt-support-missing", [plt(8, "10000")], 9, "quiet"),
        ("and bleeding", "plt-support-missing", [plt(8, "10000"), diagnosis(["bleeding"], 8)], 9, "high"),
        ("transfused", "plt-support-missing", [plt(8, "9999"), procedure("platelet-transfusion", 9)], 9, "quiet"),
        ("G-CSF counts as support of the severe hold only", "anc-gcsf-missing", [HELD, supply("filgrastim", 9, way="given")], 12, "quiet"),
    ],
)  # fmt: skip
def test_it_answers_as_the_reference_says(shows: str, rule: str, facts: list[AnyKept], day: float, answer: str) -> None:
    assert answer_of(rule, start(), facts, day=day, hour=12.0) == answer


@pytest.mark.parametrize(
    ("shows", "facts", "opened", "episodes"),
    [
        ("one low, one recovered, one low: two", [anc(8, "900"), anc(10, "1000"), anc(12, "900")], True, 2),
        ("a recovery in doubt closes none", [anc(8, "900"), anc(10, "95000"), anc(12, "900")], True, 1),
        ("a preliminary recovery closes none", [anc(8, "900"), anc(10, "2000", status=P), anc(12, "900")], True, 1),
        ("a bound that proves nothing closes none", [anc(8, "900"), anc(10, "3000", bound="<"), anc(12, "900")], True, 1),
        ("a cycle border closes none", [anc(20, "900"), lenalidomide(29), anc(32, "900")], True, 1),
        ("a recovery of the same day of unknown hour closes none", [of_day(HELD), anc(8, "1500", 8), anc(12, "900")], True, 1),
        ("a new course counts from one", [anc(8, "900"), anc(10, "1000"), anc(12, "900"), anc(14, "2000"), statement("lenalidomide-stopped", 20, "other"), lenalidomide(60), anc(70, "900")], True, 1),
        ("a low count between two courses is none", [statement("lenalidomide-stopped", 20, "other"), anc(30, "400"), anc(40, "2000"), lenalidomide(60), anc(70, "900")], True, 1),
    ],
)  # fmt: skip
def test_episodes(shows: str, facts: list[AnyKept], opened: bool, episodes: int) -> None:
    held = ledger(start(), facts)
    assert (held.neutropenia is not None, held.neutropenia_count) == (opened, episodes)


def test_a_fever_of_weeks_ago_is_no_febrile_neutropenia() -> None:
    facts = [*cbc(8), result("temperature", "39", 8, 10), anc(20, "900")]
    assert answer_of("fn-suspected", start(), facts, day=20) == "quiet"


def test_a_bound_that_proves_nothing_leaves_the_anc_unknown() -> None:
    facts = [anc(8, "2000", bound="<"), result("temperature", "39", 8, 10)]
    assert answer_of("fn-suspected", start(), facts, day=8) == "critical"
