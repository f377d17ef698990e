"""Stops the node, its containers and the control plane, and takes away what they left on the machine."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.lab.servers.kubernetes.settings import (
    API_SERVER,
    CONTAINERD_PROCESS,
    CONTROLLER_MANAGER,
    ETCD,
    KUBELET,
    POD_LOGS,
    REGISTRY_PROCESS,
    SCHEDULER,
    SERVED_LOGS,
    STATE,
    containers,
    kubectl,
)
from tests.lab.servers.processes import run


def _let_the_kubelet_end_its_pods() -> None:
    kubectl("delete", "pods", "--all-namespaces", "--all", "--grace-period=1", "--wait=false", check=False)
    end = time.monotonic() + 45
    while containers("tasks", "ls", "-q", check=False).split() and time.monotonic() < end:
        time.sleep(0.5)


def _end_remaining_containers() -> None:
    for task in containers("tasks", "ls", "-q", check=False).split():
        containers("tasks", "kill", "-s", "KILL", task, check=False)
        containers("tasks", "delete", "-f", task, check=False)
    for container in containers("containers", "ls", "-q", check=False).split():
        containers("containers", "delete", container, check=False)


def _clear_the_machine() -> None:
    """Mounts under the lab's folder, pods' network name spaces, links to their logs, their control groups."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((path for path in mounts if path.startswith(f"{STATE}/")), reverse=True):
        run("umount", "-l", mount, check=False)
    for line in run("ip", "netns", "list", check=False).splitlines():
        if line.startswith("cni-"):
            run("ip", "netns", "del", line.split()[0], check=False)
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{STATE}/"):
            link.unlink()
    if SERVED_LOGS.is_symlink() and SERVED_LOGS.readlink() == POD_LOGS:
        SERVED_LOGS.unlink()
    for group in (*Path("/sys/fs/cgroup").glob("*/kubepods"), Path("/sys/fs/cgroup/kubepods")):
        if group.is_dir():
            run("find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+", check=False)


def stop(*, clean: bool = False) -> None:
    """Stop everything; ``clean`` also forgets all objects, images and certificates."""
    CONTROLLER_MANAGER.stop()
    SCHEDULER.stop()
    if KUBELET.pid() and API_SERVER.pid() and CONTAINERD_PROCESS.pid():
        _let_the_kubelet_end_its_pods()
    KUBELET.stop()
    if CONTAINERD_PROCESS.pid():
        _end_remaining_containers()
    for process in (CONTAINERD_PROCESS, REGISTRY_PROCESS, API_SERVER, ETCD):
        process.stop()
    _clear_the_machine()
    if clean:
        shutil.rmtree(STATE, ignore_errors=True)
