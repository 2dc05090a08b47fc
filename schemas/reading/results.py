"""A measured value as received to a result with its canonical value, or the doubt; the same for every dialect."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from schemas.codes.normalising import (
    Normalisation,
    convert,
    normalise_result,
    read_number,
    says_clumped,
)
from schemas.codes.tables import Analyte, AnalyteCode, CodeTables
from schemas.events import Comparator, FactStatus, LabResultReported, ReferenceRange, ResultDoubt
from schemas.values import Coding, Source, When

_LONGEST_NUMBER = 80
LONGEST_TEXT = 300
"""A result's own words are kept for people up to here; a report is no place for an essay."""


class ReceivedValue(NamedTuple):
    """What the sender wrote as the value of one result.

    `units` are the spellings sent for one unit, the coded one first: they must agree.
    `remark` is read for platelet clumps only.
    """

    number: Decimal | None = None
    text: str | None = None
    comparator: Comparator | None = None
    units: tuple[str, ...] = ()
    answer_codes: tuple[Coding, ...] = ()
    remark: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    range_unit: str | None = None


class ResultIdentity(NamedTuple):
    """Which result of which patient, when, and how firm."""

    fact_id: str
    origin_key: str
    when: When
    source: Source
    status: FactStatus
    issued_at: datetime | None = None
    versioned_at: datetime | None = None
    specimen: str | None = None


def build_lab_result(
    identity: ResultIdentity,
    match: AnalyteCode | None,
    codings: tuple[Coding, ...],
    received: ReceivedValue,
    codes: CodeTables,
    *,
    decimal_comma: bool,
) -> LabResultReported:
    """Assemble one result; `match` is None where the code stands under a system we do not accept."""
    number, comparator, text = received.number, received.comparator, received.text
    answer: str | None = None
    doubt: ResultDoubt | None = None
    if match is None:
        doubt = ResultDoubt.CODE_SYSTEM
        done = Normalisation(None, doubt)
        unit = received.units[0] if received.units else None
    elif match.analyte.kind == "coded":
        unit = received.units[0] if received.units else None
        done = Normalisation(None, None)
        if identity.status is not FactStatus.WITHDRAWN:
            answer, doubt = _read_answer(match.analyte, received, codes)
    else:
        if number is None:
            number, comparator, doubt = _read_number(match.analyte, received, codes, decimal_comma=decimal_comma)
        unit = _choose_unit(match.analyte, received.units)
        done = Normalisation(None, doubt)
        if number is not None:
            done = _normalise(match, number, received.units, unit, comparator)
            doubt = _doubt_of(match, done, received, codes)
            if doubt is ResultDoubt.ESTIMATE:
                done = Normalisation(None, doubt)  # no rule may decide on it, so it is given none
    if number is not None and received.number is None and text is not None:
        text = None  # the text was the number; the value says it all
    if identity.status is FactStatus.WITHDRAWN and number is None:
        doubt = None
    # Under a system we do not accept the analyte is only what the code resembles: it is named, and has no value.
    entry = match.analyte if match is not None else codes.resembled_analyte(codings)
    limits: ReferenceRange | None = None
    if match is not None and entry is not None and (received.low is not None or received.high is not None):
        limits = _build_range(entry, received.low, received.high, received.range_unit or unit)
    return LabResultReported.of_known(
        fact_id=identity.fact_id,
        origin_key=identity.origin_key,
        when=identity.when,
        issued_at=identity.issued_at,
        versioned_at=identity.versioned_at,
        status=identity.status,
        source=identity.source,
        analyte=entry.id if entry is not None else None,
        codes=codings,
        value=number,
        comparator=comparator,
        unit=unit,
        text=_shorten(text if text is not None else received.remark if doubt is ResultDoubt.CLUMPED else None),
        answer=answer,
        answer_codes=received.answer_codes,
        normalised=done.value,
        normalised_unit=entry.canonical_unit if entry is not None and done.value is not None else None,
        doubt=doubt,
        could_breach=done.could_breach,
        range=limits,
        specimen=identity.specimen,
    )


