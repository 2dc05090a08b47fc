"""The front door beside a bare MLLP echo, in one run: messages a second, and how long a sender waits.

    python -m tests.benchmarks.door [--seconds 15] [--day 44000]

The echo reads frames and answers at once without keeping anything: what sockets and this machine allow. The
gateway answers when the broker has confirmed. Senders wait for each answer (original mode), 50 of them, from a
process of their own. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from streams.broker import LaptopKafka
from streams.gateway.framing import END, wrap
from tests.broker.gateway.door import Door, message

CONNECTIONS = 50
ECHO = wrap(b"MSH|^~\\&|MW|HOSP|LAB|HOSP|20260301120000||ACK|E1|P|2.5.1\rMSA|AA|C1\r")


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    held = b""
    while data := await reader.read(65_536):
        held += data
        *whole, held = held.split(END)
        writer.write(ECHO * len(whole))
        await writer.drain()


async def serve_echo() -> None:
    """Until killed; prints its port."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def send(port: int, name: str, *, rate: float, seconds: float, most: int) -> dict[str, Any]:
    """`rate` messages a second in all (0: as fast as answers come); how many, how fast, how long each took."""
    latencies: list[float] = []
    codes: dict[str, int] = {}
    count = 0
    began = time.monotonic()

    async def sender(number: int) -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        turn = began + number / max(rate, 1.0)
        while time.monotonic() - began < seconds and count < most:
            if rate:
                await asyncio.sleep(max(0.0, turn - time.monotonic()))
                turn += CONNECTIONS / rate
            count += 1
            body = wrap(message(control_id=f"{name}{count}", patient=f"P{count % 997}", note="x" * 800))
            sent = time.perf_counter()
            writer.write(body)
            answer = await reader.readuntil(END)
            latencies.append(time.perf_counter() - sent)
            code = answer.partition(b"MSA|")[2][:2].decode()
            codes[code] = codes.get(code, 0) + 1
        writer.close()

    await asyncio.gather(*(sender(number) for number in range(CONNECTIONS)))
    took = time.monotonic() - began
    ordered = sorted(latencies)
    return {
        "messages": len(ordered),
        "seconds": round(took, 2),
        "a_second": round(len(ordered) / took, 1),
        "answers": codes,
        "p50_ms": round(statistics.median(ordered) * 1_000, 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1_000, 2),
        "max_ms": round(ordered[-1] * 1_000, 2),
    }


async def flood(port: int, seconds: float) -> None:
    """A hostile sender: delimiter bombs and endless frames, as fast as they go."""
    bomb = wrap(message(1) + b"OBX|" + b"|" * 300_000)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(20):
                writer.write(bomb)
                await writer.drain()
                await reader.readuntil(END)
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.01)


def _apart(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.door", *arguments], stdout=subprocess.PIPE, text=True
    )


def _run(port: int, name: str, rate: float, seconds: float, most: int = 10**9) -> dict[str, Any]:
    with _apart("send", str(port), name, str(rate), str(seconds), str(most)) as process:
        assert process.stdout is not None
        found: dict[str, Any] = json.loads(process.stdout.read())
    return found


def measure(seconds: float, day: int) -> dict[str, Any]:
    """Everything, one after the other on the same machine."""
    result: dict[str, Any] = {
        "cores": os.cpu_count(),
        "connections": CONNECTIONS,
        "bytes_a_message": len(message(note="x" * 800)),
    }
    with _apart("echo") as echo:
        assert echo.stdout is not None
        port = int(echo.stdout.readline())
        result["echo_closed_loop"] = _run(port, "e", 0, seconds)
        result["echo_100_a_second"] = _run(port, "f", 100, seconds)
        echo.kill()
    with tempfile.TemporaryDirectory() as folder, LaptopKafka(Path(folder) / "kafka", die_with_parent=True) as kafka:
        door = Door(kafka, "bench", Path(folder) / "door", MYELOWATCH_PARTITIONS="12")
        with door.open() as gateway:
            _run(gateway.mllp, "w", 0, 3)
            result["durable_closed_loop"] = _run(gateway.mllp, "c", 0, seconds)
            result["durable_100_a_second"] = _run(gateway.mllp, "p", 100, seconds)
            with _apart("flood", str(gateway.mllp), str(seconds + 2)) as hostile:
                result["durable_100_a_second_beside_a_hostile_sender"] = _run(gateway.mllp, "h", 100, seconds)
                hostile.kill()
            if day:
                result["a_big_hospital_s_day"] = _run(gateway.mllp, "d", 0, 3_600, day)
    return result


def main() -> None:
    """One of the parts, or all."""
    match sys.argv[1:]:
        case ["echo"]:
            asyncio.run(serve_echo())
        case ["flood", port, seconds]:
            asyncio.run(flood(int(port), float(seconds)))
        case ["send", port, name, rate, seconds, most]:
            found = asyncio.run(send(int(port), name, rate=float(rate), seconds=float(seconds), most=int(most)))
            print(json.dumps(found))
        case _:
            parser = argparse.ArgumentParser(description=__doc__)
            parser.add_argument("--seconds", type=float, default=15)
            parser.add_argument("--day", type=int, default=44_000)
            chosen = parser.parse_args()
            print(json.dumps(measure(chosen.seconds, chosen.day), indent=2))


if __name__ == "__main__":
    main()
