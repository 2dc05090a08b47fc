"""OBX with its OBR and SPM: results, statements in the project's own codes, and imaging studies."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final, NamedTuple

from schemas.codes.normalising import read_number
from schemas.codes.tables import AnalyteCode, StatementCode
from schemas.events import FactStatus, ProcedureRecorded, StatementRecorded
from schemas.hl7v2.groups import Observed, Order
from schemas.hl7v2.message import Segment
from schemas.hl7v2.rows import Row
from schemas.hl7v2.subject import Subject, key_of, order_number
from schemas.hl7v2.timing import read_dtm
from schemas.hl7v2.values import read_units, read_value
from schemas.reading.entries import PlacedFact
from schemas.reading.result import name_part
from schemas.reading.results import LONGEST_TEXT, ResultIdentity, build_lab_result
from schemas.reading.timing import from_issue
from schemas.rejection import IgnoreReason, RejectionReason
from schemas.values import Coding, When

ROWS: Final = (
    Row("what was measured", ("OBX-3",)),
    Row("value, as a number or as printed", ("OBX-5 (NM, ST, TX, FT)",)),
    Row("value that is a bound (`<`, `>`)", ("OBX-5 (SN, ST)",)),
    Row("unit", ("OBX-6",)),
    Row("coded answer (positive, negative)", ("OBX-5 (CWE, CE, CNE, ST)",)),
    Row("no value, on purpose", ("OBX-11 X", "OBX-5 empty")),
    Row("how firm", ("OBX-11", "OBR-25")),
    Row("when collected", ("OBX-14", "OBR-7", "SPM-17")),
    Row("when issued", ("OBR-22", "OBX-19", "MSH-7")),
    Row("laboratory's own range", ("OBX-7",)),
    Row("specimen", ("SPM-2", "OBR-3")),
    Row("remark on platelet clumps", ("NTE-3",)),
    Row("parts of a panel or of a vital sign", ("OBX of one OBR",)),
    Row("who", ("PID-3",)),
)
STATEMENT_ROWS: Final = (
    Row("which statement", ("OBX-3 (99MYW)",)),
    Row("its value", ("OBX-5",)),
    Row("when it holds", ("OBX-14", "OBR-7", "OBR-8")),
    Row("when it was stated", ("OBR-22", "MSH-7")),
)
REPORT_ROWS: Final = {
    "which results are decided on together": ("OBX of one OBR",),
    "report number": ("OBR-3", "ORC-3"),
    "specimen of all its results": ("SPM-2",),
    "when collected, for contained results that do not say it": ("OBR-7", "SPM-17"),
    "when issued, for results that do not say it": ("OBR-22",),
    "how firm, for contained results that do not say it": ("OBR-25",),
    "an imaging study (as a procedure)": ("OBR-4",),
    "who": ("PID-3",),
}

_FINAL, _CORRECTED, _PRELIMINARY, _WITHDRAWN = (
    FactStatus.FINAL,
    FactStatus.CORRECTED,
    FactStatus.PRELIMINARY,
    FactStatus.WITHDRAWN,
)
RESULT_STATUS: Final = {
    **dict.fromkeys(("F", "U", "V"), _FINAL),
    **dict.fromkeys(("C", "A", "B"), _CORRECTED),
    **dict.fromkeys(("P", "R", "S"), _PRELIMINARY),
    **dict.fromkeys(("D", "W", "X"), _WITHDRAWN),
}
"""OBX-11, HL7 table 0085. U says that an earlier preliminary value is final: it counts with its value only."""
_NO_RESULT: Final = frozenset({"I", "N", "O"})
"""Pending, not asked for, only a description of the order."""
REPORT_STATUS: Final = {
    **dict.fromkeys(("F",), _FINAL),
    **dict.fromkeys(("C", "M"), _CORRECTED),
    **dict.fromkeys(("P", "A", "R", "N"), _PRELIMINARY),
    **dict.fromkeys(("X",), _WITHDRAWN),
}
"""OBR-25, HL7 table 0123."""
_NO_REPORT: Final = frozenset({"O", "I", "S", "Y", "Z"})


class _Context(NamedTuple):
    """What the order lends to each of its results."""

    order: Order | None
    number: str | None
    specimen: str | None
    collected: When | None
    until: When | None
    issued: When | None
    status: str | None


def read_order(order: Order, subject: Subject) -> list[PlacedFact]:
    """Everything the results of one order say."""
    context = _context(order, subject)
    if context is None:
        return []
    return [*_imaging(order, context, subject), *_read_all(order.observed, context, subject)]


def read_loose(observed: list[Observed], subject: Subject) -> list[PlacedFact]:
    """OBX that stand behind a visit or a problem, not under an order."""
    return _read_all(observed, _Context(None, None, None, None, None, None, None), subject)


def _context(order: Order, subject: Subject) -> _Context | None:
    number = order_number(order)
    specimen, collected, usable = None, None, True
    for spm in order.specimens:
        specimen = specimen or _specimen_number(spm)
    obr = order.obr
    until = issued = None
    if obr is not None:
        collected, usable = obr.time(7)
        until, until_usable = obr.time(8)
        issued, issued_usable = obr.time(22)
        usable = usable and until_usable and issued_usable
    for spm in order.specimens:
        if collected is None and usable:
            collected, usable = spm.time(17)
    if not usable:
        return None
    status = obr.text(25) if obr is not None else None
    return _Context(order, number, specimen, collected, until, issued, status)


def _specimen_number(spm: Segment) -> str | None:
    """SPM-2: the filler's number of the specimen, else the placer's."""
    return spm.text(2, 2) or spm.text(2, 1)


def _imaging(order: Order, context: _Context, subject: Subject) -> list[PlacedFact]:
    if order.obr is None:
        return []
    codings = order.obr.codings(4)
    concepts = subject.message.codes.procedures_of(codings)
    if not concepts or context.status in _NO_REPORT:
        return []
    status = REPORT_STATUS.get(context.status or "", _PRELIMINARY)
    when = context.collected or (from_issue(context.issued) if context.issued else subject.stand_in)
    if when is None:
        order.obr.reject(RejectionReason.TIME_MISSING, "OBR has neither OBR-7 nor OBR-22")
        return []
    issued = context.issued.latest if context.issued is not None else subject.sent
    if context.number is not None:
        fact_id = subject.fact_id("study", context.number, key_of(codings))
    else:
        fact_id = subject.derived_id("study", _basic(when), key_of(codings))
    stamp = subject.stamp(fact_id, when, status, order.obr, issued=issued)
    fact = ProcedureRecorded(**stamp, concepts=concepts, codes=codings, ended=context.until)
    return [subject.place(fact, issued=issued, report=context.number)]


def _read_all(observed: list[Observed], context: _Context, subject: Subject) -> list[PlacedFact]:
    facts: list[PlacedFact] = []
    counted: Counter[tuple[str, str]] = Counter()
    for each in observed:
        placed = _read_one(each, context, subject, counted)
        if placed is not None:
            facts.append(placed)
    return facts


def _read_one(
    observed: Observed, context: _Context, subject: Subject, counted: Counter[tuple[str, str]]
) -> PlacedFact | None:
    obx, message = observed.obx, subject.message
    codes = message.codes
    codings = obx.codings(3)
    key = (key_of(codings), obx.printed(4) or "")
    counted[key] += 1
    repeat = f"#{counted[key]}" if counted[key] > 1 else ""
    match, is_conflict = codes.analyte_among(codings)
    if is_conflict:
        obx.reject(RejectionReason.WRONG_SHAPE, "OBX-3: the codes name different analytes")
        return None
    statement = next((found for each in codings if (found := codes.statement_of(each.system, each.code))), None)
    if match is None and statement is None and not _is_doubtful(obx, codings, subject):
        _count_unknown(obx, codings, subject)
        return None
    status = _status(obx, context, subject)
    if status is None:
        return None
    times = _times(obx, context, subject, status)
    if times is None:
        return None
    when, issued = times
    names = (*key, context.specimen)
    if context.number is not None:
        fact_id = subject.fact_id("result", context.number, *names)
    else:
        fact_id = subject.derived_id("result", _basic(when), *names)
    fact_id += repeat
    if statement is not None:
        return _read_statement(obx, statement, context, subject, fact_id, when, issued, status)
    return _read_result(observed, match, codings, context, subject, fact_id, when, issued, status)


def _is_doubtful(obx: Segment, codings: tuple[Coding, ...], subject: Subject) -> bool:
    """One of our LOINC codes under a foreign system, with a value: worth a doubt, not an ignore."""
    looks = subject.message.codes.looks_like_analyte
    return obx.text(5) is not None and any(looks(coding.system, coding.code) for coding in codings)


def _count_unknown(obx: Segment, codings: tuple[Coding, ...], subject: Subject) -> None:
    if any(subject.message.codes.is_panel(coding.system, coding.code) for coding in codings):
        subject.message.notes.ignore(IgnoreReason.PANEL, name_part(codings[0].code))
    else:
        subject.ignore_code(obx, codings)


def _status(obx: Segment, context: _Context, subject: Subject) -> FactStatus | None:
    """OBX-11, then OBR-25, then what the site says of neither; None where there is no result."""
    own = obx.text(11)
    if own is not None:
        if own in _NO_RESULT:
            subject.message.notes.ignore(IgnoreReason.RESULT_ABSENT, f"OBX-11 {own}")
            return None
        status = RESULT_STATUS.get(own)
        if own == "U" and obx.text(5) is None:
            obx.reject(RejectionReason.VALUE_MISSING, "OBX-11 U without its value: send the result with its value")
            return None
    elif context.status is not None:
        if context.status in _NO_REPORT:
            subject.message.notes.ignore(IgnoreReason.RESULT_ABSENT, f"OBR-25 {context.status}")
            return None
        status = REPORT_STATUS.get(context.status)
    else:
        obx.leave("11 and OBR-25, both empty")
        return FactStatus(subject.message.feed_map.blank_status)
    if status is None:
        # No value of the table: it may warn, it may not release anything.
        obx.leave("11 or OBR-25, unknown")
        return _PRELIMINARY
    return status


def _times(
    obx: Segment, context: _Context, subject: Subject, status: FactStatus
) -> tuple[When, datetime | None] | None:
    """When it was collected, else issued, flagged; and the instant of its issue."""
    own, usable = obx.time(14)
    analysed, analysed_usable = obx.time(19)
    if not (usable and analysed_usable):
        return None
    told = context.issued or analysed or subject.message.sent
    when = own or context.collected
    if when is None and told is not None:
        when = from_issue(told)
    if when is None and status is _WITHDRAWN:
        when = subject.stand_in
    if when is None:
        obx.reject(RejectionReason.TIME_MISSING, "no time in OBX-14, OBR-7, SPM-17, OBR-22, OBX-19 or MSH-7")
        return None
    return when, told.latest if told is not None else None


def _read_result(
    observed: Observed,
    match: AnalyteCode | None,
    codings: tuple[Coding, ...],
    context: _Context,
    subject: Subject,
    fact_id: str,
    when: When,
    issued: datetime | None,
    status: FactStatus,
) -> PlacedFact:
    decimal_comma = subject.message.context.decimal_comma
    stamp = subject.stamp(fact_id, when, status, observed.obx, issued=issued)
    identity = ResultIdentity(**stamp, specimen=context.specimen or context.number)
    received = read_value(observed, subject, decimal_comma=decimal_comma)
    fact = build_lab_result(identity, match, codings, received, subject.message.codes, decimal_comma=decimal_comma)
    if fact.text is None and received.remark is not None:
        # Kept for people; nothing is decided on it but what `build_lab_result` has said.
        fact = fact.model_copy(update={"text": received.remark[:LONGEST_TEXT]})
    return subject.place(fact, issued=issued, report=context.number)


def _read_statement(
    obx: Segment,
    statement: StatementCode,
    context: _Context,
    subject: Subject,
    fact_id: str,
    when: When,
    issued: datetime | None,
    status: FactStatus,
) -> PlacedFact | None:
    text = obx.text(5)
    code = next((each.code for each in obx.codings(5) if each.code in statement.allowed), None)
    number = read_number(text or "", decimal_comma=subject.message.context.decimal_comma)
    value_when: When | None = None
    if statement.value == "time" and text is not None:
        reading = read_dtm(text, subject.message.context)
        if reading.reason is not None:
            obx.reject(reading.reason, reading.named("OBX-5"))
            return None
        value_when = reading.when
    units = read_units(obx, subject)
    is_counted = statement.unit is None or not units or statement.unit in units
    value = number.value if number.comparator is None and is_counted else None
    missing = {"time": value_when is None, "number": value is None, "code": code is None, "none": False}
    if missing[statement.value] and status is not _WITHDRAWN:
        obx.reject(
            RejectionReason.VALUE_MISSING,
            f"statement {statement.code} needs a {statement.value}, of its list where it has one",
        )
        return None
    fact = StatementRecorded(
        **subject.stamp(fact_id, when, status, obx, issued=issued),
        code=statement.code,
        value_code=code if statement.value == "code" else None,
        value_number=value if statement.value == "number" else None,
        value_when=value_when,
        until=context.until,
    )
    return subject.place(fact, issued=issued)


def _basic(when: When) -> str:
    return f"{when.earliest:%Y%m%dT%H%M%S}"


__all__ = ["REPORT_ROWS", "ROWS", "STATEMENT_ROWS", "read_loose", "read_order"]
