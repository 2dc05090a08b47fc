"""`myelowatch broker start|stop|status`: the laptop broker from the command line.

Exit codes: 0 done; 1 the broker does not run or does not answer; 2 it cannot be used as things are set up. With
`--json` the answer on stdout is one JSON object; sentences for people go to stderr.
"""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from streams.broker.download_progress import DownloadProgress
from streams.broker.laptop import BrokerReport, LaptopKafka
from streams.broker.places import broker_folder
from streams.refusals import ExitCode

broker_app = typer.Typer(
    help="The laptop Kafka: a real Apache Kafka on this machine, from pip alone. Its data are under the state folder "
    "(MYELOWATCH_STATE, else .myelowatch); stop it and remove that folder to begin anew.",
    no_args_is_help=True,
    add_completion=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]


@broker_app.command()
def start(
    nodes: Annotated[int | None, typer.Option(help="1 or 3; three replicate. Default: as before, else 1.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start the broker and wait until it answers; fetches Apache Kafka (45 MB) the first time.

    Example: myelowatch broker start --nodes 3
    """
    with DownloadProgress() as progress:
        kafka = LaptopKafka(broker_folder(), nodes, log=_say, progress=progress.show)
        kafka.start()
    _tell(kafka.report(), as_json=as_json)


@broker_app.command()
def stop(as_json: AsJson = False) -> None:
    """Stop the broker of this state folder; its data stay."""
    kafka = LaptopKafka(broker_folder(), log=_say)
    # Looked at first, because stopping takes a lock in the folder and would make one where there was none.
    was_running = kafka.report() is not None and kafka.stop()
    if as_json:
        typer.echo(json.dumps({"stopped": was_running, "folder": str(kafka.folder)}))
    else:
        typer.echo("Stopped." if was_running else f"No broker was running in {kafka.folder}.")


@broker_app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the broker of this state folder runs and answers (exit code 1 if not)."""
    report = LaptopKafka(broker_folder()).report()
    _tell(report, as_json=as_json)
    if report is None or not report.answering:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _tell(report: BrokerReport | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_object(report)))
        return
    if report is None or not report.running:
        typer.echo("No broker is running here: `myelowatch broker start` starts one.")
        return
    how = "answers" if report.answering else "runs but does not answer everywhere"
    typer.echo(f"Apache Kafka {report.kafka_version} {how}: {report.bootstrap}")
    for node in report.nodes:
        state = "paused" if node.paused else "answers" if node.answering else "silent" if node.alive else "not running"
        typer.echo(f"  node {node.node}  port {node.port}  process {node.pid or '-'}  {state}")
    typer.echo(f"  state {report.folder}")


def _as_object(report: BrokerReport | None) -> dict[str, object]:
    if report is None:
        return {"running": False, "answering": False, "bootstrap": None, "nodes": []}
    return {
        "running": report.running,
        "answering": report.answering,
        "bootstrap": report.bootstrap,
        "kafka": report.kafka_version,
        "folder": str(report.folder),
        "nodes": [asdict(node) for node in report.nodes],
    }


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
