"""What exit codes and signals mean, in words."""

from __future__ import annotations

import signal as signals

_CODES = {
    0: "ended by itself without error",
    1: "ended by itself with an error (exit code 1)",
    2: "misuse of a shell command, or an application's own code 2 (Go: panic)",
    125: "the container runtime could not run the container",
    126: "the command was found but could not be run (permission, or no executable)",
    127: "the command was not found in the image",
    128: "the container could not be started, or exit was called with a wrong argument",
    255: "exit code out of range, or lost: often the node or the runtime was restarted",
}
_SIGNALS = {
    6: "aborted (SIGABRT): an assertion, a runtime's fatal error",
    9: "killed (SIGKILL): out of memory, the grace period ran out, or by hand",
    11: "invalid memory access (SIGSEGV)",
    13: "wrote to a closed pipe (SIGPIPE)",
    15: "asked to stop (SIGTERM) and ended by it",
}


def signal_of(exit_code: int | None, reported: int | None) -> int | None:
    """The signal that ended a process: as reported, else exit code - 128 where that is a signal."""
    if reported:
        return reported
    if exit_code is not None and 128 < exit_code < 128 + 65:
        return exit_code - 128
    return None


def meaning(reason: str | None, exit_code: int | None, reported: int | None = None) -> str | None:
    """What an end means; None where nothing is known of it."""
    if reason == "OOMKilled":
        told = "the kernel killed a process of the container for exceeding its memory limit"
        if exit_code not in (None, 137):
            # Measured: a child is killed, the main process goes on and ends with a code of its own.
            return f"{told}; the main process then ended with exit code {exit_code}"
        return told
    if reason == "ContainerStatusUnknown":
        return "the kubelet lost the container (node restart, runtime lost); its true end is not known"
    if reason == "Evicted":
        return "the kubelet or the API evicted the pod"
    if reason in ("ContainerCannotRun", "StartError", "RunContainerError"):
        return "the container could not be started"
    if exit_code is None:
        return None
    number = signal_of(exit_code, reported)
    if number is not None:
        return _SIGNALS.get(number) or f"ended by {_name(number)}"
    return _CODES.get(exit_code, f"ended by itself with the application's exit code {exit_code}")


def _name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"
