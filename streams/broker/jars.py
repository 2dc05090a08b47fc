"""The jars of Apache Kafka: which ones, where they are kept, and that they are exactly those.

`deploy/kafka/jars.lock` names every jar with its size and sha256 sum, and no address: where packages come from is the
business of the machine (Maven Central unless `MYELOWATCH_MAVEN_REPOSITORY` names a mirror). Because the lock is
complete, nothing is *resolved* at run time: no version can drift, and a first start fetches 46 files instead of
walking a hundred project descriptions.

Every start reads every jar and compares its sum. One that differs is refused, never replaced in silence: somebody has
to look at it.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from streams.broker.refusals import BrokerUnusableError

#: Enough to hide the round trips of 46 small files, few enough to be a polite guest of a public server.
SIMULTANEOUS_DOWNLOADS = 4
#: Seconds without a byte before one download counts as failed.
DOWNLOAD_PATIENCE_SECONDS = 30
ATTEMPTS_A_JAR = 3


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One line of the lock: `sha256  bytes  group:artifact:version`."""

    sha256: str
    size_bytes: int
    group: str
    artifact: str
    version: str

    @property
    def coordinate(self) -> str:
        """The name by which Maven repositories know it."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """The name of the file in the cache, as it is named in every repository."""
        return f"{self.artifact}-{self.version}.jar"


@dataclass(frozen=True, slots=True)
class JarLock:
    """All jars of one Apache Kafka, in the order of the class path."""

    jars: tuple[LockedJar, ...]

    @property
    def kafka_version(self) -> str:
        """The version of Apache Kafka itself."""
        return next(jar.version for jar in self.jars if jar.coordinate.startswith("org.apache.kafka:kafka_"))


def read_jar_lock(path: Path) -> JarLock:
    """Read the lock; a line that is not of the known form is an error, because a skipped jar is a missing check."""
    jars = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            sha256, size, coordinate = line.split()
            group, artifact, version = coordinate.split(":")
            if len(bytes.fromhex(sha256)) != hashlib.sha256().digest_size:
                raise ValueError("a sha256 sum has 64 hexadecimal digits")
            jars.append(LockedJar(sha256, int(size), group, artifact, version))
        except ValueError as error:
            raise BrokerUnusableError(
                f"{path}, line {number}: not `sha256  bytes  group:artifact:version` ({error})."
            ) from error
    if not any(jar.artifact.startswith("kafka_") for jar in jars):
        raise BrokerUnusableError(f"{path} does not name Apache Kafka itself.")
    return JarLock(tuple(jars))


def sha256_of(path: Path) -> str:
    """The sum of a file, read in one go through the operating system's cache."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def provide_jars(lock: JarLock, cache: Path, progress: Callable[[int, int], None]) -> list[Path]:
    """Give the paths of all locked jars, fetching what is missing; each has been compared with its sum just now.

    `progress(done, total)` is called with bytes while something is fetched, and not at all when nothing is.
    Any number of processes may do this at once on one cache: a jar appears whole under its name or not at all, and
    one process fetches while the others wait for it.
    """
    folder = cache / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    if any(not (folder / jar.file_name).exists() for jar in lock.jars):
        with _only_one_fetches(folder):
            missing = [jar for jar in lock.jars if not (folder / jar.file_name).exists()]
            if missing:
                _fetch(missing, folder, progress)
    for jar in lock.jars:
        _refuse_unless_locked(jar, folder / jar.file_name)
    return [folder / jar.file_name for jar in lock.jars]


def _refuse_unless_locked(jar: LockedJar, path: Path) -> None:
    found = sha256_of(path)
    if found != jar.sha256:
        raise BrokerUnusableError(
            f"{path} is not the {jar.coordinate} that the lock names: its sha256 is {found}, not {jar.sha256}. "
            "It was not run. Remove the file and start again; if that ends here again, the place your packages "
            "come from serves another file under this name."
        )


@contextlib.contextmanager
def _only_one_fetches(folder: Path) -> Iterator[None]:
    """Hold the lock of the cache; the operating system lets go of it when a process dies."""
    with (folder / ".lock").open("a") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


def _fetch(missing: list[LockedJar], folder: Path, progress: Callable[[int, int], None]) -> None:
    """Fetch into a folder aside, compare, then rename into place."""
    for left_over in folder.glob(".incoming-*"):  # of a process that was killed: we hold the lock, so it is dead
        shutil.rmtree(left_over, ignore_errors=True)
    incoming = folder / f".incoming-{os.getpid()}"
    total = sum(jar.size_bytes for jar in missing)
    done = 0
    progress(done, total)
    try:
        with ThreadPoolExecutor(SIMULTANEOUS_DOWNLOADS) as pool:
            # Large ones first: the slowest download then does not begin last.
            ordered = sorted(missing, key=lambda jar: -jar.size_bytes)
            for jar, fetched in zip(ordered, pool.map(lambda jar: _fetch_one(jar, incoming), ordered), strict=True):
                _refuse_unless_locked(jar, fetched)
                fetched.replace(folder / jar.file_name)
                done += jar.size_bytes
                progress(done, total)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _fetch_one(jar: LockedJar, incoming: Path) -> Path:
    """Fetch one jar with jgo, which knows where Maven Central is and heeds proxy and certificate settings."""
    try:
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise BrokerUnusableError(
            "The laptop broker has to fetch Apache Kafka and lacks the package for it: install the extra `broker` "
            "(pip install 'myelowatch[broker]')."
        ) from error
    mirror = os.environ.get("MYELOWATCH_MAVEN_REPOSITORY")
    context = MavenContext(
        repo_cache=incoming,
        resolver=PythonResolver(),
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=DOWNLOAD_PATIENCE_SECONDS,
    )
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    failure: Exception | None = None
    for _ in range(ATTEMPTS_A_JAR):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; "not found" is a RuntimeError
            failure = error
            if artifact.cached_path is not None:
                artifact.cached_path.unlink(missing_ok=True)
    raise BrokerUnusableError(
        f"Could not fetch {jar.coordinate}: {failure}. The laptop broker fetches Apache Kafka once, about 45 MB from "
        "Maven Central: check the connection, name a proxy (HTTPS_PROXY) or its certificates (REQUESTS_CA_BUNDLE), "
        "or name a mirror (MYELOWATCH_MAVEN_REPOSITORY)."
    ) from failure
