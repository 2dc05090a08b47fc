"""Synthetic patients as pathways: for the demo, for tests and for load.

Question this room answers: what would a ward look like, with everything that goes wrong in one? It knows
no rule of ours: clinicians, laboratory and pharmacy here follow the guideline by their own copy of it.
Nobody in it exists, and nobody has a name.
"""

from streams.simulator.event_writer import event_lines, write_events
from streams.simulator.fhir_writer import write_fhir
from streams.simulator.happenings import Happening, Mishap
from streams.simulator.hl7_writer import write_hl7
from streams.simulator.load import LoadMessage, load_enrolments, load_reports
from streams.simulator.ward import by_the_book, simulate

__all__ = [
    "Happening",
    "LoadMessage",
    "Mishap",
    "by_the_book",
    "event_lines",
    "load_enrolments",
    "load_reports",
    "simulate",
    "write_events",
    "write_fhir",
    "write_hl7",
]
