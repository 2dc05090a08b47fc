"""Which medicine, how strong, how much, how often: shared by the four kinds of medicine resource."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from schemas.codes.tables import MedicineMatch
from schemas.events import Schedule
from schemas.fhir.elements import Body, codings_in, concept_codings, group_of, groups_of, number_of, text_of
from schemas.fhir.observation import units_of
from schemas.fhir.resource import Resource
from schemas.fhir.rows import Row
from schemas.reading.amounts import counts_units, mass_in_mg, whole_days
from schemas.reading.result import name_code
from schemas.reading.stamp import daily_dose
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import Coding
from schemas.values.coding import OWN

MEDICINE_ROWS: Final = (
    Row(
        "which medicine",
        ("medicationCodeableConcept", "medicationReference", "medication", "contained"),
        "medicine.code, system, other_codes",
    ),
    Row("strength of one unit", ("contained (Medication.ingredient.strength)",), "medicine.strength_mg"),
    Row("who", ("subject",), "patient"),
    Row("how firm", ("status",), "status"),
)
DOSAGE_ROWS: Final = (
    Row("dose taken at one time", ("dosageInstruction.doseAndRate.doseQuantity",), "dose_mg"),
    Row("how often", ("dosageInstruction.timing",), "times_per_day, schedule"),
    Row("route (local use does not count)", ("dosageInstruction.route",), "route"),
)
PURPOSE_SYSTEM: Final = OWN

_HOURS_A_DAY: Final = Decimal(24)
_TIMING_SYSTEMS: Final = frozenset(
    {"http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "http://hl7.org/fhir/v3/GTSAbbreviation"}
)
_TIMING_CODES: Final[dict[str, tuple[Schedule, int]]] = {
    "QD": (Schedule.DAILY, 1),
    "AM": (Schedule.DAILY, 1),
    "PM": (Schedule.DAILY, 1),
    "BED": (Schedule.DAILY, 1),
    "BID": (Schedule.DAILY, 2),
    "TID": (Schedule.DAILY, 3),
    "QID": (Schedule.DAILY, 4),
    "QOD": (Schedule.ALTERNATE_DAYS, 1),
    "WK": (Schedule.WEEKLY, 1),
}
"""HL7 v3 GTSAbbreviation, the codes of regular daily, alternate-day and weekly taking."""


class Medicine(NamedTuple):
    """The medicine of a resource, as coded and as we know it."""

    codings: tuple[Coding, ...]
    match: MedicineMatch


class Dosage(NamedTuple):
    """What the dosage instructions say, as far as they say one thing."""

    dose_mg: Decimal | None = None
    daily_dose_mg: Decimal | None = None
    schedule: Schedule | None = None
    bounds_start: str | None = None
    bounds_end: str | None = None
    bounds_days: int | None = None


def read_medicine(resource: Resource, routes: tuple[Coding, ...]) -> Medicine | None:
    """The medicine, or None after a rejection or an ignore."""
    body = resource.body
    concept = group_of(body, "medicationCodeableConcept") or group_of(group_of(body, "medication"), "concept")
    reference = group_of(body, "medicationReference") or group_of(group_of(body, "medication"), "reference")
    codings = codings_in(concept, resource.codes)
    strength: Decimal | None = None
    match = resource.codes.medicine_of(codings)
    if not codings:
        product = resource.find(text_of(reference, "reference"))
        if product is None:
            resource.reject(RejectionReason.VALUE_MISSING, f"{resource.type}: the medication is not in the message")
            return None
        codings, match, strength = _read_product(product, resource)
    if resource.codes.is_local_use(codings) or resource.codes.is_local_route(routes):
        resource.notes.ignore(IgnoreReason.NOT_SYSTEMIC, _named(resource, codings))
        return None
    if match is None:
        resource.ignore_code(codings)
        return None
    return Medicine(codings, match._replace(strength_mg=match.strength_mg or strength))


def _named(resource: Resource, codings: tuple[Coding, ...]) -> str:
    return f"{resource.type} {name_code(codings[0].system, codings[0].code)}" if codings else resource.type


def _read_product(product: Body, resource: Resource) -> tuple[tuple[Coding, ...], MedicineMatch | None, Decimal | None]:
    codings = codings_in(group_of(product, "code"), resource.codes)
    match = resource.codes.medicine_of(codings)
    ingredients = groups_of(product, "ingredient")
    parts = [
        codings_in(group_of(item, "itemCodeableConcept") or group_of(item, "item"), resource.codes)
        for item in ingredients
    ]
    strength = _strength(ingredients[0]) if len(ingredients) == 1 else None
    if match is None and len(parts) == 1:
        match = resource.codes.medicine_of(parts[0])
    elif match is None and len(parts) > 1:
        # Several ingredients are one medicine of ours only where the table says so.
        match = resource.codes.combination_of(tuple(coding for part in parts for coding in part))
    return codings or tuple(coding for part in parts for coding in part), match, strength


def _strength(ingredient: Body) -> Decimal | None:
    ratio = group_of(ingredient, "strength") or group_of(ingredient, "strengthRatio")
    quantity = group_of(ratio, "numerator") or group_of(ingredient, "strengthQuantity")
    per = group_of(ratio, "denominator")
    amount = mass_mg(quantity)
    if amount is None:
        return None
    if per:
        count = number_of(per, "value")
        if (count is not None and count != 1) or not is_counted(per):
            return None
    return amount


def mass_mg(quantity: Body) -> Decimal | None:
    """A mass in mg; None for anything else."""
    value = number_of(quantity, "value")
    if value is None:
        return None
    return mass_in_mg(value, units_of(quantity))


def is_counted(quantity: Body) -> bool:
    """Whether a quantity counts units (capsules, syringes) rather than measures an amount."""
    return counts_units(units_of(quantity))


def read_quantity(quantity: Body, strength_mg: Decimal | None, resource: Resource, name: str) -> Decimal | None:
    """The number of units; an amount in mg is turned into units where the strength is known and divides it."""
    value = number_of(quantity, "value")
    if value is None:
        return None
    if is_counted(quantity):
        return value
    amount = mass_mg(quantity)
    if amount is not None and strength_mg and amount % strength_mg == 0:
        return amount // strength_mg
    resource.notes.leave(f"{resource.type}.{name}, unit not counted")
    return None


def read_days(duration: Body, resource: Resource, name: str) -> int | None:
    """Whole days of a Duration in days or weeks; the element itself means days where no unit is given."""
    value = number_of(duration, "value")
    if value is None:
        return None
    days = whole_days(value, units_of(duration))
    if days is None:
        resource.notes.leave(f"{resource.type}.{name}, not whole days or weeks")
    return days


def read_purpose(resource: Resource) -> str | None:
    """`prophylaxis` or `treatment`, only where coded in the project's own system."""
    names = ("category", "reasonCode", "reason", "type")
    codings = tuple(coding for name in names for coding in concept_codings(resource.body, name, resource.codes))
    found = {coding.code for coding in codings if coding.system == PURPOSE_SYSTEM}
    if "purpose-prophylaxis" in found:
        return "prophylaxis"
    return "treatment" if "purpose-treatment" in found else None


