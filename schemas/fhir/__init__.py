"""FHIR resources to facts: one small module a resource, one door, no sockets."""

from schemas.fhir.reading import READERS, read_fhir

__all__ = ["READERS", "read_fhir"]
