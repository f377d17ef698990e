"""The lab's background processes: bounded waits that show the log, and stopping only what was started."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.servers.packages import wanted
from tests.lab.servers.processes import LabError, Process, fetch, run, supervise
from tests.lab.servers.register import SERVERS, choose, with_needs
from tests.lab.servers.stamp import Stamp

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def process(tmp_path: Path):
    process = Process("sleeper", tmp_path)
    yield process
    process.stop()


def test_a_started_process_is_left_alone_by_a_second_start(process: Process) -> None:
    process.spawn(*SLEEP)
    first = process.pid()
    process.spawn(*SLEEP)
    assert first is not None
    assert process.pid() == first


def test_stopping_ends_the_process_even_if_it_ignores_being_asked(process: Process) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    )
    process.spawn(sys.executable, "-c", stubborn)
    process.wait(lambda: process.log.read_text(), seconds=20, what="ready")
    process.stop(seconds=0.2)
    assert process.pid() is None
    assert not process.pid_file.exists()


def test_a_pid_file_of_an_earlier_process_with_the_same_number_means_nothing(process: Process) -> None:
    process.spawn(*SLEEP)
    pid = process.pid()
    other = Process("other", process.folder)
    other.pid_file.write_text(f"{pid} 1\n")
    other.stop()
    assert process.pid() == pid


def test_a_process_that_ends_between_the_question_and_the_signal_is_stopped(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    answers = iter([ended.pid])
    monkeypatch.setattr(Process, "pid", lambda _: next(answers, None))
    process.stop()


def test_a_process_that_dies_while_waited_for_is_an_error_with_its_last_words(process: Process) -> None:
    process.spawn(sys.executable, "-c", "raise SystemExit('no such jar')")
    with pytest.raises(LabError, match="no such jar"):
        process.wait(lambda: False, seconds=20, what="answers")


def test_a_supervised_process_is_started_again_until_it_stays(process: Process) -> None:
    tries = process.folder / "tries"
    code = (
        f"import pathlib, time; p = pathlib.Path({str(tries)!r}); n = len(p.read_text()) if p.exists() else 0; "
        "p.write_text('x' * (n + 1)); print('up' if n == 2 else 'too early', flush=True); n < 2 and exit(1); time.sleep(60)"
    )

    def wait() -> None:
        process.wait(lambda: process.log.read_text().endswith("up\n"), seconds=20, what="up")

    supervise(process, lambda: process.spawn(sys.executable, "-c", code), wait, times=3)
    assert process.pid()
    assert tries.read_text() == "xxx"
    process.stop()
    tries.unlink()
    process.log.unlink()
    with pytest.raises(LabError, match="ended before: up"):
        supervise(process, lambda: process.spawn(sys.executable, "-c", code), wait, times=2)


def test_a_process_that_is_late_is_an_error_and_not_a_pass(process: Process) -> None:
    process.spawn(*SLEEP)
    with pytest.raises(LabError, match="not within 0 s: answers"):
        process.wait(lambda: False, seconds=0.1, what="answers")


def test_a_port_held_by_someone_else_is_named_instead_of_taken_for_ours(process: Process) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LabError, match=f"port {port}"):
            process.spawn(*SLEEP, port=port)
    assert process.pid() is None


def test_a_failed_command_says_what_it_said() -> None:
    with pytest.raises(LabError, match=r"exit 3.*\nout of luck"):
        run(sys.executable, "-c", "import sys; print('out of luck'); sys.exit(3)")


def test_a_download_is_tried_again_and_fails_when_it_always_does(tmp_path: Path) -> None:
    code = f"import pathlib; p = pathlib.Path({str(tmp_path)!r}) / 'x'; p.exists() or (p.touch(), exit('no route')); print('whole')"
    assert fetch(sys.executable, "-c", code, pause=0) == "whole\n"
    with pytest.raises(LabError, match="no route"):
        fetch(sys.executable, "-c", "exit('no route')", pause=0)


def test_a_build_is_fresh_until_a_source_changes(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "main.go").write_text("package main")
    stamp = Stamp(tmp_path / "built", sources)
    assert not stamp.fresh()
    stamp.write()
    assert stamp.fresh()
    (sources / "main.go").write_text("package other")
    assert not stamp.fresh()


def test_argo_cd_brings_kubernetes_and_starts_after_it() -> None:
    assert [server.name for server in with_needs(choose(["argocd"]))] == ["kubernetes", "argocd"]


def test_an_unknown_server_is_named_with_those_there_are() -> None:
    with pytest.raises(LabError, match="no such server: mongodb; there are elasticsearch"):
        choose(["mongodb"])


def test_every_server_of_the_lab_has_a_name_of_its_own() -> None:
    assert len({server.name for server in SERVERS}) == len(SERVERS) == 5


def test_debian_packages_are_listed_once_and_sorted() -> None:
    assert wanted() == sorted(set(wanted()))
