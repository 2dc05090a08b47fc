"""The HL7 column of the four kinds of medicine fact: what `medicine.py` reads."""

from __future__ import annotations

from typing import Final

from schemas.hl7v2.rows import Row

_SHARED: Final = (
    Row("who", ("PID-3",)),
    Row("route (local use does not count)", ("RXR-1",)),
)
_OFTEN: Final = Row("how often", ("TQ1-3", "ORC-7", "RXE-1"))
DISPENSE_ROWS: Final = (
    *_SHARED,
    _OFTEN,
    Row("which medicine", ("RXD-2", "RXC-2")),
    Row("strength of one unit", ("RXD-16, RXD-17",)),
    Row("how firm", ("ORC-1", "ORC-5")),
    Row("when handed over", ("RXD-3",)),
    Row("number of units", ("RXD-4, RXD-5",)),
    Row("days it lasts", ("TQ1-6", "ORC-7.3")),
    Row("dose taken at one time", ("TQ1-2", "RXE-3, RXE-5", "RXD-12 (a day's sum)")),
    Row("purpose and first dose of a cycle, in our codes", ("RXD-21 (99MYW)",)),
)
ADMINISTRATION_ROWS: Final = (
    *_SHARED,
    Row("which medicine", ("RXA-5",)),
    Row("strength of one unit", ("RXA-13, RXA-14",)),
    Row("how firm", ("RXA-20", "RXA-21")),
    Row("when given", ("RXA-3", "RXA-4")),
    Row("dose given", ("RXA-6, RXA-7",)),
    Row("purpose and first dose of a cycle, in our codes", ("RXA-19 (99MYW)",)),
)
ORDER_ROWS: Final = (
    *_SHARED,
    _OFTEN,
    Row("which medicine", ("RXE-2", "RXO-1", "RXC-2")),
    Row("strength of one unit", ("RXE-25, RXE-26", "RXO-18, RXO-19")),
    Row("how firm", ("ORC-1", "ORC-5")),
    Row("order or plan", ("ORC-1",)),
    Row("when ordered", ("RXE-32", "ORC-9")),
    Row("when it ends", ("TQ1-8", "ORC-7.5", "ORC-15 of a stop")),
    Row("number of units", ("RXE-10, RXE-11", "RXO-11, RXO-12")),
    Row("days it lasts", ("TQ1-6", "ORC-7.3")),
    Row("dose taken at one time", ("RXE-3, RXE-5", "RXO-2, RXO-4", "TQ1-2")),
    Row("purpose, in our codes", ("RXE-27, RXO-20 (99MYW)",)),
)
HOME_ROWS: Final = (
    *_SHARED,
    Row("which medicine", ("RXE-2", "RXO-1, with `taken-at-home^^99MYW` in RXE-27, RXO-20 or ORC-16")),
    Row("strength of one unit", ("RXE-25, RXE-26", "RXO-18, RXO-19")),
    Row("how firm", ("ORC-1",)),
    Row("from when", ("TQ1-7", "ORC-7.4")),
    Row("until when", ("TQ1-8", "ORC-7.5", "ORC-15 of a stop")),
    Row("when it was said", ("ORC-9",)),
    Row("dose and how often", ("RXE-3, RXE-5", "TQ1-2", "TQ1-3")),
    Row("purpose, in our codes", ("RXE-27, RXO-20 (99MYW)",)),
)