def read_cycle_mark(resource: Resource) -> bool | None:
    """True where the resource is marked as the first dose of a cycle, in the project's own system."""
    names = ("category", "reasonCode", "reason", "type")
    return (
        True
        if any(
            coding.system == PURPOSE_SYSTEM and coding.code == "cycle-day-1"
            for name in names
            for coding in concept_codings(resource.body, name, resource.codes)
        )
        else None
    )


def routes_in(instructions: list[Body], resource: Resource) -> tuple[Coding, ...]:
    """Every route the instructions name."""
    return tuple(coding for item in instructions for coding in codings_in(group_of(item, "route"), resource.codes))


def read_dosage(instructions: list[Body], strength_mg: Decimal | None, resource: Resource) -> Dosage:
    """One instruction is read; several are not added up or chosen from."""
    if not instructions:
        return Dosage()
    if len(instructions) > 1:
        resource.notes.leave(f"{resource.type}: more than one dosage instruction")
        return Dosage(schedule=Schedule.OTHER)
    instruction = instructions[0]
    repeat = group_of(group_of(instruction, "timing"), "repeat")
    schedule, times = _read_timing(instruction, repeat)
    if instruction.get("asNeededBoolean") is True or group_of(instruction, "asNeededCodeableConcept"):
        schedule, times = Schedule.OTHER, None
    dose = _read_dose(instruction, strength_mg, resource)
    bounds = group_of(repeat, "boundsPeriod")
    duration = group_of(repeat, "boundsDuration")
    return Dosage(
        dose_mg=dose,
        daily_dose_mg=daily_dose(dose, times, schedule),
        schedule=schedule,
        bounds_start=text_of(bounds, "start"),
        bounds_end=text_of(bounds, "end"),
        bounds_days=read_days(duration, resource, "boundsDuration") if duration else None,
    )


