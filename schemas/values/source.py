"""Where a fact came from: enough to find the original bytes again."""

from __future__ import annotations

from schemas.values.frozen import Frozen


class Source(Frozen):
    """Feed, message id (control id or Bundle id or event id) and place within the message."""

    feed: str
    message: str
    position: str = ""
