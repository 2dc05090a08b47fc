"""TLS of the door: our certificate out, the sender's in, and the names a certificate shows."""

from __future__ import annotations

import ssl
from typing import Any

from streams.gateway_settings import TlsSettings
from streams.refusals import Refusal


def server_context(tls: TlsSettings, *, needs_client: bool) -> ssl.SSLContext:
    """TLS 1.2 or newer. With a `client_ca_file`, clients show a certificate of that authority and of no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(tls.certificate_file, tls.key_file)
        if tls.client_ca_file is not None:
            context.load_verify_locations(tls.client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED if needs_client else ssl.CERT_OPTIONAL
            if tls.revoked_file is not None:
                context.load_verify_locations(tls.revoked_file)
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    except (OSError, ssl.SSLError) as error:
        raise Refusal(
            f"The certificates of gateway.tls cannot be used ({getattr(error, 'strerror', None) or type(error).__name__}): "
            "check that certificate_file, key_file, client_ca_file and revoked_file are PEM files that can be read."
        ) from None
    return context


def certificate_names(transport_info: Any) -> frozenset[str]:
    """The names of a checked client certificate: its alternative names, else its common name; empty without one."""
    if transport_info is None:
        return frozenset()
    shown = transport_info.getpeercert() or {}
    names = frozenset(str(value) for kind, value in shown.get("subjectAltName", ()) if kind in ("DNS", "URI"))
    if names:
        return names
    return frozenset(str(value) for row in shown.get("subject", ()) for kind, value in row if kind == "commonName")
