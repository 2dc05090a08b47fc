"""The jars of the laptop broker are exactly those of the lock, whoever else fetches at the same time.

A small server on this machine plays the package repository, so these tests are quick and need no network.
"""

import contextlib
import hashlib
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.broker.jars import JarLock, LockedJar, provide_jars, read_jar_lock
from streams.broker.places import kafka_file
from streams.broker.refusals import BrokerUnusableError

CONTENTS = {
    "org/apache/kafka/kafka_2.13/4.3.1/kafka_2.13-4.3.1.jar": b"the broker" * 1000,
    "org/example/left/1/left-1.jar": b"left",
    "org/example/right/2/right-2.jar": b"right",
}


class Repository:
    """A package repository that remembers what it was asked for, and can be told to misbehave."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failures_to_come = 0
        self.served_instead: dict[str, bytes] = {}
        repository = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.removeprefix("/repository/")
                repository.asked.append(path)
                if path.endswith(".jar") and repository.failures_to_come:
                    repository.failures_to_come -= 1
                    self.close_connection = True  # an empty answer: the connection breaks off
                    return
                content = repository.served_instead.get(path, CONTENTS.get(path))
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_arguments: object) -> None:
                """Say nothing on stderr."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self.server.server_port}/repository"

    def times_fetched(self, name: str) -> int:
        return sum(path.endswith(f"/{name}") for path in self.asked)


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    served = Repository()
    thread = threading.Thread(target=served.server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("MYELOWATCH_MAVEN_REPOSITORY", served.address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    lines = ["# a comment"]
    for path, content in CONTENTS.items():
        group, artifact, version = path.rsplit("/", 3)[:3]
        sha256 = hashlib.sha256(content).hexdigest()
        lines.append(f"{sha256} {len(content):>9} {group.replace('/', '.')}:{artifact}:{version}")
    (tmp_path / "jars.lock").write_text("\n".join(lines) + "\n")
    return tmp_path / "jars.lock"


def fetch(lock_file: Path, cache: Path) -> tuple[list[Path], list[tuple[int, int]]]:
    shown: list[tuple[int, int]] = []
    paths = provide_jars(read_jar_lock(lock_file), cache, lambda done, total: shown.append((done, total)))
    return paths, shown


def test_the_first_time_fetches_and_the_second_asks_nobody(
    repository: Repository, lock_file: Path, tmp_path: Path
) -> None:
    paths, shown = fetch(lock_file, tmp_path / "cache")
    assert [path.name for path in paths] == ["kafka_2.13-4.3.1.jar", "left-1.jar", "right-2.jar"]
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    total = sum(map(len, CONTENTS.values()))
    assert shown[0] == (0, total)
    assert shown[-1] == (total, total)

    repository.asked.clear()
    again, shown = fetch(lock_file, tmp_path / "cache")
    assert again == paths
    assert (repository.asked, shown) == ([], [])


def test_what_is_fetched_with_another_sum_is_refused_and_not_kept(
    repository: Repository, lock_file: Path, tmp_path: Path
) -> None:
    repository.served_instead["org/example/left/1/left-1.jar"] = b"something else"
    with pytest.raises(BrokerUnusableError, match=r"not the org\.example:left:1 that the lock names"):
        fetch(lock_file, tmp_path / "cache")
    assert not (tmp_path / "cache" / "jars" / "left-1.jar").exists()
    assert not list((tmp_path / "cache" / "jars").glob(".incoming-*"))

    repository.served_instead.clear()
    paths, _ = fetch(lock_file, tmp_path / "cache")
    assert len(paths) == 3


def test_a_kept_jar_that_was_changed_is_refused_and_left_for_a_look(
    repository: Repository, lock_file: Path, tmp_path: Path
) -> None:
    paths, _ = fetch(lock_file, tmp_path / "cache")
    paths[1].write_bytes(b"changed")
    with pytest.raises(BrokerUnusableError, match="Remove the file and start again"):
        fetch(lock_file, tmp_path / "cache")
    assert paths[1].read_bytes() == b"changed"
    assert repository.times_fetched("left-1.jar") == 1


def test_a_connection_that_breaks_off_is_tried_again(repository: Repository, lock_file: Path, tmp_path: Path) -> None:
    repository.failures_to_come = 2
    paths, _ = fetch(lock_file, tmp_path / "cache")
    assert len(paths) == 3


def test_a_repository_that_is_away_is_a_sentence_that_says_what_to_do(
    lock_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYELOWATCH_MAVEN_REPOSITORY", "http://127.0.0.1:9/nobody")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(BrokerUnusableError, match=r"Could not fetch .*HTTPS_PROXY.*MYELOWATCH_MAVEN_REPOSITORY"):
        fetch(lock_file, tmp_path / "cache")


def test_without_the_extra_the_sentence_names_it(
    lock_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(BrokerUnusableError, match=r"myelowatch\[broker\]"):
        fetch(lock_file, tmp_path / "cache")


def test_several_processes_at_once_fetch_each_jar_once(repository: Repository, lock_file: Path, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from streams.broker.jars import provide_jars, read_jar_lock\n"
        "lock, cache = map(pathlib.Path, sys.argv[1:])\n"
        "provide_jars(read_jar_lock(lock), cache, lambda done, total: None)\n"
    )
    with contextlib.ExitStack() as running:
        processes = [
            running.enter_context(subprocess.Popen([sys.executable, "-c", program, lock_file, tmp_path / "cache"]))
            for _ in range(4)
        ]
        assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]
    assert [repository.times_fetched(Path(path).name) for path in CONTENTS] == [1, 1, 1]
    kept = tmp_path / "cache" / "jars"
    assert sorted(path.name for path in kept.iterdir()) == [
        ".lock",
        "kafka_2.13-4.3.1.jar",
        "left-1.jar",
        "right-2.jar",
    ]


def test_what_a_killed_process_left_is_cleared(repository: Repository, lock_file: Path, tmp_path: Path) -> None:
    left_over = tmp_path / "cache" / "jars" / ".incoming-1"
    left_over.mkdir(parents=True)
    (left_over / "half.jar").write_bytes(b"hal")
    fetch(lock_file, tmp_path / "cache")
    assert not left_over.exists()


@pytest.mark.parametrize(
    ("what_is_wrong", "line"),
    [
        ("a column is missing", "ab org.example:left:1"),
        ("the sum is short", "abcd 4 org.example:left:1"),
        ("the sum is not hexadecimal", f"{'x' * 64} 4 org.example:left:1"),
        ("the name has no version", f"{'a' * 64} 4 org.example:left"),
    ],
)
def test_a_lock_that_cannot_be_read_is_refused_with_its_line(lock_file: Path, what_is_wrong: str, line: str) -> None:
    with lock_file.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BrokerUnusableError, match="line 5"):
        read_jar_lock(lock_file)


def test_the_committed_lock_names_apache_kafka_with_its_binding_for_logs() -> None:
    lock: JarLock = read_jar_lock(kafka_file("jars.lock"))
    by_name: dict[str, LockedJar] = {jar.artifact: jar for jar in lock.jars}
    assert lock.kafka_version == by_name["kafka-clients"].version, "a mixture of versions does not start"
    assert by_name["log4j-slf4j-impl"].version == by_name["log4j-core"].version
    assert len({jar.file_name for jar in lock.jars}) == len(lock.jars), "in one folder, no name may stand twice"
    assert "://" not in kafka_file("jars.lock").read_text()
