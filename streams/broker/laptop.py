"""A real Apache Kafka on this machine, of one node or three, with everything it keeps in one folder.

`LaptopKafka` is what the demo, the broker tests and the fault tests hold in their hands; the `myelowatch broker`
commands are a thin skin over it. Several may run at once in different folders. Several processes may hold a
`LaptopKafka` of the *same* folder: what they need to know of each other stands in the state file, and changes are made
one at a time under a lock.

It refuses to know what is in the topics. It never touches a process that it did not start itself.
"""

import base64
import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from streams.broker.jars import provide_jars, read_jar_lock
from streams.broker.java import find_java
from streams.broker.node_question import serves
from streams.broker.places import cache_folder, kafka_file
from streams.broker.process_marks import ProcessMark, is_alive, is_paused, mark_of, send_signal, wait_until_gone
from streams.broker.refusals import BrokerFailedError, BrokerUnusableError
from streams.broker.state_file import BrokerState, NodeState, read_state, write_state

LOOPBACK = "127.0.0.1"
#: Below the range from which Linux (32768 up) and macOS (49152 up) take the local ports of *outgoing* connections. A
#: client that keeps knocking at the port of a killed broker can otherwise be given that very port for its own end,
#: connect to itself, and keep the broker from coming back.
PORTS = range(20_000, 32_000)
#: Another process may take a port between our choice and the broker's; five unlucky draws in a row have another cause.
START_ATTEMPTS = 5
#: A cold start takes 3 s on a small machine; one that takes a minute will not come.
START_LIMIT_SECONDS = 60.0
#: How long an order to stop may take before the node is killed, which loses nothing: what was confirmed lies with the
#: operating system. One node takes 0.3 s; the last of three waits in vain for the others.
STOP_LIMIT_SECONDS = {1: 6.0, 3: 2.0}
#: How long the operating system may take to carry out a signal that cannot be refused.
SIGNAL_LIMIT_SECONDS = 10.0
LOG_TAIL_LINES = 15
#: By number of nodes: a single node has room for the tests' many topics, three must fit beside everything else.
HEAP_MEGABYTES = {1: 512, 3: 384}


@dataclass(frozen=True, slots=True)
class NodeReport:
    """How one node is now."""

    node: int
    port: int
    pid: int | None
    alive: bool
    paused: bool
    answering: bool


@dataclass(frozen=True, slots=True)
class BrokerReport:
    """How the broker is now; `answering` means that every node serves clients."""

    folder: Path
    kafka_version: str
    bootstrap: str
    nodes: tuple[NodeReport, ...]

    @property
    def running(self) -> bool:
        """At least one node is alive."""
        return any(node.alive for node in self.nodes)

    @property
    def answering(self) -> bool:
        """Every node serves clients."""
        return bool(self.nodes) and all(node.answering for node in self.nodes)