def _read_dose(instruction: Body, strength_mg: Decimal | None, resource: Resource) -> Decimal | None:
    rates = groups_of(instruction, "doseAndRate")
    quantity = group_of(rates[0], "doseQuantity") if len(rates) == 1 else {}
    quantity = quantity or group_of(instruction, "doseQuantity") or group_of(instruction, "dose")
    if not quantity:
        return None
    amount = mass_mg(quantity)
    if amount is not None:
        return amount
    value = number_of(quantity, "value")
    if value is not None and strength_mg is not None and units_of(quantity) and is_counted(quantity):
        return value * strength_mg
    resource.notes.leave(f"{resource.type}: dose not in mg")
    return None


def _read_timing(instruction: Body, repeat: Body) -> tuple[Schedule | None, Decimal | None]:
    """The schedule, and how often on a day of taking."""
    days = repeat.get("dayOfWeek")
    if isinstance(days, list) and days:
        times = _times_of_day(repeat)
        if len(set(map(str, days))) == 1:
            return Schedule.WEEKLY, times
        return (Schedule.DAILY, times) if len(set(map(str, days))) == 7 else (Schedule.OTHER, times)
    period, unit = number_of(repeat, "period"), text_of(repeat, "periodUnit")
    if period is not None and unit is not None and period > 0:
        if any(name in repeat for name in ("frequencyMax", "periodMax")):
            return Schedule.OTHER, None
        return _regular(period, unit, _times_of_day(repeat))
    code = group_of(group_of(instruction, "timing"), "code")
    for item in groups_of(code, "coding"):
        if text_of(item, "system") in _TIMING_SYSTEMS and (known := _TIMING_CODES.get(text_of(item, "code") or "")):
            schedule, times_a_day = known
            return schedule, Decimal(times_a_day)
    return (Schedule.OTHER, None) if repeat or code else (None, None)


def _times_of_day(repeat: Body) -> Decimal:
    frequency = number_of(repeat, "frequency")
    if frequency is not None and frequency > 0:
        return frequency
    for name in ("timeOfDay", "when"):
        listed = repeat.get(name)
        if isinstance(listed, list) and listed:
            return Decimal(len(listed))
    return Decimal(1)


def _regular(period: Decimal, unit: str, frequency: Decimal) -> tuple[Schedule, Decimal | None]:
    if unit == "h" and frequency == 1 and _HOURS_A_DAY % period == 0:
        return Schedule.DAILY, _HOURS_A_DAY / period
    days = {"h": period / _HOURS_A_DAY, "d": period, "wk": period * 7}.get(unit)
    if days == 1:
        return Schedule.DAILY, frequency
    if days == 2 and frequency == 1:
        return Schedule.ALTERNATE_DAYS, frequency
    if days == 7 and frequency == 1:
        return Schedule.WEEKLY, frequency
    if days == 7 and frequency == 7:
        return Schedule.DAILY, Decimal(1)
    return Schedule.OTHER, None
