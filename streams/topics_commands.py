"""`myelowatch topics apply|check|list`: the table of topics and the cluster."""

from __future__ import annotations

import typer

from streams.refusals import CheckFailed

topics_app = typer.Typer(
    help="The topics: create what is missing, check what is there, list the table.", no_args_is_help=True
)


@topics_app.command("apply")
def apply() -> None:
    """Create the topics that are missing; nothing that exists is changed."""
    from streams.connections import connect_admin
    from streams.settings import load_settings
    from streams.topic_admin import apply_topics, check_topics

    settings = load_settings()
    admin = connect_admin(settings.kafka, say=lambda sentence: typer.echo(sentence, err=True))
    try:
        created = apply_topics(admin, settings)
        for name in created:
            typer.echo(f"created {name}")
        if not created:
            typer.echo("Every topic is there.")
        _refuse(check_topics(admin, settings))
    finally:
        admin.close()


@topics_app.command("check")
def check() -> None:
    """Say what is not as the table asks, with what to do; exit 1 if anything is."""
    from streams.connections import connect_admin
    from streams.settings import load_settings
    from streams.topic_admin import check_topics

    settings = load_settings()
    admin = connect_admin(settings.kafka, say=lambda sentence: typer.echo(sentence, err=True))
    try:
        _refuse(check_topics(admin, settings))
    finally:
        admin.close()
    typer.echo(f"All topics of {settings.prefix} are as they should be.")


@topics_app.command("list")
def list_() -> None:
    """Print the table: name, key, content, partitions, retention, who writes and who reads. Needs no broker."""
    from streams.settings import load_settings
    from streams.topic_admin import wanted_topics

    settings = load_settings()
    for topic in wanted_topics(settings):
        row = topic.row
        days = settings.retention_days or row.retention_days
        kept = "compacted, kept for ever" if row.retention_days is None else f"{days} days"
        typer.echo(f"{topic.name}")
        typer.echo(f"  holds       {row.content}")
        typer.echo(f"  key         {row.key}; {topic.partitions} partitions, {row.stamp}")
        typer.echo(f"  kept        {kept}")
        typer.echo(f"  written by  {row.writers}")
        typer.echo(f"  read by     {row.readers}")


def _refuse(sentences: tuple[str, ...]) -> None:
    if sentences:
        raise CheckFailed("\n".join(sentences))
