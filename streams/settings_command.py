"""`myelowatch settings`: what is in force, from the environment and the file, secrets hidden."""

from __future__ import annotations

import typer


def settings() -> None:
    """Print the settings in force as YAML, secrets hidden. The output without `(hidden)` lines is a settings file."""
    from streams.settings import load_settings, show_settings

    typer.echo(show_settings(load_settings()), nl=False)
