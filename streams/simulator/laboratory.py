"""The synthetic laboratory: reports as it writes them, in order and, where a mishap asks for it, wrong.

Units are those of a Korean laboratory print-out; values are text, exactly as they would be sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from streams.simulator import codebook
from streams.simulator.happenings import CodedConcept, Mishap, Reported, Result, ResultStatus
from streams.simulator.people import Person

THOUSAND: Final = "10*3/uL"

UNREADABLE_UNIT: Final = "x10E3/dose"
"""A unit that no table of ours lists, and none should."""

REPORT_MISHAPS: Final = (
    Mishap.CORRECTED_RESULT,
    Mishap.WRONG_UNIT,
    Mishap.MISSING_UNIT,
    Mishap.IMPLAUSIBLE_VALUE,
    Mishap.CLUMPED_PLATELETS,
    Mishap.ANC_BY_PERCENT,
    Mishap.LATE_RESULT,
    Mishap.DELAYED_REPORT,
    Mishap.DUPLICATED_MESSAGE,
)
"""What can go wrong with any report; falls in counts are the marrow's doing."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One sending of a report. `is_repeat` marks the very same message sent once more."""

    known_at: datetime
    report: Reported
    mishap: Mishap | None = None
    is_repeat: bool = False


class Laboratory:
    """Draws up reports for one patient; `name` gives ids that are never used twice."""

    def __init__(self, person: Person, chance: Random, name: Callable[[str], str]) -> None:
        self._person = person
        self._chance = chance
        # Of their own, so that a value more in a report changes nothing else that happens to anybody.
        self._other_chance = Random(f"{person.id}/chemistry")
        self._name = name
        self._panels_since_thyroid = 0

    def blood_count(self, drawn: datetime, neutrophils: float, platelets: float) -> Reported:
        """A count with differential: eight results, with the analyser's own scatter."""
        chance = self._chance
        neutrophils = max(10.0, neutrophils * chance.uniform(0.96, 1.04))
        platelets = max(1_000.0, platelets * chance.uniform(0.97, 1.03))
        lymphocytes = chance.uniform(1_050.0, 1_500.0)
        eosinophils = chance.uniform(60.0, 180.0)
        white = neutrophils + lymphocytes + eosinophils + chance.uniform(250.0, 420.0)
        results = (
            self.result(codebook.WHITE_CELLS, f"{white / 1000:.2f}", THOUSAND),
            self.result(codebook.HAEMOGLOBIN, f"{chance.uniform(10.4, 12.6):.1f}", "g/dL"),
            self.result(codebook.PLATELETS, f"{platelets / 1000:.0f}", THOUSAND),
            self.result(codebook.NEUTROPHILS, f"{neutrophils / 1000:.2f}", THOUSAND),
            self.result(codebook.NEUTROPHIL_SHARE, f"{100 * neutrophils / white:.1f}", "%"),
            self.result(codebook.LYMPHOCYTES, f"{lymphocytes / 1000:.2f}", THOUSAND),
            self.result(codebook.LYMPHOCYTE_SHARE, f"{100 * lymphocytes / white:.1f}", "%"),
            self.result(codebook.EOSINOPHILS, f"{eosinophils / 1000:.2f}", THOUSAND),
        )
        issued = drawn + timedelta(minutes=chance.randint(70, 150))
        return Reported(self._name("R"), self._name("B"), drawn, issued, ResultStatus.FINAL, results)

    def chemistry(self, drawn: datetime, after: datetime) -> Reported:
        """Kidney and liver values at the start of a cycle, thyroid every third time."""
        chance, other = self._chance, self._other_chance
        creatinine = self._person.creatinine_mg_dl * chance.uniform(0.96, 1.03)
        results = [
            self.result(codebook.CREATININE, f"{creatinine:.2f}", "mg/dL"),
            self.result(codebook.ALT, f"{chance.uniform(12, 34):.0f}", "U/L", high="40"),
            self.result(codebook.AST, f"{chance.uniform(14, 32):.0f}", "U/L", high="40"),
            self.result(codebook.BILIRUBIN, f"{chance.uniform(0.4, 1.0):.1f}", "mg/dL", high="1.2"),
            self.result(codebook.POTASSIUM, f"{other.uniform(3.7, 4.8):.1f}", "mmol/L", low="3.5", high="5.1"),
            self.result(codebook.LDH, f"{other.uniform(140, 235):.0f}", "U/L", high="250"),
            self.result(codebook.URATE, f"{other.uniform(3.6, 6.4):.1f}", "mg/dL", high="7.0"),
        ]
        if self._panels_since_thyroid % 3 == 0:
            tsh = self.result(codebook.TSH, f"{chance.uniform(0.8, 3.6):.2f}", "m[IU]/L", low="0.40", high="4.20")
            results.append(tsh)
        self._panels_since_thyroid += 1
        issued = after + timedelta(minutes=chance.randint(15, 40))
        return Reported(self._name("R"), self._name("B"), drawn, issued, ResultStatus.FINAL, tuple(results))

    def serology(self, drawn: datetime) -> Reported:
        """Hepatitis B before treatment."""
        return self._in_words(drawn, codebook.HEPATITIS_B_ANTIGEN, codebook.HEPATITIS_B_ANTIBODY)

    def pregnancy_test(self, drawn: datetime) -> Reported:
        """A negative one: nobody of the ward is pregnant."""
        return self._in_words(drawn, codebook.PREGNANCY_TEST)

    def _in_words(self, drawn: datetime, *tests: CodedConcept) -> Reported:
        results = tuple(self.result(test, "Negative", None) for test in tests)
        issued = drawn + timedelta(minutes=45)
        return Reported(self._name("R"), self._name("B"), drawn, issued, ResultStatus.FINAL, results)

    def vital_signs(self, at: datetime, results: tuple[Result, ...]) -> Reported:
        """Measured at the bedside, known at once."""
        return Reported(self._name("R"), self._name("M"), at, at, ResultStatus.FINAL, results, is_vital_sign=True)

    def result(
        self, test: CodedConcept, value: str, unit: str | None, *, low: str | None = None, high: str | None = None
    ) -> Result:
        """One line of a report."""
        return Result(self._name("O"), test, value, unit, low=low, high=high)

    def send(self, report: Reported, mishap: Mishap | None) -> tuple[Sent, ...]:
        """How a report reaches us: as it should, or with a mishap and whatever sets it right again."""
        chance = self._chance
        known = report.issued_at + timedelta(minutes=chance.randint(1, 4))
        match mishap:
            case Mishap.CORRECTED_RESULT:
                wrong = _changed(report, codebook.NEUTROPHILS, value="0.38")
                return self._wrong_then_corrected(
                    wrong, report, known, timedelta(minutes=chance.randint(200, 400)), mishap
                )
            case Mishap.WRONG_UNIT:
                wrong = _changed(report, codebook.NEUTROPHILS, unit=UNREADABLE_UNIT)
                return self._wrong_then_corrected(wrong, report, known, timedelta(hours=20), mishap)
            case Mishap.IMPLAUSIBLE_VALUE:
                wrong = _changed(report, codebook.HAEMOGLOBIN, value="118")
                return self._wrong_then_corrected(wrong, report, known, timedelta(hours=5), mishap)
            case Mishap.MISSING_UNIT:
                unclear = _changed(report, codebook.PLATELETS, unit=None)
                return (Sent(known, unclear, mishap),)
            case Mishap.CLUMPED_PLATELETS:
                note = "Platelet clumps seen on the smear: the count may be falsely low. Please repeat in citrate."
                clumped = _changed(report, codebook.PLATELETS, value="22", note=note)
                repeated = self._another(report, timedelta(days=1))
                return (Sent(known, clumped, mishap), Sent(repeated.issued_at + timedelta(minutes=2), repeated, mishap))
            case Mishap.ANC_BY_PERCENT:
                share = _without(report, codebook.NEUTROPHILS)
                bare = self._another(_without(share, codebook.NEUTROPHIL_SHARE), timedelta(days=1))
                return (Sent(known, share, mishap), Sent(bare.issued_at + timedelta(minutes=2), bare, mishap))
            case Mishap.LATE_RESULT:
                older = _changed(self._another(report, -timedelta(days=5)), codebook.NEUTROPHILS, value="0.46")
                return (Sent(known, report), Sent(known + timedelta(minutes=chance.randint(120, 900)), older, mishap))
            case Mishap.DELAYED_REPORT:
                return (Sent(known + timedelta(days=5), report, mishap),)
            case Mishap.PRELIMINARY_THEN_FINAL:
                hour = timedelta(hours=1)
                first = replace(report, status=ResultStatus.PRELIMINARY, issued_at=report.issued_at - hour)
                return (Sent(known - hour, first, mishap), Sent(known + timedelta(minutes=75), report, mishap))
            case Mishap.DUPLICATED_MESSAGE:
                again_at = known + timedelta(minutes=chance.randint(20, 90))
                return (Sent(known, report), Sent(again_at, report, mishap, is_repeat=True))
            case _:
                return (Sent(known, report, mishap),)

    def _wrong_then_corrected(
        self, wrong: Reported, report: Reported, known: datetime, after: timedelta, mishap: Mishap
    ) -> tuple[Sent, ...]:
        corrected_at = known + after
        right = replace(report, status=ResultStatus.CORRECTED, issued_at=corrected_at - timedelta(minutes=3))
        return (Sent(known, wrong, mishap), Sent(corrected_at, right, mishap))

    def _another(self, report: Reported, moved: timedelta) -> Reported:
        """Another specimen of the same patient with the same values, taken earlier or later."""
        return replace(
            report,
            report=self._name("R"),
            specimen=self._name("B"),
            collected_at=report.collected_at + moved,
            issued_at=report.issued_at + moved,
            results=tuple(replace(result, id=self._name("O")) for result in report.results),
        )


def _changed(report: Reported, test: CodedConcept, **changes: str | None) -> Reported:
    results = tuple(
        replace(result, **changes) if result.test == test else result  # type: ignore[arg-type]
        for result in report.results
    )
    return replace(report, results=results)


def _without(report: Reported, test: CodedConcept) -> Reported:
    return replace(report, results=tuple(result for result in report.results if result.test != test))
