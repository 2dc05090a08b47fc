"""The web intake: `POST /fhir` and `POST /events`, kept before they are answered.

Who asks is settled before a byte of the body is read (`web_access`). A body is JSON of a bounded size or is refused
unread; it is then read by the same readers that translate uses, once here to key it by its patient and to
tell the sender's operator what cannot be used, and again by translate from what was kept: the door decides nothing.

202 means: on intake with all copies. 4xx means: mend it; what could be read as JSON is kept as refused, for people to see. 503
means: not kept for certain, send it again under the same Idempotency-Key.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response

from schemas.reading import Outcome as ReadingOutcome
from schemas.reading import Reading, ReadingContext
from schemas.reading.strict_json import read_json
from schemas.rejection import RejectionReason
from streams.gateway import web_pages
from streams.gateway.keeping import Keeper, Offer, Outcome, Refused, Verdict
from streams.gateway.subscriptions import Gap, Notification, Subscriptions, read_notification
from streams.gateway.web_access import FEED
from streams.gateway.web_replies import Issue, Reply, issues_of, refuse
from streams.ports import Meters
from streams.settings import Settings
from streams.translate import PROTOCOL_EVENT, PROTOCOL_FHIR, Reader

_JSON_FHIR: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_JSON_EVENT: Final = frozenset({"application/cloudevents+json", "application/json"})
_LONGEST_KEY: Final = 199
_READERS_AT_ONCE: Final = 4
_MOST_LEFT_BODIES: Final = 4
_LEAVE_SECONDS: Final = 5.0
_ACCEPTED: Final = "accepted"
_REFUSED: Final = "refused"
_REUSED: Final = Issue("the Idempotency-Key is that of another body of the last hours", "duplicate")


@dataclass(slots=True)
class Intake:
    """What the pages need of the rest of the door."""

    settings: Settings
    keeper: Keeper
    readers: Mapping[str, Reader]
    contexts: Mapping[str, ReadingContext]
    meters: Meters
    subscriptions: Subscriptions
    on_gap: Any = None
    """Called with the feed and each gap of a subscription."""


def build_web(intake: Intake) -> FastAPI:
    """The application, without access control: `Access` goes in front."""
    pages = _Pages(intake)
    app = FastAPI(
        title="myelowatch intake",
        version="1",
        description=web_pages.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        # The one server address is whatever the client reached; none is written down.
        servers=[{"url": "/"}],
    )
    for method, path, page, name in (
        ("POST", "/fhir", pages.fhir, "post_fhir"),
        ("POST", "/fhir/{kind}", pages.fhir, "post_fhir_resource"),
        ("PUT", "/fhir/{kind}/{number}", pages.fhir, "put_fhir_resource"),
        ("POST", "/events", pages.event, "post_event"),
    ):
        app.add_api_route(
            path, page, methods=[method], name=name, operation_id=name, response_class=Response, status_code=202,
            responses=web_pages.responses(is_fhir=path.startswith("/fhir")),
            openapi_extra=web_pages.request(path),
        )  # fmt: skip
    for status in (404, 405):
        app.add_exception_handler(status, _on_http)
    app.add_exception_handler(Exception, _on_fault)
    web_pages.secure(app)
    return app


class _Pages:
    """The two doors."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._limit = intake.settings.gateway.body_bytes
        self._seconds = intake.settings.gateway.frame_seconds
        self._reading = asyncio.Semaphore(_READERS_AT_ONCE)

    async def fhir(self, request: Request) -> Response:
        """A FHIR R4 resource or Bundle (R4B and R5 tolerated)."""
        reply = await self._take(request, PROTOCOL_FHIR, _JSON_FHIR)
        return _response(reply, is_fhir=True)

    async def event(self, request: Request) -> Response:
        """One of our events: CloudEvents 1.0, structured, or binary with its attributes in `ce-` headers."""
        reply = await self._take(request, PROTOCOL_EVENT, _JSON_EVENT)
        return _response(reply, is_fhir=False)

    async def _take(self, request: Request, protocol: str, types: frozenset[str]) -> Reply:
        feed: str = request.scope[FEED]
        reply = await self._answer(request, protocol, types, feed)
        ack = _ACCEPTED if reply.status < 400 else _REFUSED
        self._intake.meters.message_received(feed, protocol, ack)
        return reply

    async def _answer(self, request: Request, protocol: str, types: frozenset[str], feed: str) -> Reply:
        refused = _unreadable(request, types, self._limit)
        key = request.headers.get("idempotency-key")
        if refused is None and key is not None and not _is_key(key):
            refused = refuse(400, f"Idempotency-Key has 1 to {_LONGEST_KEY} visible ASCII characters")
        if refused is not None:
            await self._leave(request)
            return self._count(feed, refused, RejectionReason.UNDECODABLE)
        body = await self._body(request)
        if isinstance(body, Reply):
            await self._leave(request)
            return self._count(feed, body, RejectionReason.TOO_LARGE)
        headers = _event_headers(request) if protocol == PROTOCOL_EVENT else {}
        async with self._reading:
            reading, notification = await asyncio.to_thread(self._read, body, protocol, headers, feed)
        return await self._keep(feed, protocol, key, body, headers, reading, notification)

    async def _keep(
        self,
        feed: str,
        protocol: str,
        key: str | None,
        body: bytes,
        headers: Mapping[str, bytes],
        reading: Reading,
        notification: Notification | None,
    ) -> Reply:
        refused = None
        is_handshake = notification is not None and not notification.events and not reading.entries
        if reading.outcome is ReadingOutcome.REJECTED and not is_handshake:
            first = reading.rejections[0]
            refused = Refused(first.reason, first.detail)
        further = [*headers.items(), *(notification.headers() if notification is not None else ())]
        outcome = await self._intake.keeper.keep(
            Offer(
                feed=feed,
                protocol=protocol,
                control_id=key,
                body=body,
                digest=_digest(body, headers),
                key=_patient(reading) or feed,
                ack=_REFUSED if refused is not None else _ACCEPTED,
                ack_refused=_REFUSED,
                refused=refused,
                headers=further,
            )
        )
        if outcome.verdict is Verdict.KEPT and refused is None and notification is not None:
            self._follow(feed, notification)
        return _reply(outcome, reading, refused)

    def _read(
        self, body: bytes, protocol: str, headers: Mapping[str, bytes], feed: str
    ) -> tuple[Reading, Notification | None]:
        reading = self._intake.readers[protocol](body, headers, self._intake.contexts[feed])
        notification = None
        if protocol == PROTOCOL_FHIR and b"ubscription" in body:
            notification = read_notification(read_json(body, self._limit).value)
        return reading, notification

    def _follow(self, feed: str, notification: Notification) -> None:
        gaps: tuple[Gap, ...] = self._intake.subscriptions.take(feed, notification)
        if self._intake.on_gap is not None:
            for gap in gaps:
                self._intake.on_gap(feed, gap)

    async def _body(self, request: Request) -> bytes | Reply:
        """The body within its limit and time; or why not."""
        collected = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                while (message := await request.receive())["type"] == "http.request":
                    collected += message.get("body", b"")
                    if len(collected) > self._limit:
                        return refuse(413, f"more than {self._limit} bytes", headers={"Connection": "close"})
                    if not message.get("more_body"):
                        return bytes(collected)
        except TimeoutError:
            return refuse(408, "the body did not come in time", headers={"Connection": "close"})
        return refuse(408, "the body broke off")

    async def _leave(self, request: Request) -> None:
        """Let a client that may speak finish its sentence: closing on it now would throw our answer away with it."""
        left = _MOST_LEFT_BODIES * self._limit
        with contextlib.suppress(TimeoutError, RuntimeError):
            async with asyncio.timeout(_LEAVE_SECONDS):
                while left > 0 and (message := await request.receive())["type"] == "http.request":
                    left -= len(message.get("body", b""))
                    if not message.get("more_body"):
                        return

    def _count(self, feed: str, reply: Reply, reason: RejectionReason) -> Reply:
        """What is refused unread is kept by nobody but its sender."""
        self._intake.meters.message_translated(feed, "rejected")
        self._intake.meters.message_rejected(feed, reason)
        return reply


