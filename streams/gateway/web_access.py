"""Who may use the web intake, decided before a byte of the body is read.

A client shows a bearer token or a certificate; either is bound to feeds by the settings. Tokens are compared by their
SHA-256 in constant time, and the settings hold nothing else of them. Every answer carries the headers that keep
it out of caches.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from streams.gateway.web_replies import Reply, refuse
from streams.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

FEED: Final = "myelowatch.feed"
CERTIFICATE: Final = "myelowatch.certificate"
_OPEN_PATHS: Final = frozenset({"/openapi.json"})
_CLIENTS_KEPT: Final = 4_096
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


class Access:
    """Which feed a request is for. The ASGI application in front of everything else."""

    def __init__(self, app: App, settings: Settings, on_refused: Callable[[int], None] = lambda status: None) -> None:
        """Wrap `app`; it finds the feed in the scope under `FEED`."""
        self._app = app
        self._feeds = settings.feeds
        self._rate = settings.gateway.requests_a_second
        self._on_refused = on_refused
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with_headers = _adding_headers(send)
        if scope["path"] not in _OPEN_PATHS:
            found = self._admit(scope)
            if isinstance(found, Reply):
                self._on_refused(found.status)
                await _answer(found, scope, with_headers)
                return
            scope[FEED] = found
        await self._app(scope, receive, with_headers)

    def _admit(self, scope: Scope) -> str | Reply:
        headers = dict(scope["headers"])
        client = scope.get("client")
        address = str(client[0]) if client else ""
        names: frozenset[str] = scope.get(CERTIFICATE, frozenset())
        feeds = self._feeds_of(headers.get(b"authorization", b""), names)
        if feeds is None:
            sentence = "show a bearer token of a configured feed, or a client certificate bound to one"
            return refuse(401, sentence, headers={"WWW-Authenticate": 'Bearer realm="myelowatch"'})
        feeds = [name for name in feeds if self._feeds[name].door.takes_address(address)]
        wanted = _wanted_feed(scope["query_string"])
        if wanted is not None:
            feeds = [name for name in feeds if name == wanted]
        if not feeds:
            return refuse(403, "these credentials are not for this feed, or not from this address")
        if len(feeds) > 1:
            return refuse(400, f"these credentials are for several feeds: add ?feed= with one of {', '.join(feeds)}")
        if not self._has_turn(f"{address} {feeds[0]}"):
            return refuse(429, f"more than {self._rate} requests a second", headers={"Retry-After": "1"})
        return feeds[0]

    def _feeds_of(self, authorization: bytes, names: frozenset[str]) -> list[str] | None:
        """The feeds these credentials are for; None where there are none that anybody knows."""
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() == b"bearer" and token:
            digest = hashlib.sha256(token.strip()).hexdigest()
            found = [name for name, feed in self._feeds.items() if _is_one_of(digest, feed.door.token_sha256)]
            return found or None
        found = [name for name, feed in self._feeds.items() if feed.door.takes_certificate(names)]
        return found or None

    def _has_turn(self, client: str) -> bool:
        """A bucket of one second's requests, filled at the rate."""
        now = time.monotonic()
        left, at = self._buckets.pop(client, (float(self._rate), now))
        left = min(float(self._rate), left + (now - at) * self._rate)
        self._buckets[client] = (max(0.0, left - 1), now)
        if len(self._buckets) > _CLIENTS_KEPT:
            self._buckets.popitem(last=False)
        return left >= 1


def _is_one_of(digest: str, tokens: tuple[str, ...]) -> bool:
    """Compared with each of them whatever the others say: the time taken tells nothing."""
    found = False
    for each in tokens:
        found |= hmac.compare_digest(digest, each)
    return found


def _wanted_feed(query: bytes) -> str | None:
    for part in query.decode("latin-1").split("&"):
        name, _, value = part.partition("=")
        if name == "feed":
            return value
    return None


def _adding_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return sending


async def _answer(reply: Reply, scope: Scope, send: Send) -> None:
    is_fhir = scope["path"].startswith("/fhir")
    body = reply.body(is_fhir=is_fhir)
    headers = [
        (b"content-type", reply.media_type(is_fhir=is_fhir).encode()),
        (b"content-length", str(len(body)).encode()),
        # The body was not read: without this, it would be taken for the next request.
        (b"connection", b"close"),
        *((name.lower().encode(), value.encode()) for name, value in reply.headers.items()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
