"""Generated requests from the intake's own OpenAPI document: no fault of ours, no answer that the document does not list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from streams.broker import LaptopKafka
from tests.broker.gateway.door import TOKEN, Door


def test_the_api_answers_as_its_document_says(kafka: LaptopKafka, topic_prefix: str, tmp_path: Path) -> None:
    """One check is left out: the document cannot say all that makes a FHIR resource usable, so a body that fits its
    schema may rightly get 422.
    """
    door = Door(kafka, topic_prefix, tmp_path / "door", MYELOWATCH_GATEWAY__REQUESTS_A_SECOND="100000")
    with door.open() as gateway:
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"),
                f"http://127.0.0.1:{gateway.http}/openapi.json",
                *("-H", f"Authorization: Bearer {TOKEN}"),
                *("--max-examples", "60", "--seed", "5", "--workers", "1", "--no-color"),
                *("--exclude-checks", "positive_data_acceptance"),
            ],
            capture_output=True,
            text=True,
            timeout=240,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]
        assert "failed at a request" not in gateway.output
        assert gateway.process.poll() is None
