"""The field maps of the configured feeds, read once at start; every error of every map at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from streams.refusals import Refusal
from streams.settings import Settings, SettingsUnusable

if TYPE_CHECKING:
    from schemas.hl7v2 import FeedMap


def load_feed_maps(settings: Settings) -> dict[str, FeedMap]:
    """The map of each feed that names one; raises `SettingsUnusable` with a sentence for every error, by file and line."""
    from schemas.hl7v2 import FeedMapUnusable, read_feed_map

    maps: dict[str, FeedMap] = {}
    errors: list[str] = []
    for name, feed in settings.feeds.items():
        if feed.field_map is None:
            continue
        try:
            maps[name] = read_feed_map(feed.field_map.read_text(encoding="utf-8"))
        except FeedMapUnusable as error:
            errors.extend(f"{feed.field_map}: {each}" for each in error.errors)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            errors.append(f"feeds.{name}.field_map: {feed.field_map} cannot be read ({why}).")
    if errors:
        raise SettingsUnusable(tuple(errors))
    return maps


def load_feed_map(file: str | None) -> FeedMap | None:
    """One map by its file; raises `Refusal` with every error by line. None where no file is named."""
    from schemas.hl7v2 import FeedMapUnusable, read_feed_map

    if file is None:
        return None
    try:
        return read_feed_map(Path(file).read_text(encoding="utf-8"))
    except FeedMapUnusable as error:
        raise Refusal("\n".join(f"{file}: {each}" for each in error.errors)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'}).") from None
