"""Starts the control plane and the node, and returns once the node is Ready."""

from __future__ import annotations

from pathlib import Path

from tests.lab.servers import bridge
from tests.lab.servers.folders import REPOSITORY
from tests.lab.servers.kubernetes import certificates, configuration, pause
from tests.lab.servers.kubernetes.settings import (
    API,
    API_PORT,
    API_SERVER,
    CONTAINERD,
    CONTAINERD_PROCESS,
    CONTAINERD_SOCKET,
    CONTROLLER_MANAGER,
    CONTROLLER_PORT,
    ETCD,
    ETCD_PEER_PORT,
    ETCD_PORT,
    KUBECONFIG,
    KUBECTL,
    KUBELET,
    KUBELET_HEALTH_PORT,
    NODE,
    PKI,
    POD_LOGS,
    PROGRAMS,
    REGISTRY,
    REGISTRY_PORT,
    REGISTRY_PROCESS,
    SCHEDULER,
    SCHEDULER_PORT,
    SERVED_LOGS,
    STATE,
    containers,
    kubectl,
)
from tests.lab.servers.processes import answers, succeeds, supervise

# The rights that the kit asks for, and who has them in the lab.
READER = (REPOSITORY / "deploy" / "rbac.yaml", Path(__file__).with_name("reader.yaml"))


def _kubectl_succeeds(*arguments: object) -> bool:
    return succeeds(KUBECTL, "--kubeconfig", KUBECONFIG, *arguments)


def _start_etcd() -> None:
    client, peer = f"http://127.0.0.1:{ETCD_PORT}", f"http://127.0.0.1:{ETCD_PEER_PORT}"
    ETCD.spawn(
        "etcd", "--name", "lab", "--data-dir", STATE / "etcd",
        "--listen-client-urls", client, "--advertise-client-urls", client,
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"lab={peer}",
        # Nothing of the lab has to survive a power cut.
        "--unsafe-no-fsync",
        port=ETCD_PORT,
    )  # fmt: skip
    ETCD.wait(lambda: answers(f"{client}/health"), seconds=60, what="healthy")


def _start_api_server() -> None:
    API_SERVER.spawn(
        PROGRAMS / "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{ETCD_PORT}",
        # Old revisions are forgotten soon, so that the tests meet expired continue tokens (by default after minutes).
        "--etcd-compaction-interval=20s",
        "--bind-address=127.0.0.1", f"--secure-port={API_PORT}", "--advertise-address=127.0.0.1",
        # There is no address that pods could reach it by.
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={bridge.SERVICE_RANGE}",
        f"--tls-cert-file={PKI / 'apiserver.crt'}", f"--tls-private-key-file={PKI / 'apiserver.key'}",
        f"--client-ca-file={PKI / 'ca.crt'}",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={PKI / 'sa.pub'}", f"--service-account-signing-key-file={PKI / 'sa.key'}",
        f"--kubelet-client-certificate={PKI / 'apiserver-kubelet.crt'}",
        f"--kubelet-client-key={PKI / 'apiserver-kubelet.key'}",
        f"--kubelet-certificate-authority={PKI / 'ca.crt'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true", "--profiling=false",
        port=API_PORT,
    )  # fmt: skip
    API_SERVER.wait(lambda: _kubectl_succeeds("get", "--raw", "/readyz"), seconds=120, what=f"ready on {API}")


def _start_controllers() -> None:
    def client(name: str) -> list[str]:
        path = STATE / f"{name}.conf"
        flags = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
        return [
            *(f"--{flag}={path}" for flag in flags),
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--profiling=false",
        ]

    CONTROLLER_MANAGER.spawn(
        PROGRAMS / "kube-controller-manager", *client("kube-controller-manager"),
        f"--secure-port={CONTROLLER_PORT}", "--use-service-account-credentials=true",
        f"--service-account-private-key-file={PKI / 'sa.key'}", f"--root-ca-file={PKI / 'ca.crt'}",
        f"--cluster-signing-cert-file={PKI / 'ca.crt'}", f"--cluster-signing-key-file={PKI / 'ca.key'}",
        port=CONTROLLER_PORT,
    )  # fmt: skip
    SCHEDULER.spawn(
        PROGRAMS / "kube-scheduler", *client("kube-scheduler"), f"--secure-port={SCHEDULER_PORT}", port=SCHEDULER_PORT
    )
    for process, port in ((CONTROLLER_MANAGER, CONTROLLER_PORT), (SCHEDULER, SCHEDULER_PORT)):
        url = f"https://127.0.0.1:{port}/healthz"
        process.wait(lambda url=url: answers(url), seconds=60, what="healthy")  # type: ignore[misc]
    account = ("-n", "default", "get", "serviceaccount", "default")
    CONTROLLER_MANAGER.wait(lambda: _kubectl_succeeds(*account), seconds=60, what="default service account")