def _unreadable(request: Request, types: frozenset[str], limit: int) -> Reply | None:
    """Why the body is not read at all."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if kind not in types:
        hint = " XML is not read: send the same as JSON." if "xml" in kind else ""
        return refuse(
            415,
            f"only {', '.join(sorted(types))} is read here.{hint}",
            headers={"Accept-Post": ", ".join(sorted(types))},
        )
    charset = parameters.lower().replace('"', "").partition("charset=")[2].partition(";")[0].strip()
    if charset not in ("", "utf-8", "utf8"):
        return refuse(415, "JSON is UTF-8")
    if request.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        return refuse(415, "send the body without a content encoding")
    length = request.headers.get("content-length")
    if length is not None and length.isdigit() and int(length) > limit:
        return refuse(413, f"more than {limit} bytes", headers={"Connection": "close"})
    return None


def _is_key(key: str) -> bool:
    return 1 <= len(key) <= _LONGEST_KEY and all("!" <= letter <= "~" for letter in key)


def _event_headers(request: Request) -> dict[str, bytes]:
    """Binary mode: attributes in `ce-` headers, as they stand in headers of a record (CloudEvents HTTP and Kafka bindings)."""
    found = {
        f"ce_{name[3:]}": value.encode("utf-8", "replace")
        for name, value in request.headers.items()
        if name.startswith("ce-") and len(name) > 3
    }
    # The feed is the credentials', whatever the source says; the time of knowledge is the broker's.
    found.pop("ce_knownat", None)
    if found:
        found["content-type"] = b"application/json"
    return found


def _digest(body: bytes, headers: Mapping[str, bytes]) -> bytes:
    """Of the body and of what its headers say about it: the same event is the same in both."""
    hashed = hashlib.sha256(body)
    for name in sorted(headers):
        hashed.update(b"\x1f" + name.encode() + b"\x1f" + headers[name])
    return hashed.digest()


def _patient(reading: Reading) -> str | None:
    keys = {entry.patient.key for entry in reading.entries if entry.patient is not None}
    return keys.pop() if len(keys) == 1 else None


def _reply(outcome: Outcome, reading: Reading, refused: Refused | None) -> Reply:
    if outcome.verdict is Verdict.NOT_KEPT:
        return refuse(503, "not kept for certain: send it again", headers={"Retry-After": "5"})
    if outcome.verdict is Verdict.REUSED:
        return Reply(422, (_REUSED,))
    if refused is not None:
        is_json = refused.reason not in web_pages.NOT_READABLE
        return Reply(422 if is_json else 400, issues_of(reading.rejections, "error"))
    kept = Issue("kept", "informational", "information")
    return Reply(202, (kept, *issues_of(reading.rejections, "warning")))


def _response(reply: Reply, *, is_fhir: bool) -> Response:
    return Response(
        reply.body(is_fhir=is_fhir),
        status_code=reply.status,
        media_type=reply.media_type(is_fhir=is_fhir),
        headers=dict(reply.headers),
    )


async def _on_http(request: Request, error: Exception) -> Response:
    """No such page or method."""
    status = getattr(error, "status_code", 404)
    reply = refuse(status, "POST /fhir or POST /events", headers=getattr(error, "headers", None))
    return _response(reply, is_fhir=request.url.path.startswith("/fhir"))


async def _on_fault(request: Request, error: Exception) -> Response:
    """A fault of ours: the sender has the message, and its text stays out of the answer."""
    structlog.get_logger("streams.gateway").error("the web intake failed at a request", error=error)
    reply = refuse(500, "a fault of myelowatch: the message is not kept for certain, send it again", code="exception")
    return _response(reply, is_fhir=request.url.path.startswith("/fhir"))
