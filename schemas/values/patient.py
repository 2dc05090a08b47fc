"""Who a fact is about."""

from __future__ import annotations

import hashlib
import hmac

from schemas.values.frozen import Frozen


class PatientRef(Frozen):
    """The opaque key every topic is keyed by, beside the hospital's own identifier."""

    key: str
    authority: str
    id: str


def build_patient_key(authority: str, identifier: str, secret: bytes) -> str:
    """Keyed hash of assigning authority and number: stable for a site, meaningless outside it."""
    message = f"{authority}\x1f{identifier}".encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:32]
