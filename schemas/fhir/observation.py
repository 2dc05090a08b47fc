"""Observation: results, vital signs, scores, and the project's own statements; a panel code is never a value."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from schemas.codes.normalising import read_number
from schemas.codes.tables import AnalyteCode, StatementCode
from schemas.events import Comparator, FactStatus, StatementRecorded
from schemas.fhir.elements import LONGEST_CODE, Body, codings_in, group_of, groups_of, number_of, text_of
from schemas.fhir.resource import Report, Resource, StatusMap, derived_key, join
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.result import name_part
from schemas.reading.results import ReceivedValue, ResultIdentity, build_lab_result
from schemas.reading.stamp import short_id
from schemas.reading.timing import from_issue
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import Coding, When

ROWS: Final = (
    Row("what was measured", ("code",), "results[].code, system, other_codes"),
    Row(
        "value, as a number or as printed",
        ("valueQuantity", "valueInteger", "valueDecimal", "valueString"),
        "results[].value",
    ),
    Row("value that is a bound (`<`, `>`)", ("valueQuantity.comparator", "valueString"), "results[].comparator"),
    Row("unit", ("valueQuantity.code", "valueQuantity.unit"), "results[].unit"),
    Row("coded answer (positive, negative)", ("valueCodeableConcept", "valueString"), "results[].value_code"),
    Row("no value, on purpose", ("dataAbsentReason",), "results[].value left out"),
    Row("how firm", ("status",), "results[].status"),
    Row("when collected", ("effectiveDateTime", "effectiveInstant", "effectivePeriod"), "collected_at"),
    Row("when issued", ("issued",), "issued_at"),
    Row("laboratory's own range", ("referenceRange",), "results[].low, high"),
    Row("specimen", ("specimen",), "specimen"),
    Row("remark on platelet clumps", ("note",), "results[].text"),
    Row("parts of a panel or of a vital sign", ("component", "hasMember"), "further results"),
    Row("who", ("subject",), "patient"),
)
STATEMENT_ROWS: Final = (
    Row("which statement", ("code",), "fact.code"),
    Row(
        "its value",
        (
            "valueCodeableConcept",
            "valueQuantity",
            "valueInteger",
            "valueDateTime",
            "valueBoolean",
            "valuePeriod",
            "valueString",
        ),
        "fact.value_code, value_number, value_time",
    ),
    Row("when it holds", ("effectiveDateTime", "effectivePeriod", "effectiveInstant"), "fact.stated_at, until"),
    Row("when it was stated", ("issued",), "recorded_at"),
)
READS: Final = elements_of((*ROWS, *STATEMENT_ROWS)) | {"derivedFrom"}

STATUS: Final[StatusMap] = {
    "preliminary": FactStatus.PRELIMINARY,
    "final": FactStatus.FINAL,
    "amended": FactStatus.CORRECTED,
    "corrected": FactStatus.CORRECTED,
    "appended": FactStatus.CORRECTED,
    "cancelled": FactStatus.WITHDRAWN,
    "entered-in-error": FactStatus.WITHDRAWN,
}
_NOT_YET: Final = frozenset({"registered", "specimen-in-process"})
_COMPARATORS: Final = {member.value: member for member in Comparator}
_OTHER_VALUES: Final = (
    "valueBoolean",
    "valueRange",
    "valueRatio",
    "valueSampledData",
    "valueTime",
    "valueDateTime",
    "valuePeriod",
    "valueAttachment",
    "valueReference",
)


class _Times(NamedTuple):
    when: When
    until: When | None
    issued: When | None


def read(resource: Resource) -> list[PlacedFact]:
    """Everything one Observation says: its own value and those of its components."""
    body = resource.body
    status = _status(resource)
    if status is None:
        return []
    times: _Times | None = None
    facts: list[PlacedFact] = []
    parts = [(body, "", "")]
    parts += [(part, f"#{index}", f".component[{index}]") for index, part in enumerate(groups_of(body, "component"))]
    for part, suffix, place in parts:
        codings = codings_in(group_of(part, "code"), resource.codes)
        statement = _statement(resource, codings)
        match, is_conflict = resource.codes.analyte_among(codings)
        if is_conflict:
            resource.reject(RejectionReason.WRONG_SHAPE, "Observation.code: the codings name different analytes")
            continue
        if statement is None and match is None and not _is_doubtful(resource, part, codings):
            _count_unknown(resource, part, codings)
            continue
        if times is None:
            times = _times(resource, status)
            if times is None:
                return facts
        if statement is not None:
            facts.extend(_read_statement(resource, part, statement, status, times, suffix, place))
        else:
            facts.append(_read_result(resource, part, codings, match, status, times, suffix, place))
    return facts


def _status(resource: Resource) -> FactStatus | None:
    text = text_of(resource.body, "status")
    report = resource.message.reports.get(id(resource.body))
    if text is None and resource.owner is not None and report is not None:
        text = text_of(report.body, "status")
    if text in _NOT_YET:
        resource.notes.ignore(IgnoreReason.RESULT_ABSENT, "Observation registered")
        return None
    status = STATUS.get(text or "")
    if status is None:
        # `unknown` or nothing: it may warn, it may not release anything.
        resource.notes.leave("Observation.status, unknown")
        return FactStatus.PRELIMINARY
    return status


def _statement(resource: Resource, codings: tuple[Coding, ...]) -> StatementCode | None:
    for coding in codings:
        found = resource.codes.statement_of(coding.system, coding.code)
        if found is not None:
            return found
    return None


def _is_doubtful(resource: Resource, part: Body, codings: tuple[Coding, ...]) -> bool:
    """One of our LOINC codes under a foreign system, with a value: worth a doubt, not an ignore."""
    has_value = any(name.startswith("value") for name in part)
    return has_value and any(resource.codes.looks_like_analyte(coding.system, coding.code) for coding in codings)


def _count_unknown(resource: Resource, part: Body, codings: tuple[Coding, ...]) -> None:
    is_panel = any(resource.codes.is_panel(coding.system, coding.code) for coding in codings)
    if is_panel or "hasMember" in part or ("component" in part and not any(key.startswith("value") for key in part)):
        named = name_part(codings[0].code) if codings else "without a code"
        resource.notes.ignore(IgnoreReason.PANEL, named)
    else:
        resource.ignore_code(codings)


def _times(resource: Resource, status: FactStatus) -> _Times | None:
    body = resource.body
    report = resource.message.reports.get(id(body))
    start, end, usable = resource.choice_time("effective")
    issued, issued_usable = resource.time("issued")
    if not (usable and issued_usable):
        return None
    if issued is None and report is not None:
        issued, issued_usable = resource.time_in(text_of(report.body, "issued"), "issued")
    if start is None:
        start = _collected(resource, body)
    if start is None and report is not None:
        start, usable = resource.time_in(text_of(report.body, "effectiveDateTime"), "effectiveDateTime")
    if not (usable and issued_usable):
        return None
    when = join(start, end) if start is not None else from_issue(issued) if issued is not None else None
    if when is None and status is FactStatus.WITHDRAWN:
        when = resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "Observation has neither effective[x] nor issued")
        return None
    return _Times(when, end, issued)


def _collected(resource: Resource, body: Body) -> When | None:
    specimen = resource.find(text_of(group_of(body, "specimen"), "reference"))
    if specimen is None:
        return None
    collection = group_of(specimen, "collection")
    text = text_of(collection, "collectedDateTime") or text_of(group_of(collection, "collectedPeriod"), "end")
    return resource.time_in(text, "specimen")[0]


def _read_result(
    resource: Resource,
    part: Body,
    codings: tuple[Coding, ...],
    match: AnalyteCode | None,
    status: FactStatus,
    times: _Times,
    suffix: str,
    place: str,
) -> PlacedFact:
    report = resource.message.reports.get(id(resource.body))
    stamp = resource.stamp(
        resource.fact_id(suffix, derived_key(times.when, codings)), times.when, status, issued=times.issued, place=place
    )
    identity = ResultIdentity(**stamp, specimen=_specimen(resource, report))
    received = _received(part, resource)
    fact = build_lab_result(
        identity, match, codings, received, resource.codes, decimal_comma=resource.context.decimal_comma
    )
    return resource.place(fact, times.issued, report=report.key if report is not None else None)


def _specimen(resource: Resource, report: Report | None) -> str | None:
    specimen = group_of(resource.body, "specimen")
    named = text_of(specimen, "reference") or text_of(group_of(specimen, "identifier"), "value")
    if named is not None:
        return short_id(named)
    return (report.specimen or report.key) if report is not None else None


def _received(part: Body, resource: Resource) -> ReceivedValue:
    number, text, comparator, units = _value(part)
    concept = group_of(part, "valueCodeableConcept")
    answer = codings_in(concept, resource.codes)
    if number is None and text is None:
        text = text_of(concept, "text") if not answer else None
    if number is None and text is None and not answer:
        # A value of a kind that no result of ours has: said, so that it is a doubt and not an absence.
        text = next((name for name in _OTHER_VALUES if name in part), None)
    low, high, range_unit = _range(part, resource)
    remarks = [remark for note in groups_of(part, "note") if (remark := text_of(note, "text")) is not None]
    return ReceivedValue(
        number=number,
        text=text,
        comparator=comparator,
        units=units,
        answer_codes=answer,
        remark="; ".join(remarks) or None,
        low=low,
        high=high,
        range_unit=range_unit,
    )


def _value(part: Body) -> tuple[Decimal | None, str | None, Comparator | None, tuple[str, ...]]:
    quantity = group_of(part, "valueQuantity")
    if quantity:
        number = number_of(quantity, "value")
        units = units_of(quantity)
        sign = text_of(quantity, "comparator")
        if sign is not None and sign not in _COMPARATORS:
            return None, f"{sign} {number}", None, units
        return number, None, _COMPARATORS.get(sign or ""), units
    for name in ("valueInteger", "valueDecimal"):
        number = number_of(part, name)
        if number is not None:
            return number, None, None, ()
    return None, text_of(part, "valueString"), None, ()


def units_of(quantity: Body) -> tuple[str, ...]:
    """The unit as coded, then as printed, where they differ."""
    coded, printed = text_of(quantity, "code"), text_of(quantity, "unit")
    if coded == printed:
        printed = None
    return tuple(unit[:LONGEST_CODE] for unit in (coded, printed) if unit is not None)


def _range(part: Body, resource: Resource) -> tuple[Decimal | None, Decimal | None, str | None]:
    """The first range that is the normal one, or says nothing of its kind."""
    for limits in groups_of(part, "referenceRange"):
        kinds = codings_in(group_of(limits, "type"), resource.codes)
        if kinds and not any(kind.code == "normal" for kind in kinds):
            continue
        low, high = group_of(limits, "low"), group_of(limits, "high")
        units = units_of(low) or units_of(high)
        if low or high:
            return number_of(low, "value"), number_of(high, "value"), units[0] if units else None
        bounds = _printed_range(text_of(limits, "text"))
        if bounds is not None:
            return (*bounds, None)
    return None, None, None


def _printed_range(text: str | None) -> tuple[Decimal | None, Decimal | None] | None:
    """`1.5-8.0` and nothing more: a range printed with words stays text."""
    if text is None:
        return None
    low, dash, high = text.replace("–", "-").partition("-")
    if not dash:
        return None
    first, second = read_number(low), read_number(high)
    if first.value is None or second.value is None or first.comparator or second.comparator:
        return None
    return first.value, second.value


def _read_statement(
    resource: Resource,
    part: Body,
    statement: StatementCode,
    status: FactStatus,
    times: _Times,
    suffix: str,
    place: str,
) -> list[PlacedFact]:
    code, number, when_text = _statement_value(part, statement, resource)
    value_when, usable = resource.time_in(when_text, "valueDateTime")
    if not usable:
        return []
    missing = {
        "time": value_when is None,
        "number": number is None,
        "code": code not in statement.allowed,
        "none": False,
    }[statement.value]
    if missing and status is not FactStatus.WITHDRAWN:
        resource.reject(
            RejectionReason.VALUE_MISSING,
            f"statement {statement.code} needs a {statement.value}, of its list where it has one",
        )
        return []
    fact_id = resource.fact_id(suffix, f"{times.when.earliest:%Y%m%dT%H%M%S}|{statement.code}")
    fact = StatementRecorded(
        **resource.stamp(fact_id, times.when, status, issued=times.issued, place=place),
        code=statement.code,
        value_code=code if statement.value == "code" else None,
        value_number=number if statement.value == "number" else None,
        value_when=value_when if statement.value == "time" else None,
        until=times.until,
    )
    return [resource.place(fact, times.issued)]


def _statement_value(
    part: Body, statement: StatementCode, resource: Resource
) -> tuple[str | None, Decimal | None, str | None]:
    codings = codings_in(group_of(part, "valueCodeableConcept"), resource.codes)
    code = next((coding.code for coding in codings if coding.code in statement.allowed), None)
    if code is None and (text := text_of(part, "valueString")) is not None:
        code = text.strip() if text.strip() in statement.allowed else None
    if code is None and isinstance(part.get("valueBoolean"), bool):
        code = "yes" if part["valueBoolean"] else "no"
    quantity = group_of(part, "valueQuantity")
    units = units_of(quantity)
    number = number_of(part, "valueInteger")
    if quantity and "comparator" not in quantity and (not units or statement.unit is None or statement.unit in units):
        number = number_of(quantity, "value")
    when = text_of(part, "valueDateTime") or text_of(group_of(part, "valuePeriod"), "start")
    return code, number, when
