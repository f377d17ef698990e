"""Kubernetes in the lab: a control plane and one node that runs containers, all on this machine."""

from __future__ import annotations

from pathlib import Path

from tests.lab.servers.folders import LAB
from tests.lab.servers.processes import Process, run

VERSION = "1.37.2"
FOLDER = LAB / "kubernetes"
PROGRAMS = FOLDER / "bin"
KUBECTL = PROGRAMS / "kubectl"
STATE = FOLDER / "state"
PKI = STATE / "pki"
KUBECONFIG = STATE / "admin.conf"
READER_KUBECONFIG = STATE / "reader.conf"
CONTAINERD = STATE / "containerd"
CONTAINERD_SOCKET = CONTAINERD / "containerd.sock"
POD_LOGS = STATE / "podlogs"
SERVED_LOGS = Path("/var/log/pods")  # a link to them, for the kubelet's log endpoint
POD_ADDRESSES = STATE / "cni-addresses"

NODE = "node-a"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"

ETCD_PORT, ETCD_PEER_PORT = 12379, 12380
API_PORT = 16443
CONTROLLER_PORT, SCHEDULER_PORT = 12257, 12259
KUBELET_PORT, KUBELET_HEALTH_PORT = 12250, 12248
REGISTRY_PORT = 12500
API = f"https://127.0.0.1:{API_PORT}"
REGISTRY = f"127.0.0.1:{REGISTRY_PORT}"

ETCD = Process("etcd", STATE)
API_SERVER = Process("kube-apiserver", STATE)
CONTROLLER_MANAGER = Process("kube-controller-manager", STATE)
SCHEDULER = Process("kube-scheduler", STATE)
REGISTRY_PROCESS = Process("registry", STATE)
CONTAINERD_PROCESS = Process("containerd", STATE)
KUBELET = Process("kubelet", STATE)
# In the order of their start.
PROCESSES = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, REGISTRY_PROCESS, CONTAINERD_PROCESS, KUBELET)


def kubectl(*arguments: object, stdin: str | None = None, check: bool = True, kubeconfig: Path = KUBECONFIG) -> str:
    """Run kubectl as the cluster's administrator, or as someone else."""
    return run(KUBECTL, "--kubeconfig", kubeconfig, *arguments, stdin=stdin, check=check, seconds=90)


def containers(*arguments: object, check: bool = True) -> str:
    """Run containerd's own client in the kubelet's name space."""
    return run("ctr", "--address", CONTAINERD_SOCKET, "-n", "k8s.io", *arguments, check=check)
