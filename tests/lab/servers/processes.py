"""Background processes of the lab: started once, watched with a bound, stopped by process id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG_TAIL_LINES = 25
#: Bounds are written down as two idle cores need them at most. They end what would never end and measure nothing, so each
#: is taken so many times: a machine that is slow or busy is no fault of what is waited for.
PATIENCE = 4


class LabError(Exception):
    """Something of the lab could not be built, started or stopped; the message says what and shows the log."""


def run(
    *command: object,
    seconds: float = 60,
    check: bool = True,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command to its end and return its standard output; failure and overrun show what it said."""
    words, seconds = [str(word) for word in command], seconds * PATIENCE
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, input=stdin, timeout=seconds, cwd=cwd, check=False,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise LabError(f"not done within {seconds:.0f} s: {' '.join(words)}") from error
    if check and done.returncode:
        said = (done.stdout + done.stderr)[-4000:]
        raise LabError(f"exit {done.returncode}: {' '.join(words)}\n{said}")
    return done.stdout


def fetch(*command: object, times: int = 3, pause: float = 10, **more: Any) -> str:
    """Run a command that downloads, as `run` does; a registry that fails for a moment is asked again.

    Only for installing and building: what fails each time is an error, and nothing that is tested is tried twice.
    """
    for attempt in range(1, times):
        try:
            return run(*command, **more)
        except LabError as error:
            print(f"tried again in {pause * attempt:.0f} s: {str(error).splitlines()[0][:200]}", flush=True)
            time.sleep(pause * attempt)
    return run(*command, **more)


def _start_time(pid: int) -> str | None:
    """When the kernel started a process; None when it is gone (a zombie counts as gone)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


@dataclass(frozen=True)
class Process:
    """One background process, known by a pid file that also holds its start time (pids are reused)."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """What the process prints."""
        return self.folder / "log" / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """First word: the pid; second: its start time."""
        return self.folder / "pids" / f"{self.name}.pid"

    def pid(self) -> int | None:
        """The process id while the process lives."""
        try:
            pid, start_time = self.pid_file.read_text().split()
        except FileNotFoundError:
            return None
        return int(pid) if _start_time(int(pid)) == start_time else None

    def spawn(
        self,
        *command: object,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start the process in a session of its own, unless it already lives.

        A ``port`` that someone else holds is an error here: what answers there would not be ours. It works in a folder
        of the lab: the caller's may be removed while the process lives, and then not even a relative path resolves.
        """
        if self.pid():
            return
        if port and is_taken(port):
            raise LabError(f"{self.name}: port {port} of 127.0.0.1 is taken by a process that is not the lab's")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, cwd=cwd or self.folder, env={**os.environ, **(environment or {})},
            )  # fmt: skip
        self.pid_file.write_text(f"{child.pid} {_start_time(child.pid)}\n")

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal, if the process lives; SIGKILL goes to its children as well."""
        if pid := self.pid():
            with contextlib.suppress(ProcessLookupError):  # it may end by itself between the question and the signal
                if number is signal.SIGKILL:
                    os.killpg(pid, number)
                else:
                    os.kill(pid, number)

    def stop(self, *, seconds: float = 20) -> None:
        """Ask the process to end, then make it."""
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 10.0)):
            self._signal(number)
            end = time.monotonic() + patience
            while self.pid() and time.monotonic() < end:
                time.sleep(0.1)
        if self.pid():
            raise LabError(f"{self.name} (pid {self.pid()}) does not end")
        self.pid_file.unlink(missing_ok=True)

    def log_tail(self) -> str:
        """The last lines of the log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"--- end of {self.log}", *lines[-LOG_TAIL_LINES:]])

    def wait(self, ready: Callable[[], object], *, seconds: float, what: str) -> None:
        """Wait until ready; a process that dies or is late is an error that shows its log."""
        seconds *= PATIENCE
        end = time.monotonic() + seconds
        while not ready():
            if self.pid() is None:
                raise LabError(f"{self.name} ended before: {what}\n{self.log_tail()}")
            if time.monotonic() > end:
                raise LabError(f"{self.name}: not within {seconds:.0f} s: {what}\n{self.log_tail()}")
            time.sleep(0.2)


def supervise(process: Process, spawn: Callable[[], None], wait: Callable[[], None], *, times: int = 3) -> None:
    """Start a process and wait for it; one that ended meanwhile is started again, as the supervisor does that it lacks here.

    Args:
        process: what is started.
        spawn: starts it; nothing to do for what lives.
        wait: returns when it is ready, raises `LabError` when it ended or is late.
        times: how often at most.
    """
    for attempt in range(1, times + 1):
        spawn()
        try:
            wait()
        except LabError as error:
            if attempt == times or process.pid():
                raise
            print(f"{process.name} is started again: {str(error).splitlines()[0]}", flush=True)
            time.sleep(1)
        else:
            return


def is_taken(port: int) -> bool:
    """Whether something listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str, *, seconds: float = 3) -> bool:
    """Whether a URL answers at all with something other than a server error (proxies are not asked)."""
    untrusting = ssl.create_default_context()
    untrusting.check_hostname, untrusting.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=untrusting)
    )
    try:
        with opener.open(url, timeout=seconds):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def succeeds(*command: object, environment: Mapping[str, str] | None = None) -> bool:
    """Whether a command ends with 0 within a few seconds."""
    try:
        run(*command, seconds=10, environment=environment)
    except LabError:
        return False
    return True


@contextmanager
def frozen(pid: int, *, seconds: float) -> Iterator[None]:
    """SIGSTOP for the length of the block, at most so long: a server's peers give it up after some time."""
    thaw = threading.Timer(seconds, os.kill, (pid, signal.SIGCONT))
    os.kill(pid, signal.SIGSTOP)
    thaw.start()
    try:
        yield
    finally:
        thaw.cancel()
        os.kill(pid, signal.SIGCONT)
