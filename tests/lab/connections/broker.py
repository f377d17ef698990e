"""What happens to the RabbitMQ nodes: each act bounded, each undone, all done by process id."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.lab.scenario.lab import until
from tests.lab.servers import processes
from tests.lab.servers.processes import answers
from tests.lab.servers.rabbitmq.settings import NODES, STATE, Node
from tests.lab.servers.rabbitmq.start import start
from tests.lab.servers.rabbitmq.stop import stop


def erlang_pid(node: Node) -> int:
    """The process that is the broker; the lab's own pid file names the shell around it."""
    return int((STATE / "pids" / f"{node.short_name}.beam").read_text())


def crash(node: Node) -> None:
    """``kill -9``: the node logs nothing of its end."""
    os.kill(erlang_pid(node), signal.SIGKILL)
    until(lambda: node.process.pid() is None, seconds=20, what=f"{node.short_name} gone")


def bring_back(*nodes: Node) -> None:
    """Start nodes that are away; the cluster is whole again afterwards."""
    start(nodes)
    until(lambda: all(running(node) for node in NODES), seconds=120, what="all RabbitMQ nodes up", every=1.0)


def restart(node: Node) -> None:
    """An orderly stop and start."""
    stop([node])
    bring_back(node)


def running(node: Node) -> bool:
    """Whether the process lives and its management API answers."""
    return node.process.pid() is not None and answers(f"http://127.0.0.1:{node.management_port}/")


def frozen(node: Node, *, seconds: float) -> AbstractContextManager[None]:
    """SIGSTOP for the length of the block, at most so long: peers give a node up after 45 to 75 seconds."""
    return processes.frozen(erlang_pid(node), seconds=seconds)


@contextmanager
def memory_alarm(node: Node) -> Iterator[None]:
    """A memory alarm for the length of the block: publishers on every node are blocked."""
    node.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        yield
    finally:
        node.control("set_vm_memory_high_watermark", "0.4")


@contextmanager
def settings(node: Node, **values: object) -> Iterator[None]:
    """Settings of the broker changed at run time, for what connects meanwhile."""
    before = node.control("eval", f"[application:get_env(rabbit, K) || K <- [{', '.join(values)}]].").strip()
    node.control("eval", " , ".join(f"application:set_env(rabbit, {k}, {v})" for k, v in values.items()) + ".")
    try:
        yield
    finally:
        undo = f"[case V of {{ok, Old}} -> application:set_env(rabbit, K, Old); undefined -> application:unset_env(rabbit, K) end || {{K, V}} <- lists:zip([{', '.join(values)}], {before})]."
        node.control("eval", undo)


def said_of_alarm(node: Node, since: int) -> bool:
    """Whether the node's log tells of an alarm after a place in it."""
    with Path(node.log).open("rb") as log:
        log.seek(since)
        return b"alarm set on node" in log.read()


def log_size(node: Node) -> int:
    """Length of a node's log so far."""
    return Path(node.log).stat().st_size


def pause(seconds: float) -> None:
    """Time that the broker's statistics (5 s) or a client needs."""
    time.sleep(seconds)