def _start_containers() -> None:
    (STATE / "registry.yml").write_text(configuration.registry())
    environment = {"OTEL_TRACES_EXPORTER": "none"}
    REGISTRY_PROCESS.spawn(
        "docker-registry", "serve", STATE / "registry.yml", port=REGISTRY_PORT, environment=environment
    )
    REGISTRY_PROCESS.wait(lambda: answers(f"http://{REGISTRY}/v2/"), seconds=30, what=f"answers on {REGISTRY}")
    (CONTAINERD / "config.toml").write_text(configuration.containerd())
    (CONTAINERD / "certs.d" / "_default" / "hosts.toml").write_text(configuration.registry_for_all_images())
    (STATE / "cni" / "10-lab.conflist").write_text(configuration.pod_network())
    CONTAINERD_PROCESS.spawn("containerd", "--config", CONTAINERD / "config.toml")
    client = ("ctr", "--address", CONTAINERD_SOCKET)
    CONTAINERD_PROCESS.wait(lambda: succeeds(*client, "version"), seconds=30, what="answers on its socket")
    archive = STATE / "pause.tar"
    if not archive.exists():
        pause.write_archive(archive)
    containers("images", "import", archive)


def _show_logs_at_the_usual_place() -> None:
    """The kubelet's log endpoint serves /var/log and nothing else; a machine with a kubelet of its own keeps its folder."""
    if SERVED_LOGS.is_symlink():
        SERVED_LOGS.unlink()
    if not SERVED_LOGS.exists():
        SERVED_LOGS.symlink_to(POD_LOGS)


def _spawn_kubelet() -> None:
    KUBELET.spawn(
        PROGRAMS / "kubelet", f"--config={STATE / 'kubelet.yaml'}", f"--kubeconfig={STATE / 'kubelet.conf'}",
        f"--root-dir={STATE / 'kubelet'}", f"--cert-dir={PKI}", f"--hostname-override={NODE}",
        f"--node-ip={bridge.HOST_ADDRESS}", "--v=2",
        port=KUBELET_HEALTH_PORT,
    )  # fmt: skip


def _await_kubelet() -> None:
    KUBELET.wait(lambda: answers(f"http://127.0.0.1:{KUBELET_HEALTH_PORT}/healthz"), seconds=60, what="healthy")


def _start_kubelet() -> None:
    (STATE / "kubelet.yaml").write_text(configuration.kubelet())
    _show_logs_at_the_usual_place()
    # containerd answers on its socket before its runtime service does, and the kubelet ends when that is not there yet.
    supervise(KUBELET, _spawn_kubelet, _await_kubelet, times=5)
    ready = ("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=2s")
    KUBELET.wait(lambda: _kubectl_succeeds(*ready), seconds=90, what=f"node {NODE} Ready")


def start() -> None:
    """Start everything; nothing to do for what runs."""
    bridge.up()
    for folder in ("etcd", "cni", "kubelet", "podlogs", "registry", "manifests", "containerd/certs.d/_default"):
        (STATE / folder).mkdir(parents=True, exist_ok=True)
    certificates.make()
    _start_etcd()
    _start_api_server()
    _start_controllers()
    for manifest in READER:
        kubectl("apply", "-f", manifest)
    if KUBELET.pid() and CONTAINERD_PROCESS.pid() and REGISTRY_PROCESS.pid():
        return
    _start_containers()
    _start_kubelet()
