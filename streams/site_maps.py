"""Site maps as files: read when a role starts, refused with every error and its line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from schemas.codes.site_maps import SiteMap, SiteMapUnusable, read_site_map
from schemas.codes.tables import CodeTables, tables
from streams.refusals import Refusal


def load_site_maps(paths: Iterable[Path]) -> tuple[SiteMap, ...]:
    """Every map, or one refusal that tells all errors of all files, and codes that two files see differently."""
    maps, errors = [], []
    for path in paths:
        try:
            maps.append(read_site_map(path.read_text(encoding="utf-8"), tables()))
        except OSError as error:
            errors.append(f"The site map {path} cannot be read ({error.strerror}).")
        except UnicodeDecodeError:
            errors.append(f"The site map {path} is not a text file in UTF-8.")
        except SiteMapUnusable as error:
            errors += [f"{path}:{each.line}: {each.message}" for each in error.errors]
    if not errors:
        try:
            tables().with_site_maps(maps)
        except ValueError as error:
            errors.append(f"Two site maps disagree: {error}.")
    if errors:
        raise Refusal("\n".join([*errors, "No role starts with a map that cannot be trusted; nothing was guessed."]))
    return tuple(maps)


def codes_for(feed: str | None, maps: Iterable[SiteMap]) -> CodeTables | None:
    """The tables a feed reads by (None: those of the project alone); without a feed every map counts."""
    own = [each for each in maps if feed is None or each.is_for(feed)]
    return tables().with_site_maps(own) if own else None
