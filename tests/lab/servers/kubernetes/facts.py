"""What clients need to know of the cluster."""

from __future__ import annotations

from typing import Any

from tests.lab.servers import bridge
from tests.lab.servers.kubernetes.settings import (
    API,
    KUBECONFIG,
    KUBECTL,
    NODE,
    PAUSE_IMAGE,
    POD_ADDRESSES,
    POD_LOGS,
    READER_KUBECONFIG,
    REGISTRY,
    VERSION,
)


def facts() -> dict[str, Any]:
    """Kubeconfigs (administrator and reader), programs and folders."""
    return {
        "version": VERSION,
        "server": API,
        "kubeconfig": str(KUBECONFIG),
        "reader_kubeconfig": str(READER_KUBECONFIG),
        "kubectl": str(KUBECTL),
        "node": NODE,
        "registry": REGISTRY,
        "shell_image": PAUSE_IMAGE,
        "pod_logs": str(POD_LOGS),
        "cni_ipam": str(POD_ADDRESSES),
        "gateway": bridge.HOST_ADDRESS,
    }