class LaptopKafka:
    """The laptop broker whose state is in `folder`.

    `nodes` is 1 or 3; None takes what the folder was made for, else 1. With `die_with_parent` the broker is killed
    when this process ends in whatever way; `lives_with` names another process instead (for instance the one that
    started all the workers of a test run). `log` receives a sentence for each step that takes time; `progress` the
    bytes done and in all while Kafka is fetched for the first time.
    """

    def __init__(
        self,
        folder: Path | str,
        nodes: int | None = None,
        *,
        log: Callable[[str], None] | None = None,
        progress: Callable[[int, int], None] | None = None,
        die_with_parent: bool = False,
        lives_with: int | None = None,
    ) -> None:
        if nodes not in {None, *HEAP_MEGABYTES}:
            raise BrokerUnusableError(f"The laptop broker has 1 node or 3, not {nodes}.")
        self.folder = Path(folder).absolute()
        self._nodes_wanted = nodes
        self._log = log or (lambda _sentence: None)
        self._progress = progress or (lambda _done, _total: None)
        self._lives_with = os.getpid() if die_with_parent else lives_with
        #: Children of this process, which it has to collect when they end; others are collected by the system.
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    # --- what it tells ------------------------------------------------------------------------------------------------

    @property
    def bootstrap(self) -> str:
        """The addresses that clients are given: `127.0.0.1:port`, with commas between three."""
        return _bootstrap(self._known_state())

    def report(self) -> BrokerReport | None:
        """How it is now, or None if no broker was ever started in this folder."""
        state = read_state(self.folder)
        if state is None:
            return None
        self._collect_children()
        return BrokerReport(
            folder=self.folder,
            kafka_version=state.kafka_version,
            bootstrap=_bootstrap(state),
            nodes=tuple(
                NodeReport(
                    node=node.number,
                    port=node.port,
                    pid=node.process.pid if node.process and is_alive(node.process) else None,
                    alive=node.process is not None and is_alive(node.process),
                    paused=node.process is not None and is_paused(node.process),
                    answering=_serves(state, node),
                )
                for node in state.nodes
            ),
        )

    # --- the whole broker ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, or what is missing of it, and return when it really answers; nothing happens if it already does."""
        with self._one_change_at_a_time():
            state = read_state(self.folder)
            if state is not None:
                self._refuse_other_size(state)
            java, class_path = self._program()
            if state is not None and any(_runs(node) for node in state.nodes):
                self._start_missing_nodes(state, java, class_path)
                return
            self._start_all(state, java, class_path)

    def stop(self) -> bool:
        """Stop it in order, or by force after a while; True if anything was running."""
        with self._one_change_at_a_time():
            state = read_state(self.folder)
            if state is None:
                return False
            was_running = any(_runs(node) for node in state.nodes)
            self._stop_nodes(state)
            return was_running

    # --- single nodes, for tests of faults -----------------------------------------------------------------------------

    def kill(self, node: int = 1) -> None:
        """End a node at once (SIGKILL), as a power cut would; its data stay."""
        with self._one_change_at_a_time():
            state = self._known_state()
            self._kill_node(_node(state, node))
            write_state(self.folder, state)

    def restart(self, node: int = 1, *, wait: bool = True) -> None:
        """Start a node again on the same port and data, stopping it first if it runs.

        `wait=False` returns while the node is still coming up: with two of three nodes dead it cannot answer.
        """
        with self._one_change_at_a_time():
            state = self._known_state()
            which = _node(state, node)
            self._stop_nodes(state, only=which)
            java, class_path = self._program()
            for attempt in range(1, START_ATTEMPTS + 1):
                self._launch(state, which, java, class_path)
                if not wait:
                    return
                try:
                    self._wait_until_answering(state, {which.number})
                except _PortTakenError:
                    # The port is this node's own: whoever holds it (a connection on its way out) will let go.
                    if attempt == START_ATTEMPTS:
                        raise
                    time.sleep(0.5)
                else:
                    return

    def pause(self, node: int = 1) -> None:
        """Hold a node (SIGSTOP): to its clients a broker that has become endlessly slow."""
        mark = self._signal_node(node, signal.SIGSTOP)
        deadline = time.monotonic() + SIGNAL_LIMIT_SECONDS
        while is_alive(mark) and not is_paused(mark):  # the signal is delivered a moment after it was sent
            if time.monotonic() >= deadline:
                raise BrokerFailedError(f"Node {node} could not be paused.")
            time.sleep(0.005)

    def resume(self, node: int = 1) -> None:
        """Let a paused node go on."""
        self._signal_node(node, signal.SIGCONT)

    def wait_until_answering(self, seconds: float = START_LIMIT_SECONDS) -> None:
        """Wait until every node serves clients, for instance after `resume`."""
        state = self._known_state()
        self._wait_until_answering(state, {node.number for node in state.nodes}, seconds)

    # --- starting -------------------------------------------------------------------------------------------------------

    def _program(self) -> tuple[Path, list[Path]]:
        """The Java and the checked jars; fetches them when they are not there yet."""
        lock = read_jar_lock(kafka_file("jars.lock"))
        return find_java(), provide_jars(lock, cache_folder(), self._progress)

    def _refuse_other_size(self, state: BrokerState) -> None:
        if self._nodes_wanted is not None and self._nodes_wanted != len(state.nodes):
            raise BrokerUnusableError(
                f"The broker in {self.folder} was made with {len(state.nodes)} node(s), not {self._nodes_wanted}: use "
                "another state folder (MYELOWATCH_STATE), or stop it and remove this one."
            )

    def _start_missing_nodes(self, state: BrokerState, java: Path, class_path: list[Path]) -> None:
        for node in state.nodes:
            if not _runs(node):
                self._launch(state, node, java, class_path)
        self._wait_until_answering(state, {node.number for node in state.nodes})

    def _start_all(self, state: BrokerState | None, java: Path, class_path: list[Path]) -> None:
        began = time.monotonic()
        for attempt in range(START_ATTEMPTS):
            if state is None:
                state = _new_state(self._nodes_wanted or 1)
            elif attempt or not all(_is_free(node.port) and _is_free(node.controller_port) for node in state.nodes):
                _draw_ports(state)
            state.run += 1
            try:
                for node in state.nodes:
                    self._write_settings(state, node, java, class_path)
                self._format(state, java)
                self._log(f"Starting Apache Kafka {state.kafka_version}, {_counted(len(state.nodes), 'node')} ...")
                for node in state.nodes:
                    self._launch(state, node, java, class_path)
                self._post_watchdog(state)
                self._wait_until_answering(state, {node.number for node in state.nodes})
            except _PortTakenError:
                self._stop_nodes(state)
                continue
            except BaseException:
                # Also on Ctrl-C: nothing half-started stays behind.
                self._stop_nodes(state, by_force=True)
                raise
            self._log(f"Kafka answers at {_bootstrap(state)} after {time.monotonic() - began:.1f} s.")
            return
        raise BrokerFailedError(
            f"Kafka found its ports taken {START_ATTEMPTS} times in a row; its log is {self._log_path(1)}."
        )

    def _write_settings(self, state: BrokerState, node: NodeState, java: Path, class_path: list[Path]) -> None:
        """Lay out the folder of a node: settings, and the arguments that Java reads from a file.

        The arguments are in a file because 46 paths would make every list of processes unreadable; the name of that
        file in the list tells which broker a process belongs to.
        """
        folder = self._node_folder(node.number)
        # The compression libraries unpack native code here; after a kill it would pile up in the common one.
        shutil.rmtree(folder / "tmp", ignore_errors=True)
        (folder / "tmp").mkdir(parents=True)
        copies = len(state.nodes)
        template = Template(kafka_file("laptop.properties").read_text(encoding="utf-8"))
        settings = template.substitute(
            node=node.number,
            voters=",".join(f"{each.number}@{LOOPBACK}:{each.controller_port}" for each in state.nodes),
            port=node.port,
            controller_port=node.controller_port,
            data=_escaped_for_properties(folder / "data"),
            copies=copies,
            confirmed_copies=min(2, copies),
        )
        (folder / "server.properties").write_text(settings, encoding="utf-8")
        options = [
            line
            for line in kafka_file("laptop-jvm.options").read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith("#")
        ]
        arguments = [
            f"-Xmx{HEAP_MEGABYTES[copies]}m",
            *options,
            f"-Djava.io.tmpdir={folder / 'tmp'}",
            f"-Dmyelowatch.node={folder}",
            f"-Dlog4j2.configurationFile={kafka_file('laptop-log4j2.xml')}",
            "-cp",
            os.pathsep.join(map(str, class_path)),
        ]
        text = "\n".join(_escaped_for_java(argument) for argument in arguments) + "\n"
        (folder / "java.arguments").write_text(text, encoding="utf-8")

    def _format(self, state: BrokerState, java: Path) -> None:
        """Give empty data folders the identity of this cluster; those that have one are left alone."""
        fresh = [node for node in state.nodes if not (self._node_folder(node.number) / "data/meta.properties").exists()]
        running = []
        for node in fresh:
            folder = self._node_folder(node.number)
            shutil.rmtree(folder / "data", ignore_errors=True)  # of a formatting that was broken off
            settings = str(folder / "server.properties")
            running.append(
                subprocess.Popen(
                    _java_command(
                        java, folder, "kafka.tools.StorageTool", "format", "-t", state.cluster_id, "-c", settings
                    ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=_clean_environment(os.environ),
                )
            )
        for process in running:
            said, _ = process.communicate(timeout=START_LIMIT_SECONDS)
            if process.returncode != 0:
                raise BrokerFailedError(
                    f"Kafka could not prepare its data folder in {self.folder}:\n{_tail(said.decode())}"
                )

    def _launch(self, state: BrokerState, node: NodeState, java: Path, class_path: list[Path]) -> None:
        """Start the process of one node and write down that it is ours."""
        self._write_settings(state, node, java, class_path)
        folder = self._node_folder(node.number)
        with (folder / "console.log").open("wb") as console:
            child = subprocess.Popen(
                _java_command(java, folder, "kafka.Kafka", str(folder / "server.properties")),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_clean_environment(os.environ),
                # Its own session: Ctrl-C in the terminal is for whoever started it, who then stops it in order.
                start_new_session=True,
            )
        self._children[child.pid] = child
        node.process = mark_of(child.pid)
        write_state(self.folder, state)

    def _post_watchdog(self, state: BrokerState) -> None:
        if self._lives_with is None:
            return
        watched = mark_of(self._lives_with)
        if watched is None:
            raise BrokerFailedError(f"The process {self._lives_with}, with which this broker was to live, is gone.")
        with (self.folder / "watchdog.log").open("wb") as said:
            arguments = [str(self.folder), str(state.run), str(watched.pid), watched.born]
            child = subprocess.Popen(
                [sys.executable, "-m", "streams.broker.watchdog", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                # Python finds the package here whether it is installed or a checkout.
                cwd=Path(__file__).resolve().parents[2],
                start_new_session=True,
            )
        self._children[child.pid] = child
        state.watchdog = mark_of(child.pid)
        write_state(self.folder, state)

    def _wait_until_answering(
        self, state: BrokerState, numbers: set[int], seconds: float = START_LIMIT_SECONDS
    ) -> None:
        """Wait until the nodes serve clients: each answers itself, and the controller has let it in."""
        deadline = time.monotonic() + seconds
        waiting = [node for node in state.nodes if node.number in numbers]
        while True:
            self._collect_children()
            for node in waiting:
                if not _runs(node):
                    self._explain_death(node)
            if all(_serves(state, node) for node in waiting):
                return
            if time.monotonic() >= deadline:
                raise BrokerFailedError(
                    f"Kafka did not answer at {_bootstrap(state)} within {seconds:.0f} s. The end of its log "
                    f"({self._log_path(waiting[0].number)}):\n{self._log_tail(waiting[0].number)}"
                )
            time.sleep(0.05)

    def _explain_death(self, node: NodeState) -> None:
        tail = self._log_tail(node.number)
        if "Address already in use" in tail or "BindException" in tail:
            raise _PortTakenError(f"Port {node.port} or {node.controller_port} was taken by another program.")
        raise BrokerFailedError(
            f"Kafka (node {node.number}) ended while it was starting. The end of its log "
            f"({self._log_path(node.number)}):\n{tail}"
        )

    # --- stopping -------------------------------------------------------------------------------------------------------

    def _stop_nodes(self, state: BrokerState, only: NodeState | None = None, *, by_force: bool = False) -> None:
        nodes = [only] if only is not None else state.nodes
        marks = [node.process for node in nodes if node.process is not None]
        for mark in marks:
            send_signal(mark, signal.SIGKILL if by_force else signal.SIGTERM)
            send_signal(mark, signal.SIGCONT)  # a paused process hears nothing else
        deadline = time.monotonic() + STOP_LIMIT_SECONDS[len(nodes)]
        for mark in marks:
            if not self._wait_until_gone(mark, max(0.0, deadline - time.monotonic())):
                send_signal(mark, signal.SIGKILL)
                self._wait_until_gone(mark, SIGNAL_LIMIT_SECONDS)
        for node in nodes:
            node.process = None
        if only is None and state.watchdog is not None:
            send_signal(state.watchdog, signal.SIGTERM)
            self._wait_until_gone(state.watchdog, 2.0)
            state.watchdog = None
        if self.folder.exists():
            write_state(self.folder, state)

    def _kill_node(self, node: NodeState) -> None:
        if node.process is None or not send_signal(node.process, signal.SIGKILL):
            raise BrokerFailedError(f"Node {node.number} is not running.")
        self._wait_until_gone(node.process, SIGNAL_LIMIT_SECONDS)
        node.process = None

    def _signal_node(self, number: int, what: signal.Signals) -> ProcessMark:
        node = _node(self._known_state(), number)
        if node.process is None or not send_signal(node.process, what):
            raise BrokerFailedError(f"Node {number} is not running.")
        return node.process

    def _wait_until_gone(self, mark: ProcessMark, seconds: float) -> bool:
        gone = wait_until_gone(mark, seconds)
        self._collect_children()
        return gone

    def _collect_children(self) -> None:
        """Collect those that have ended, so that no zombie stays."""
        for pid, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[pid]

    # --- the folder -----------------------------------------------------------------------------------------------------

    def _known_state(self) -> BrokerState:
        state = read_state(self.folder)
        if state is None:
            raise BrokerFailedError(f"No broker was started in {self.folder}: `myelowatch broker start` starts one.")
        return state

    def _node_folder(self, number: int) -> Path:
        return self.folder / f"node-{number}"

    def _log_path(self, number: int) -> Path:
        return self._node_folder(number) / "server.log"

    def _log_tail(self, number: int) -> str:
        """The last lines of what the node logged, and of what it said before it could log."""
        parts = []
        for path in (self._log_path(number), self._node_folder(number) / "console.log"):
            with contextlib.suppress(OSError):
                parts.append(_tail(path.read_text(encoding="utf-8", errors="replace")))
        return "\n".join(part for part in parts if part)

    @contextlib.contextmanager
    def _one_change_at_a_time(self) -> Iterator[None]:
        """Hold the lock of this folder; the operating system lets go of it when a process dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_EX)
            yield


class _PortTakenError(BrokerFailedError):
    """A port was free when it was chosen and taken when the broker came."""


def _new_state(nodes: int) -> BrokerState:
    # Kafka's own form of an id: 16 random bytes in URL-safe base64 without padding, not beginning with a hyphen, which
    # its tools would take for an option.
    identity = "-"
    while identity.startswith("-"):
        identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    version = read_jar_lock(kafka_file("jars.lock")).kafka_version
    state = BrokerState(version, identity, [NodeState(number, 0, 0) for number in range(1, nodes + 1)])
    _draw_ports(state)
    return state


def _draw_ports(state: BrokerState) -> None:
    free: list[int] = []
    dice = random.SystemRandom()
    while len(free) < 2 * len(state.nodes):
        port = dice.choice(PORTS)
        if port not in free and _is_free(port):
            free.append(port)
    for node in state.nodes:
        node.port, node.controller_port = free.pop(), free.pop()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As Java's server sockets do: connections that are still winding down do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _serves(state: BrokerState, node: NodeState) -> bool:
    """The process lives, is not paused, and serves clients as a member of this cluster."""
    return (
        node.process is not None
        and is_alive(node.process)
        and not is_paused(node.process)
        and serves(LOOPBACK, node.port, cluster_id=state.cluster_id, node=node.number)
    )


def _runs(node: NodeState) -> bool:
    return node.process is not None and is_alive(node.process)


def _node(state: BrokerState, number: int) -> NodeState:
    for node in state.nodes:
        if node.number == number:
            return node
    raise BrokerFailedError(f"There is no node {number}; this broker has {_counted(len(state.nodes), 'node')}.")


def _bootstrap(state: BrokerState) -> str:
    return ",".join(f"{LOOPBACK}:{node.port}" for node in state.nodes)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _java_command(java: Path, node_folder: Path, *main_and_arguments: str) -> list[str]:
    return [str(java), f"@{node_folder / 'java.arguments'}", *main_and_arguments]


def _clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would change how this Java runs: another tool's options, another class path.

    The locale is fixed because Java takes the encoding of file names from it, and outside a UTF-8 locale cannot open a
    folder with a Korean name.
    """
    unwanted = {"CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}
    return {name: value for name, value in environment.items() if name not in unwanted} | {"LC_ALL": "C.UTF-8"}


def _escaped_for_java(argument: str) -> str:
    """Quote an argument for a Java argument file, where a backslash escapes inside quotes."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped_for_properties(path: Path) -> str:
    """A Java properties file is read as Latin-1 with backslash escapes; a folder may well have a Korean name."""
    return "".join(letter if letter.isascii() and letter != "\\" else _java_escapes(letter) for letter in str(path))


def _java_escapes(letter: str) -> str:
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])
