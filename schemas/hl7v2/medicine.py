"""RXD, RXE, RXO and RXA with their ORC: medicines handed over, ordered, given, taken at home."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from schemas.codes.normalising import read_number
from schemas.codes.tables import MedicineMatch
from schemas.events import (
    FactStatus,
    MedicineAdministered,
    MedicineDispensed,
    MedicineOrdered,
    MedicineTakenAtHome,
)
from schemas.hl7v2.groups import Order
from schemas.hl7v2.message import Segment
from schemas.hl7v2.schedule import Timing, read_quantity, read_timing
from schemas.hl7v2.subject import Subject, key_of, order_number
from schemas.reading.amounts import counts_units, mass_in_mg
from schemas.reading.entries import PlacedFact
from schemas.reading.result import name_code
from schemas.reading.stamp import MedicineStamp, daily_dose
from schemas.reading.timing import from_issue
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import Coding, When
from schemas.values.coding import OWN

_AT_HOME: Final = "taken-at-home"
_WITHDRAWN: Final = frozenset({"CA", "OC", "CR", "UA", "DE"})
"""ORC-1 (HL7 table 0119): cancelled before anything happened, or never taken on."""
_ENDED: Final = frozenset({"DC", "OD", "DR", "HD", "OH", "HR"})
"""Discontinued or held: what was ordered ends then."""
_STANDING: Final = frozenset(
    {
        *("NW", "OK", "RE", "XO", "XX", "XR", "RO", "RP", "RQ", "RU", "SN", "NA", "SC", "SR", "SS"),
        *("RL", "OE", "OR", "PA", "CH", "AF", "RF", "FU", "OF", "CN", "LI", "UC", "UD", "UH", "UR", "UX"),
    }
)
_NEW: Final = frozenset(
    {"NW", "OK", "RE", "RO", "PA", "CH", "SN", "NA", "RF", "AF", "OF", "XO", "XX", "RP", "RQ", "RU"}
)
"""ORC-9 of these is when the order as it stands was made; of a stop it is when it was stopped."""
_COMPLETION: Final = {
    "CP": FactStatus.FINAL,
    "PA": FactStatus.FINAL,
    "RE": FactStatus.WITHDRAWN,
    "NA": FactStatus.WITHDRAWN,
}
"""RXA-20, HL7 table 0322. Refused and not given take back what an earlier version said."""


class Medicine(NamedTuple):
    """The medicine of a segment, as coded and as we know it."""

    codings: tuple[Coding, ...]
    match: MedicineMatch


def read_dispense(order: Order, subject: Subject) -> list[PlacedFact]:
    """One medicine handed over: RXD, or the order itself where the site says so."""
    facts = []
    for rxd in order.given:
        placed = _read_handed_over(order, rxd, subject)
        if placed is not None:
            facts.append(placed)
    return facts


def _read_handed_over(order: Order, rxd: Segment, subject: Subject) -> PlacedFact | None:
    medicine = _medicine(order, rxd, 2, subject)
    if medicine is None:
        return None
    when, usable = rxd.time(3)
    timing, timing_usable = read_timing(order, order.rxe)
    if not (usable and timing_usable):
        return None
    status = _order_status(order)
    if when is None and status is FactStatus.WITHDRAWN:
        when = subject.stand_in
    if when is None:
        rxd.reject(RejectionReason.TIME_MISSING, "RXD-3 (date dispensed) is empty")
        return None
    strength = medicine.match.strength_mg or _strength(rxd, 16, 17)
    dose = _dose_of(timing.amount, timing.units, strength)
    if dose is None and order.rxe is not None:
        dose = _dose_in(order.rxe, 3, 4, 5, strength)
    number = rxd.identifier(7) or order_number(order)
    names = (rxd.text(1), (rxd.text(3) or "")[:8], key_of(medicine.codings))
    fact_id = (
        subject.fact_id("dispense", number, *names) if number is not None else subject.derived_id("dispense", *names)
    )
    fields = _fields(medicine, strength, timing, dose, rxd.codings(21))
    fields["quantity"] = _counted(rxd, 4, 5, strength)
    fields["days_supply"] = timing.days
    if fields["daily_dose_mg"] is None:
        total, units = read_quantity(rxd, 12)
        fields["daily_dose_mg"] = mass_in_mg(total, units) if total is not None else None
    stamp = subject.stamp(fact_id, when, status, rxd)
    return subject.place(MedicineDispensed(**stamp, **fields))


def read_given(order: Order, subject: Subject) -> list[PlacedFact]:
    """Doses given: one fact an RXA."""
    facts = []
    for rxa in order.given:
        medicine = _medicine(order, rxa, 5, subject)
        if medicine is None:
            continue
        when, usable = rxa.time(3)
        end, end_usable = rxa.time(4)
        if not (usable and end_usable):
            continue
        status = administration_status(rxa)
        if when is None and status is FactStatus.WITHDRAWN:
            when = subject.stand_in
        if when is None:
            rxa.reject(RejectionReason.TIME_MISSING, "RXA-3 (start of administration) is empty")
            continue
        strength = medicine.match.strength_mg or _strength(rxa, 13, 14)
        dose = _dose_in(rxa, 6, 6, 7, strength)
        # Many senders count every dose as the first: the instant it was given tells doses apart.
        names = (rxa.text(1), rxa.text(2), rxa.text(3), key_of(medicine.codings))
        number = order_number(order, prefers_placer=True)
        fact_id = subject.fact_id("dose", number, *names) if number is not None else subject.derived_id("dose", *names)
        fields = _fields(medicine, strength, Timing(), dose, rxa.codings(19))
        fields["until"] = end if end is not None and end.latest > when.latest else None
        stamp = subject.stamp(fact_id, when, status, rxa)
        facts.append(subject.place(MedicineAdministered(**stamp, **fields)))
    return facts


def administration_status(rxa: Segment) -> FactStatus:
    """RXA-20, withdrawn where RXA-21 deletes it; blank means given: the field is optional and mostly left out."""
    if rxa.text(21) == "D":
        return FactStatus.WITHDRAWN
    completion = rxa.text(20)
    return FactStatus.FINAL if completion is None else _COMPLETION.get(completion, FactStatus.PRELIMINARY)


def read_order(order: Order, subject: Subject, *, is_dispense: bool = False) -> list[PlacedFact]:
    """One order (RXE, else RXO): as ordered, as taken at home where it is marked so, or as handed over."""
    segment = order.rxe or order.rxo
    if segment is None:
        return []
    is_encoded = segment is order.rxe
    medicine = _medicine(order, segment, 2 if is_encoded else 1, subject)
    if medicine is None:
        return []
    timing, usable = read_timing(order, order.rxe)
    status = _order_status(order)
    when, when_usable = _ordered_at(order, timing, subject)
    stopped, stop_usable = _stopped_at(order, subject)
    if not (usable and when_usable and stop_usable):
        return []
    if when is None:
        segment.reject(RejectionReason.TIME_MISSING, "no time in RXE-32, ORC-9, TQ1-7 or MSH-7")
        return []
    strength = medicine.match.strength_mg or (_strength(segment, 25, 26) if is_encoded else _strength(segment, 18, 19))
    dose = _dose_in(segment, 3, 4, 5, strength) if is_encoded else _dose_in(segment, 2, 3, 4, strength)
    dose = dose if dose is not None else _dose_of(timing.amount, timing.units, strength)
    marks = segment.codings(27 if is_encoded else 20)
    marks += order.orc.codings(16) if order.orc is not None else ()
    fields = _fields(medicine, strength, timing, dose, marks)
    if fields["daily_dose_mg"] is None and is_encoded:
        total, units = read_quantity(segment, 19)
        fields["daily_dose_mg"] = mass_in_mg(total, units) if total is not None else None
    is_home = any(each.system == OWN and each.code == _AT_HOME for each in marks)
    ends = [each for each in (timing.end, stopped) if each is not None]
    fields["until"] = None if is_dispense else min(ends, key=lambda end: end.earliest, default=None)
    if not is_home:
        fields["quantity"] = _counted(segment, *((10, 11) if is_encoded else (11, 12)), strength)
        fields["days_supply"] = timing.days
    kind, build = _kind(is_home=is_home, is_dispense=is_dispense)
    if is_home and timing.begin is not None:
        when = timing.begin
    if not is_dispense:
        fields["cycle_day_1"] = None
    number = order_number(order, prefers_placer=True)
    key = key_of(medicine.codings)
    fact_id = (
        subject.fact_id(kind, number, key)
        if number is not None
        else subject.derived_id(kind, f"{when.earliest:%Y%m%dT%H%M%S}", key)
    )
    issued = subject.sent if is_home or is_dispense else when.latest
    return [subject.place(build(**subject.stamp(fact_id, when, status, segment, issued=issued), **fields))]


_AnyMedicine = MedicineDispensed | MedicineOrdered | MedicineTakenAtHome


def _kind(*, is_home: bool, is_dispense: bool) -> tuple[str, Callable[..., _AnyMedicine]]:
    if is_home:
        return "home", MedicineTakenAtHome
    return ("dispense", MedicineDispensed) if is_dispense else ("order", MedicineOrdered)


def _order_status(order: Order) -> FactStatus:
    control = order.orc.text(1) if order.orc is not None else None
    state = order.orc.text(5) if order.orc is not None else None
    if control in _WITHDRAWN or state == "CA":
        return FactStatus.WITHDRAWN
    if control in _STANDING or control in _ENDED:
        return FactStatus.FINAL
    if order.orc is not None:
        order.orc.leave("1, no control code we know")
    # It may warn; nothing is taken as given on it.
    return FactStatus.PRELIMINARY


def _ordered_at(order: Order, timing: Timing, subject: Subject) -> tuple[When | None, bool]:
    """When the order was made; a message that stops it may know only its start."""
    orc = order.orc
    original, usable = order.rxe.time(32) if order.rxe is not None else (None, True)
    transaction, transaction_usable = orc.time(9) if orc is not None else (None, True)
    if not (usable and transaction_usable):
        return None, False
    is_new = orc is None or orc.text(1) in _NEW
    if original is not None:
        return original, True
    if transaction is not None and is_new:
        return transaction, True
    if timing.begin is not None:
        return timing.begin, True
    if transaction is not None:
        return from_issue(transaction), True
    return subject.stand_in, True


def _stopped_at(order: Order, subject: Subject) -> tuple[When | None, bool]:
    orc = order.orc
    if orc is None or (orc.text(1) not in _ENDED and orc.text(5) not in ("DC", "HD")):
        return None, True
    effective, usable = orc.time(15)
    if effective is None and usable:
        effective, usable = orc.time(9)
    return effective or subject.stand_in, usable


def _medicine(order: Order, segment: Segment, number: int, subject: Subject) -> Medicine | None:
    """The medicine, or None after an ignore."""
    codes, notes = subject.message.codes, subject.message.notes
    codings = segment.codings(number)
    match = codes.medicine_of(codings)
    if match is None and order.parts:
        # Several ingredients are one medicine of ours only where the table says so.
        parts = tuple(coding for part in order.parts for coding in part.codings(2))
        match = codes.combination_of(parts)
    routes = tuple(coding for rxr in order.routes for coding in rxr.codings(1, "HL70162"))
    if codes.is_local_use(codings) or codes.is_local_route(routes):
        named = name_code(codings[0].system, codings[0].code) if codings else "without a code"
        notes.ignore(IgnoreReason.NOT_SYSTEMIC, f"{segment.name} {named}")
        return None
    if match is None:
        subject.ignore_code(segment, codings)
        return None
    return Medicine(codings, match)


def _fields(
    medicine: Medicine, strength: Decimal | None, timing: Timing, dose: Decimal | None, marks: tuple[Coding, ...]
) -> MedicineStamp:
    own = {coding.code for coding in marks if coding.system == OWN}
    purpose = "prophylaxis" if "purpose-prophylaxis" in own else "treatment" if "purpose-treatment" in own else None
    return MedicineStamp(
        medicine=medicine.match.medicine,
        classes=medicine.match.classes,
        codes=medicine.codings,
        strength_mg=strength,
        quantity=None,
        days_supply=None,
        dose_mg=dose,
        daily_dose_mg=daily_dose(dose, timing.times, timing.schedule),
        schedule=timing.schedule,
        until=None,
        purpose=purpose,
        cycle_day_1=True if "cycle-day-1" in own else None,
    )


def _number(segment: Segment, number: int) -> Decimal | None:
    reading = read_number(segment.text(number) or "")
    return reading.value if reading.comparator is None else None


def _units(segment: Segment, number: int) -> tuple[str, ...]:
    found = (segment.text(number, component) for component in (1, 2))
    return tuple(dict.fromkeys(unit for unit in found if unit is not None))


def _strength(segment: Segment, number: int, units: int) -> Decimal | None:
    value = _number(segment, number)
    return mass_in_mg(value, _units(segment, units)) if value is not None else None


def _dose_in(segment: Segment, least: int, most: int, units: int, strength: Decimal | None) -> Decimal | None:
    """One dose in mg; a span from one to another is no dose."""
    value, upper = _number(segment, least), _number(segment, most)
    if value is None:
        return None
    if upper is not None and upper != value:
        segment.leave(f"{least} and {most}: a span of doses")
        return None
    found = _units(segment, units)
    dose = _dose_of(value, found, strength)
    if dose is None:
        segment.leave(f"{least}, dose not in mg")
    return dose


def _dose_of(value: Decimal | None, units: tuple[str, ...], strength: Decimal | None) -> Decimal | None:
    if value is None:
        return None
    amount = mass_in_mg(value, units)
    if amount is not None:
        return amount
    return value * strength if strength is not None and units and counts_units(units) else None


def _counted(segment: Segment, number: int, units: int, strength: Decimal | None) -> Decimal | None:
    """The number of units; an amount in mg is turned into units where the strength is known and divides it."""
    value = _number(segment, number)
    if value is None:
        return None
    found = _units(segment, units)
    if counts_units(found):
        return value
    amount = mass_in_mg(value, found)
    if amount is not None and strength and amount % strength == 0:
        return amount // strength
    segment.leave(f"{number}, unit not counted")
    return None