def _read_number(
    analyte: Analyte, received: ReceivedValue, codes: CodeTables, *, decimal_comma: bool
) -> tuple[Decimal | None, Comparator | None, ResultDoubt | None]:
    for coding in received.answer_codes:
        score = codes.score_of(analyte, coding.system, coding.code)
        if score is not None:
            return score, None, None
    if received.text is None:
        doubt = ResultDoubt.NOT_A_NUMBER if received.answer_codes else ResultDoubt.ABSENT
        return None, received.comparator, doubt
    if len(received.text) > _LONGEST_NUMBER:
        return None, None, _doubt_of_text(analyte, received.text, codes)
    reading = read_number(received.text, decimal_comma=decimal_comma)
    if reading.value is not None:
        if reading.comparator is not None and received.comparator not in (None, reading.comparator):
            return None, None, ResultDoubt.NOT_A_NUMBER
        return reading.value, reading.comparator or received.comparator, None
    return None, None, _doubt_of_text(analyte, received.text, codes)


def _doubt_of_text(analyte: Analyte, text: str, codes: CodeTables) -> ResultDoubt:
    if analyte.has_clumps and says_clumped(text, codes.clump_pattern):
        return ResultDoubt.CLUMPED
    return ResultDoubt.NOT_A_NUMBER


def _read_answer(analyte: Analyte, received: ReceivedValue, codes: CodeTables) -> tuple[str | None, ResultDoubt | None]:
    answers = {
        answer
        for coding in received.answer_codes
        if (answer := codes.answer_of(analyte, coding.system, coding.code)) is not None
    }
    if not answers and received.text is not None:
        word = analyte.answer_words.get(" ".join(received.text.casefold().split()))
        answers = {word} if word is not None else set()
    if len(answers) == 1:
        return answers.pop(), None
    if not received.answer_codes and received.text is None and received.number is None:
        return None, ResultDoubt.ABSENT
    return None, ResultDoubt.ANSWER_UNKNOWN


def _choose_unit(analyte: Analyte, units: tuple[str, ...]) -> str | None:
    """The first spelling we know, else the first that was sent."""
    if analyte.units is not None:
        for unit in units:
            if analyte.units.find(unit) is not None:
                return unit
    return units[0] if units else None


def _normalise(
    match: AnalyteCode, number: Decimal, units: tuple[str, ...], unit: str | None, comparator: Comparator | None
) -> Normalisation:
    analyte = match.analyte
    if len(units) > 1 and analyte.units is not None:
        known = {conversion for spelling in units if (conversion := analyte.units.find(spelling)) is not None}
        if len(known) > 1:
            # Code and text of the unit contradict each other: as good as no unit at all.
            refused = normalise_result(analyte, number, " / ".join(units), comparator)
            return Normalisation(None, ResultDoubt.UNIT_UNKNOWN, refused.could_breach)
    return normalise_result(analyte, number, unit, comparator)


def _doubt_of(
    match: AnalyteCode, done: Normalisation, received: ReceivedValue, codes: CodeTables
) -> ResultDoubt | None:
    if done.doubt is not None:
        return done.doubt
    if match.is_estimate:
        return ResultDoubt.ESTIMATE
    remarks = (received.remark, received.text if received.number is not None else None)
    if match.analyte.has_clumps and any(
        remark is not None and says_clumped(remark, codes.clump_pattern) for remark in remarks
    ):
        return ResultDoubt.CLUMPED
    return None


@lru_cache(maxsize=4096)
def _build_range(
    analyte: Analyte, low: Decimal | None, high: Decimal | None, unit: str | None
) -> ReferenceRange | None:
    low = convert(analyte, low, unit) if low is not None else None
    high = convert(analyte, high, unit) if high is not None else None
    return ReferenceRange(low=low, high=high) if low is not None or high is not None else None


def _shorten(text: str | None) -> str | None:
    return text[:LONGEST_TEXT] if text is not None else None
