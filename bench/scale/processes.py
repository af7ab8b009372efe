"""What processes take of the machine, with those that they started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from bench.web.client import UnexpectedAnswerError

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 30.0
_POLL = 0.02


def tree(pid: int) -> list[int]:
    """Return a process and all below it, as far as they still are."""
    found = [pid]
    for parent in found:
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
            children = [(task / "children").read_text(encoding="ascii") for task in tasks]
        except OSError:
            continue
        found += [int(child) for text in children for child in text.split()]
    return found


def processor_s(pids: Sequence[int]) -> float:
    """Seconds of processor time of processes and all below them, those included that have ended and were waited for."""
    return sum(_seconds(each) for pid in pids for each in tree(pid))


def _seconds(pid: int) -> float:
    """Exactly of what runs, in ticks of 10 ms of what has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        tasks = [task / "schedstat" for task in Path(f"/proc/{pid}/task").iterdir()]
        running = sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks)
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return running / 1e9 + sum(map(int, fields[13:15])) / _TICKS  # cutime and cstime: proc(5), 16 and 17


def memory(pids: Sequence[int]) -> int:
    """Bytes in memory of processes and all below them; what several share is divided among them (``Pss``)."""
    return sum(_proportional(each) for pid in pids for each in tree(pid))


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


class Program:
    """A process of ours, with its log."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where it writes what it says."""
        return self.directory / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        """Whether it does."""
        return self.process is not None and self.process.poll() is None

    def launch(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- what the callers in this benchmark name
                command, cwd=self.directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def until(self, is_ready: Callable[[], bool], *, patience: float = _PATIENCE) -> None:
        """Wait until it is ready.

        Raises:
            UnexpectedAnswerError: If it ends, or is not in time.
        """
        limit = monotonic() + patience
        while monotonic() < limit:
            if not self.runs:
                raise UnexpectedAnswerError(f"{self.name} ended: {self.last_words()}")
            if is_ready():
                return
            sleep(_POLL)
        raise UnexpectedAnswerError(f"{self.name} is not ready within {patience:.0f} s: {self.last_words()}")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, *, patience: float = 15.0) -> None:
        """End it, in the end by force."""
        if self.process is None:
            return
        below = tree(self.process.pid)[1:]
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        if number == signal.SIGKILL:
            _kill(below)

    def last_words(self) -> str:
        """What it said last."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return " / ".join(lines[-3:]) or "nothing was said"


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@contextmanager
def ending(*programs: Program) -> Iterator[None]:
    """End programs after the block, the last first."""
    try:
        yield
    finally:
        for program in reversed(programs):
            program.end()
