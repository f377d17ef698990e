"""Configuration files of the node's programs."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.servers import bridge
from tests.lab.servers.kubernetes.settings import (
    CONTAINERD,
    CONTAINERD_SOCKET,
    KUBELET_HEALTH_PORT,
    KUBELET_PORT,
    PAUSE_IMAGE,
    PKI,
    POD_ADDRESSES,
    POD_LOGS,
    REGISTRY,
    STATE,
)

# Small, so that a few hundred kilobytes of log make the kubelet rotate.
LOG_MAX_SIZE, LOG_MAX_FILES, LOG_MONITOR_INTERVAL = "256Ki", 5, "3s"
# Kubernetes' own limit is five minutes; an incident of the lab has to fit into less.
CRASH_LOOP_LIMIT = "10s"


def registry() -> str:
    """The loopback registry, which holds every image that pods use."""
    return f"""version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {STATE / "registry"}}}, delete: {{enabled: true}}}}
http: {{addr: "{REGISTRY}"}}
"""


def registry_for_all_images() -> str:
    """Every pull, whatever registry the image names, goes to the loopback one and nowhere else."""
    return f"""server = "http://{REGISTRY}"
[host."http://{REGISTRY}"]
  capabilities = ["pull", "resolve"]
"""


def containerd() -> str:
    """containerd with its own folders; ``restrict_oom_score_adj`` for machines without CAP_SYS_RESOURCE."""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    snapshotters = ", ".join(f'"io.containerd.snapshotter.v1.{name}"' for name in ("aufs", "btrfs", "devmapper", "zfs"))
    return f"""version = 2
root = "{CONTAINERD / "root"}"
state = "{CONTAINERD / "state"}"
disabled_plugins = [{snapshotters}, "io.containerd.internal.v1.opt"]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[{cri}]
  sandbox_image = "{PAUSE_IMAGE}"
  stream_server_address = "127.0.0.1"
  disable_apparmor = true
  restrict_oom_score_adj = true
[{cri}.registry]
  config_path = "{CONTAINERD / "certs.d"}"
[{cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{STATE / "cni"}"
[{cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
"""


def pod_network() -> str:
    """Pods join the lab's bridge and see the host's address on it; no masquerading, so servers see pod IPs."""
    addresses = {"type": "host-local", "dataDir": str(POD_ADDRESSES), "ranges": [[{"subnet": bridge.POD_RANGE}]]}
    plugin = {"type": "bridge", "bridge": bridge.NAME, "isGateway": True, "ipMasq": False, "ipam": addresses}
    return json.dumps({"cniVersion": "1.0.0", "name": "lab", "plugins": [plugin]})


def kubelet() -> str:
    """The kubelet's configuration (JSON is YAML)."""
    configuration: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # Not loopback: the API server lends nobody a way to loopback addresses (nodes/proxy), only to others.
        "address": bridge.HOST_ADDRESS,
        "port": KUBELET_PORT,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(PKI / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(PKI / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(PKI / "kubelet-server.key"),
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "podLogsDir": str(POD_LOGS),
        "maxPods": 200,
        "staticPodPath": str(STATE / "manifests"),
        "volumePluginDir": str(STATE / "kubelet" / "volumeplugins"),
        "resolvConf": "",
        "clusterDomain": "cluster.local",
        "enforceNodeAllocatable": ["pods"],
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "containerLogMaxSize": LOG_MAX_SIZE,
        "containerLogMaxFiles": LOG_MAX_FILES,
        "containerLogMonitorInterval": LOG_MONITOR_INTERVAL,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "crashLoopBackOff": {"maxContainerRestartPeriod": CRASH_LOOP_LIMIT},
        "featureGates": {"KubeletCrashLoopBackOffMax": True},
    }
    return json.dumps(configuration, indent=1)
