"""One synthetic patient's way through treatment: work-up, cycles, counts, holds, mishaps.

A small diary of appointments drives it: each appointment may say something (a `Happening`) and
make further appointments. Clinicians read what the laboratory reports, not what the marrow does,
and answer with a delay.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from streams.simulator import codebook, practice
from streams.simulator.body import Body
from streams.simulator.happenings import (
    CodedConcept,
    Described,
    Diagnosed,
    Dispensed,
    Happening,
    Mishap,
    Ordered,
    Performed,
    Reported,
    Stated,
    Vaccinated,
    What,
)
from streams.simulator.laboratory import REPORT_MISHAPS, Laboratory
from streams.simulator.people import AGE_OF_HALF_DEXAMETHASONE, ClotRisk, Person

ZONE: Final = ZoneInfo("Asia/Seoul")
"""Where the synthetic ward stands; it knows no daylight saving."""

COUNTRY: Final = "KR"

WORK_UP_DAYS: Final = 7
"""Days before the first dose on which the patient is described and measured."""

_TIERS: Final = {
    ClotRisk.RECENT_THROMBOSIS: "tier-1",
    ClotRisk.RAISED: "tier-2",
    ClotRisk.ORDINARY: "tier-3",
}

_FEVER_COURSE: Final = ((9, "38.7"), (15, "38.4"), (33, "37.6"), (57, "36.9"), (81, "36.7"), (105, "36.6"))
"""Hours after the low count was read, and temperature in Celsius: fever for a day, then none."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """What a clinician reads on a report, cells/uL."""

    collected_at: datetime
    neutrophils: int
    platelets: int

    @property
    def is_low(self) -> bool:
        """Neutrophils below the value from which treatment is safe."""
        return self.neutrophils < practice.ANC_SAFE_FROM


@dataclass(slots=True)
class _Hold:
    """A treatment interruption as the ward keeps it."""

    since: datetime
    for_neutrophils: bool = False
    for_platelets: bool = False
    is_persistent: bool = False


class Pathway:
    """Walks one person from work-up to the last day of the ward."""

    def __init__(
        self, person: Person, mishaps: frozenset[Mishap], first_dose_on: date, last_day: date, chance: Random
    ) -> None:
        self._person = person
        self._mishaps = mishaps
        self._pending: set[Mishap | None] = set(mishaps)
        self._first_dose_on = first_dose_on
        self._last_day = last_day
        self._chance = chance
        self._body = Body(person, first_dose_on - timedelta(days=WORK_UP_DAYS))
        self._laboratory = Laboratory(person, chance, self._name)

        self._diary: list[tuple[datetime, int, Callable[[], None]]] = []
        self._said: list[Happening] = []
        self._names = 0

        self._cycle = 0
        self._day_1 = first_dose_on
        self._expected_day_1 = first_dose_on
        self._planned: set[int] = set()
        self._dose_mg = person.start_dose_mg
        self._hold: _Hold | None = None
        self._episodes = 0
        self._is_neutropenic = False
        self._visits_on_treatment = 0
        self._has_missed_visit = False
        self._has_stopped = False
        self._vaccinated_in = 0
        self._newest_platelets = 0
        self._is_clot_prophylaxis_paused = False
        self._reviewed_on = first_dose_on

    def walk(self) -> list[Happening]:
        """Everything that is said about this person until the last day, by the instant it became known."""
        self._work_up()
        end = self._at(self._last_day, 23, 59)
        while self._diary and self._diary[0][0] <= end:
            _, _, happen = heapq.heappop(self._diary)
            happen()
        return sorted(
            (said for said in self._said if said.known_at <= end), key=lambda said: (said.known_at, said.message)
        )

    # --- the diary -------------------------------------------------------------------------------------------------

    def _at(self, day: date, hour: int, minute: int) -> datetime:
        return datetime.combine(day, time(hour, minute), ZONE)

    def _minutes(self, low: int, high: int) -> timedelta:
        return timedelta(minutes=self._chance.randint(low, high))

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{self._person.id}-{kind}{self._names:04d}"

    def _appoint(self, instant: datetime, happen: Callable[[], None]) -> None:
        self._names += 1
        heapq.heappush(self._diary, (instant, self._names, happen))

    def _say(self, known_at: datetime, what: What, mishap: Mishap | None = None) -> None:
        self._said.append(Happening(known_at, self._person.id, self._name("M"), what, mishap))

    # --- before the first dose -------------------------------------------------------------------------------------

    def _work_up(self) -> None:
        person = self._person
        day = self._first_dose_on - timedelta(days=WORK_UP_DAYS)
        admitted = self._at(day, 9, 0) + self._minutes(0, 50)
        self._say(admitted, Described(person.birth, person.sex, COUNTRY, admitted))
        self._diagnose(admitted, codebook.MYELOMA, day - timedelta(days=900))
        if person.had_thrombosis_on is not None:
            over = person.had_thrombosis_on + timedelta(days=30)
            self._diagnose(admitted, codebook.DEEP_VEIN_THROMBOSIS, person.had_thrombosis_on, over)
        if person.has_kidney_disease:
            self._diagnose(admitted, codebook.KIDNEY_DISEASE, day - timedelta(days=1200))
        measured = admitted + self._minutes(5, 15)
        weight = self._laboratory.result(codebook.WEIGHT, f"{person.weight_kg:.1f}", "kg")
        height = self._laboratory.result(codebook.HEIGHT, f"{person.height_cm:.0f}", "cm")
        self._say(measured + timedelta(minutes=3), self._laboratory.vital_signs(measured, (weight, height)))
        self._vaccinate_in_season(measured + timedelta(minutes=10))
        self._read_vaccination_card(admitted)
        report = self._draw_count(measured + self._minutes(20, 40))
        self._send(report, None)
        self._send(self._laboratory.serology(report.collected_at), None)
        self._send(self._laboratory.chemistry(report.collected_at, report.issued_at), None)
        self._assess(self._at(day + timedelta(days=2), 11, 0) + self._minutes(0, 90))
        self._appoint_visit(self._first_dose_on)
        if person.can_become_pregnant:
            self._prevent_pregnancy()
        if Mishap.STOPPED_COURSE in self._pending:
            stop_at = self._at(self._first_dose_on + timedelta(days=self._chance.randint(36, 50)), 15, 30)
            self._appoint(stop_at, lambda: self._stop(stop_at))

    def _diagnose(self, at: datetime, codes: tuple[CodedConcept, ...], onset: date, abated: date | None = None) -> None:
        self._say(at + timedelta(minutes=2), Diagnosed(self._name("C"), codes, onset, at, abated))

    def _assess(self, at: datetime) -> None:
        """What a physician asks and writes down before treatment."""
        statements: list[tuple[str, str | None, str | None]] = [
            ("vte-risk-assessment", _TIERS[self._person.clot_risk], None),
            ("therapy-line", None, "1"),
            ("bortezomib-failure", "yes", None),
            ("dexamethasone-plan-mg-per-cycle", None, str(self._dexamethasone_mg() * practice.DEXAMETHASONE_DOSES)),
        ]
        if self._person.can_become_pregnant:
            statements.append(("childbearing-potential", "yes", None))
            statements.append(("menses", "regular", None))
        elif self._person.sex == "female":
            statements.append(("childbearing-potential", "postmenopausal", None))
        else:
            statements.append(("partner", "not-of-potential", None))
            statements.append(("contraception", "condom", None))
        for minutes, (code, value_code, value_number) in enumerate(statements):
            stated_at = at + timedelta(minutes=2 * minutes)
            stated = Stated(self._name("S"), code, stated_at, value_code=value_code, value_number=value_number)
            self._say(stated_at + timedelta(minutes=1), stated)
        self._plan(1, self._first_dose_on, at + timedelta(minutes=10))

    def _plan(self, cycle: int, day_1: date, at: datetime) -> None:
        plan = Stated(
            f"{self._person.id}-PLAN{cycle:02d}",
            "planned-cycle-day-1",
            at,
            value_date=day_1,
            is_revised=cycle in self._planned,
        )
        self._planned.add(cycle)
        self._expected_day_1 = day_1
        self._say(at + timedelta(minutes=1), plan)

    def _prevent_pregnancy(self) -> None:
        """Two methods four weeks before the first dose, and tests as the strictest of the books asks (2.3)."""
        begun = self._at(self._first_dose_on - timedelta(days=practice.CONTRACEPTION_LEAD_DAYS), 10, 0)
        self._say(begun + timedelta(minutes=1), Stated(self._name("S"), "contraception", begun, "two-methods"))
        for days in practice.PREGNANCY_TESTS_BEFORE_DAYS:
            self._test_for_pregnancy(self._at(self._first_dose_on - timedelta(days=days), 8, 15))
        for days in practice.PREGNANCY_TESTS_WEEKLY_DAYS:
            tested = self._at(self._first_dose_on + timedelta(days=days), 8, 15)
            self._appoint(tested, lambda tested=tested: self._test_for_pregnancy(tested))  # type: ignore[misc]

    def _test_for_pregnancy(self, at: datetime) -> None:
        test = self._laboratory.pregnancy_test(at)
        self._say(test.issued_at + timedelta(minutes=2), test)

    def _read_vaccination_card(self, at: datetime) -> None:
        """What was given in the years before."""
        for days, vaccine in practice.VACCINES_BEFORE_DAYS:
            given = at - timedelta(days=days)
            self._say(at + timedelta(minutes=4), Vaccinated(self._name("V"), codebook.VACCINES[vaccine], given))

    def _vaccinate_in_season(self, at: datetime) -> None:
        """Against influenza, once from mid-September to March (clinical reference 1.8)."""
        is_autumn = (at.month, at.day) >= practice.VACCINATES_FROM
        season = at.year if is_autumn else at.year - 1
        if (at.month > 3 and not is_autumn) or self._vaccinated_in == season:
            return
        self._vaccinated_in = season
        self._say(at + timedelta(minutes=5), Vaccinated(self._name("V"), codebook.INFLUENZA_VACCINE, at))

    # --- visits ----------------------------------------------------------------------------------------------------

    def _appoint_visit(self, day: date) -> None:
        self._appoint(self._at(day, 7, 50) + self._minutes(0, 55), lambda: self._visit(day))

    def _visit(self, day: date) -> None:
        if self._has_stopped:
            return
        is_before_cycle = day >= self._expected_day_1
        if not is_before_cycle:
            self._visits_on_treatment += 1
            if self._is_due(Mishap.MISSED_CBC):
                self._pending.discard(Mishap.MISSED_CBC)
                self._has_missed_visit = True
                self._appoint_visit(min(self._expected_day_1, day + timedelta(days=self._chance.choice((8, 9, 14)))))
                return
        report = self._draw_count(self._at(day, 8, 0) + self._minutes(0, 80))
        self._vaccinate_in_season(report.collected_at + timedelta(minutes=5))
        self._review_in_time(day)
        if is_before_cycle:
            if self._cycle == practice.RESPONSE_AFTER_CYCLES:
                self._judge_response(self._at(day, 9, 50))
            if self._person.can_become_pregnant and self._cycle > 0:
                self._test_for_pregnancy(report.collected_at + timedelta(minutes=1))
            self._send(report, self._fall_shown_by(_read_counts(report)))
            self._send(self._laboratory.chemistry(report.collected_at, report.issued_at), None)
            read_at = report.issued_at + self._minutes(25, 150)
        else:
            self._send(report, self._mishap_of(report))
            read_at = report.issued_at + self._reading_delay()
        self._appoint(read_at, lambda: self._read(_read_counts(report), read_at, is_before_cycle))

    def _review_in_time(self, day: date) -> None:
        """For second cancers, once a year (1.11)."""
        if (day - self._reviewed_on).days < practice.REVIEW_DAYS:
            return
        self._reviewed_on = day
        at = self._at(day, 9, 45)
        self._say(at + timedelta(minutes=1), Stated(self._name("S"), "spm-review", at))

    def _judge_response(self, at: datetime) -> None:
        self._say(at + timedelta(minutes=1), Stated(self._name("S"), "response", at, value_code="pr"))

    def _draw_count(self, drawn: datetime) -> Reported:
        neutrophils, platelets = self._body.counts_on(drawn.date())
        return self._laboratory.blood_count(drawn, neutrophils, platelets)

    def _send(self, report: Reported, mishap: Mishap | None) -> None:
        self._pending -= {mishap}
        for sent in self._laboratory.send(report, mishap):
            if sent.is_repeat:
                first = self._said[-1]
                self._said.append(Happening(sent.known_at, first.patient, first.message, first.what, sent.mishap))
            else:
                self._say(sent.known_at, sent.report, sent.mishap)

    def _reading_delay(self) -> timedelta:
        """Clinicians answer the same day; in one case of six, outside clinics, only the next morning."""
        if self._chance.random() < 1 / 6:
            return timedelta(hours=self._chance.randint(18, 22))
        return self._minutes(25, 150)

    def _is_due(self, mishap: Mishap) -> bool:
        return mishap in self._pending and self._visits_on_treatment >= 1 and self._hold is None

    def _mishap_of(self, report: Reported) -> Mishap | None:
        """What goes wrong with this report, or which fall that was meant to happen it shows."""
        counts = _read_counts(report)
        if self._has_missed_visit:
            self._has_missed_visit = False
            return Mishap.MISSED_CBC
        is_severe = counts.neutrophils <= practice.ANC_HOLD_AT_MOST
        if self._hold is None and is_severe and Mishap.PRELIMINARY_THEN_FINAL in self._pending:
            return Mishap.PRELIMINARY_THEN_FINAL
        due = next((mishap for mishap in REPORT_MISHAPS if self._is_due(mishap)), None)
        return due or self._fall_shown_by(counts)

    def _fall_shown_by(self, counts: _Counts) -> Mishap | None:
        shown = {
            Mishap.FALLING_COUNTS: counts.neutrophils <= practice.ANC_HOLD_AT_MOST,
            Mishap.RELAPSING_NEUTROPENIA: counts.is_low and self._episodes >= 1 and not self._is_neutropenic,
            Mishap.PLATELET_FALL: counts.platelets < practice.PLATELETS_HOLD_BELOW,
            Mishap.LOW_PLATELETS_ON_ASPIRIN: counts.platelets < practice.PLATELETS_ASPIRIN_FROM,
        }
        return next((mishap for mishap, is_shown in shown.items() if is_shown and mishap in self._mishaps), None)

    # --- what clinicians make of a count ---------------------------------------------------------------------------

    def _read(self, counts: _Counts, now: datetime, is_before_cycle: bool) -> None:
        if self._has_stopped:
            return
        if counts.is_low and not self._is_neutropenic:
            self._episodes += 1
        self._is_neutropenic = counts.is_low
        self._newest_platelets = counts.platelets
        self._take_up_clot_prophylaxis(now)
        if self._cycle > 0:
            self._judge_neutrophils(counts, now, is_before_cycle)
            self._judge_platelets(counts, now)
            self._release_if_recovered(counts, now)
        if self._hold is None and is_before_cycle and not counts.is_low:
            self._begin_cycle(now)
        self._appoint_next_visit(counts)

    def _judge_neutrophils(self, counts: _Counts, now: datetime, is_before_cycle: bool) -> None:
        if not counts.is_low:
            return
        if Mishap.FEVER in self._pending:
            self._have_fever(now)
        is_severe = counts.neutrophils <= practice.ANC_HOLD_AT_MOST
        if not is_severe and self._episodes < 2 and not is_before_cycle and self._hold is None:
            return
        if self._hold is None:
            self._hold = _Hold(since=counts.collected_at)
        if not self._hold.for_neutrophils:
            self._hold.for_neutrophils = True
            self._body.stop_lenalidomide(now.date() + timedelta(days=1))
            if Mishap.DISPENSE_DURING_HOLD in self._pending:
                self._pending.discard(Mishap.DISPENSE_DURING_HOLD)
                wrong_at = self._at(now.date() + timedelta(days=self._chance.randint(1, 3)), 16, 20)
                self._dispense_lenalidomide(wrong_at, practice.REFILL_DAYS, Mishap.DISPENSE_DURING_HOLD)
        elif counts.collected_at - self._hold.since >= timedelta(days=practice.PERSISTENT_AFTER_DAYS):
            self._hold.is_persistent = True
        if is_severe and not self._body.is_helped_on(now.date()):
            self._give_growth_factor(now)

    def _judge_platelets(self, counts: _Counts, now: datetime) -> None:
        if counts.platelets >= practice.PLATELETS_HOLD_BELOW:
            return
        if self._hold is None:
            self._hold = _Hold(since=counts.collected_at)
        if not self._hold.for_platelets:
            self._hold.for_platelets = True
            self._body.stop_lenalidomide(now.date() + timedelta(days=1))
        if counts.platelets < practice.PLATELETS_TRANSFUSE_BELOW:
            at = now + timedelta(hours=5)
            self._body.transfuse_platelets()
            self._say(at + timedelta(minutes=30), Performed(self._name("P"), codebook.PLATELET_TRANSFUSION, at))

    def _release_if_recovered(self, counts: _Counts, now: datetime) -> None:
        hold = self._hold
        if hold is None or (hold.for_neutrophils and counts.is_low):
            return
        if hold.for_platelets and counts.platelets < practice.PLATELETS_RESUME_FROM:
            return
        self._hold = None
        is_lowered = hold.for_platelets or hold.is_persistent or self._episodes >= 2
        if is_lowered:
            self._dose_mg = practice.step_down(self._dose_mg) or self._dose_mg
        days_left = practice.DOSING_DAYS - (now.date() - self._day_1).days
        if counts.collected_at.date() < self._expected_day_1 and days_left >= practice.INTERVAL_CLOSE_DAYS:
            # Missed doses are not made up: the rest of the dosing days, with new capsules if the dose is lower.
            if is_lowered:
                self._dispense_lenalidomide(now + self._minutes(60, 150), days_left)
            self._body.take_lenalidomide(now.date() + timedelta(days=1), days_left - 1, self._dose_mg)

    def _appoint_next_visit(self, counts: _Counts) -> None:
        last = counts.collected_at.date()
        is_worrying = self._hold is not None or counts.is_low or counts.platelets < practice.PLATELETS_WATCH_BELOW
        is_close = is_worrying or (self._person.has_weekly_counts and self._cycle <= practice.FIRST_CYCLES)
        day = last + timedelta(days=practice.INTERVAL_CLOSE_DAYS if is_close else practice.INTERVAL_DAYS)
        if last >= self._expected_day_1:
            # Day 1 has come and could not be: the start moves, and is planned anew.
            self._plan(self._cycle + 1, day, self._at(last, 17, 0) + self._minutes(0, 40))
        elif self._expected_day_1 < day + timedelta(days=2):
            day = self._expected_day_1
        self._appoint_visit(day)

    def _give_growth_factor(self, now: datetime) -> None:
        until = now + timedelta(days=practice.FILGRASTIM_DAYS)
        self._body.help_with_growth_factor(until.date())
        at = now + timedelta(minutes=20)
        ordered = Ordered(self._name("P"), codebook.FILGRASTIM, practice.FILGRASTIM_MG, "daily", at, until)
        self._say(at + timedelta(minutes=2), ordered)

    def _have_fever(self, now: datetime) -> None:
        self._pending.discard(Mishap.FEVER)
        for hours, celsius in _FEVER_COURSE:
            at = now + timedelta(hours=hours)
            temperature = self._laboratory.result(codebook.TEMPERATURE, celsius, "Cel")
            self._say(at + timedelta(minutes=3), self._laboratory.vital_signs(at, (temperature,)), Mishap.FEVER)

    # --- treatment -------------------------------------------------------------------------------------------------

    def _begin_cycle(self, now: datetime) -> None:
        day = now.date()
        self._cycle += 1
        self._day_1 = day
        at = now + self._minutes(20, 100)
        self._body.take_lenalidomide(day, practice.DOSING_DAYS, self._dose_mg)
        if self._cycle == 1:
            # Handed over first, so that nobody leaves with lenalidomide alone.
            self._begin_prophylaxis(at)
        if self._person.can_become_pregnant:
            self._prescribe_lenalidomide(at + timedelta(minutes=4))
        self._dispense_lenalidomide(at + timedelta(minutes=10), practice.DOSING_DAYS)
        self._dispense_dexamethasone(at + timedelta(minutes=14))
        self._plan(self._cycle + 1, day + timedelta(days=practice.CYCLE_DAYS), at + timedelta(minutes=25))

    def _stop(self, at: datetime) -> None:
        self._has_stopped = True
        self._body.stop_lenalidomide(at.date())
        self._pending.discard(Mishap.STOPPED_COURSE)
        stopped = Stated(self._name("S"), "lenalidomide-stopped", at, value_code="progression")
        self._say(at + timedelta(minutes=5), stopped, Mishap.STOPPED_COURSE)

    def _prescribe_lenalidomide(self, at: datetime) -> None:
        """The programme counts days from the prescription too (2.3)."""
        capsule = codebook.LENALIDOMIDE[self._dose_mg]
        until = at + timedelta(days=practice.CYCLE_DAYS)
        self._say(at + timedelta(minutes=1), Ordered(self._name("P"), capsule, str(self._dose_mg), "daily", at, until))

    def _dispense_lenalidomide(self, at: datetime, days: int, mishap: Mishap | None = None) -> None:
        dose = str(self._dose_mg)
        capsule = codebook.LENALIDOMIDE[self._dose_mg]
        dispensed = Dispensed(self._name("D"), capsule, dose, str(days), days, dose, "daily", at)
        self._say(at + timedelta(minutes=2), dispensed, mishap)

    def _dexamethasone_mg(self) -> int:
        is_old = self._person.age_on(self._first_dose_on) >= AGE_OF_HALF_DEXAMETHASONE
        return practice.DEXAMETHASONE_DOSE_OLD_MG if is_old else practice.DEXAMETHASONE_DOSE_MG

    def _dispense_dexamethasone(self, at: datetime) -> None:
        dose = self._dexamethasone_mg()
        tablet = practice.DEXAMETHASONE_TABLET_MG
        tablets = dose // tablet * practice.DEXAMETHASONE_DOSES
        dispensed = Dispensed(
            self._name("D"),
            codebook.DEXAMETHASONE,
            str(tablet),
            str(tablets),
            practice.CYCLE_DAYS,
            str(dose),
            "weekly",
            at,
        )
        self._say(at + timedelta(minutes=2), dispensed)

    def _begin_prophylaxis(self, at: datetime) -> None:
        """Against infection for everyone, against clots by tier; forgotten at first where a mishap says so."""
        infection = self._take_pending(Mishap.FORGOTTEN_INFECTION_PROPHYLAXIS)
        infection_at = at + timedelta(days=self._chance.randint(7, 11) if infection else 0)
        self._appoint(infection_at, lambda: self._hand_over_cotrimoxazole(infection_at, infection))
        if self._person.clot_risk is ClotRisk.ORDINARY and not self._person.is_given_aspirin:
            return
        clot = self._take_pending(Mishap.FORGOTTEN_VTE_PROPHYLAXIS)
        clot_at = at + timedelta(days=self._chance.randint(9, 16) if clot else 0, minutes=2)
        self._appoint(clot_at, lambda: self._hand_over_clot_prophylaxis(clot_at, clot))

    def _take_pending(self, mishap: Mishap) -> Mishap | None:
        if mishap not in self._pending:
            return None
        self._pending.discard(mishap)
        return mishap

    def _hand_over_cotrimoxazole(self, at: datetime, mishap: Mishap | None = None) -> None:
        """Through the first cycles, however long they take; none is left on day 1 of the next."""
        if self._has_stopped or self._cycle > practice.FIRST_CYCLES:
            return
        over_on = self._expected_day_1 + timedelta(days=practice.CYCLE_DAYS * (practice.FIRST_CYCLES - self._cycle))
        days = min(practice.SUPPLY_DAYS, (over_on - at.date()).days)
        if days > 0:
            self._hand_over(at, codebook.COTRIMOXAZOLE, practice.COTRIMOXAZOLE_TABLET_MG, days, mishap)
        again = at + timedelta(days=max(days, 1))
        self._appoint(again, lambda: self._hand_over_cotrimoxazole(again))

    def _hand_over_clot_prophylaxis(self, at: datetime, mishap: Mishap | None = None) -> None:
        if self._has_stopped:
            return
        last_heparin_on = self._first_dose_on + timedelta(days=practice.CYCLE_DAYS * practice.HEPARIN_CYCLES)
        is_heparin = (
            self._person.clot_risk is ClotRisk.RECENT_THROMBOSIS
            and at.date() + timedelta(days=practice.SUPPLY_DAYS) <= last_heparin_on
        )
        allowed_from = practice.PLATELETS_HEPARIN_FROM if is_heparin else practice.PLATELETS_ASPIRIN_FROM
        if self._newest_platelets < allowed_from and Mishap.LOW_PLATELETS_ON_ASPIRIN not in self._mishaps:
            self._is_clot_prophylaxis_paused = True
            return
        if is_heparin:
            self._hand_over(at, codebook.ENOXAPARIN, practice.ENOXAPARIN_MG, practice.SUPPLY_DAYS, mishap)
        else:
            self._hand_over(at, codebook.ASPIRIN, practice.ASPIRIN_MG, practice.SUPPLY_DAYS, mishap)
        again = at + timedelta(days=practice.SUPPLY_DAYS)
        self._appoint(again, lambda: self._hand_over_clot_prophylaxis(again))

    def _take_up_clot_prophylaxis(self, now: datetime) -> None:
        """After a pause for low platelets: when a new count has been read."""
        if self._is_clot_prophylaxis_paused:
            self._is_clot_prophylaxis_paused = False
            self._hand_over_clot_prophylaxis(now + timedelta(minutes=40))

    def _hand_over(self, at: datetime, medicine: CodedConcept, dose_mg: int, days: int, mishap: Mishap | None) -> None:
        """One unit a day for so many days."""
        dose = str(dose_mg)
        dispensed = Dispensed(self._name("D"), medicine, dose, str(days), days, dose, "daily", at, is_prophylaxis=True)
        self._say(at + timedelta(minutes=2), dispensed, mishap)


def _read_counts(report: Reported) -> _Counts:
    """What a clinician reads off a complete report: the printed values, in cells/uL."""
    printed = {result.test: result.value for result in report.results}
    return _Counts(
        report.collected_at,
        round(float(printed[codebook.NEUTROPHILS]) * 1000),
        round(float(printed[codebook.PLATELETS]) * 1000),
    )
