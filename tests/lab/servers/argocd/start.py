"""Starts Argo CD against the lab's cluster, with a Git server and an empty repository to sync from."""

from __future__ import annotations

import json
import os

from tests.lab.servers.argocd.objects import objects
from tests.lab.servers.argocd.settings import (
    API_SERVER,
    CLI,
    CONTROLLER,
    CONTROLLER_METRICS_PORT,
    GIT,
    GIT_PORT,
    HOME,
    MANIFESTS,
    PROGRAMS,
    REDIS,
    REDIS_PORT,
    REPO_METRICS_PORT,
    REPO_PORT,
    REPO_SERVER,
    REPOSITORIES,
    REPOSITORY,
    SERVER,
    SERVER_METRICS_PORT,
    SERVER_PORT,
    STATE,
    TOKEN_USER,
)
from tests.lab.servers.folders import password, write_private
from tests.lab.servers.kubernetes.settings import API_SERVER as KUBE_API_SERVER
from tests.lab.servers.kubernetes.settings import KUBECONFIG, KUBECTL, kubectl
from tests.lab.servers.processes import answers, is_taken, run, succeeds

GIT_POLLING = "20s"  # Argo CD's own default is minutes


def _environment() -> dict[str, str]:
    folders = {"TLS_DATA_PATH": "tls", "SSH_DATA_PATH": "ssh", "GNUPGHOME": "gpg", "PLUGINSOCKFILEPATH": "plugins"}
    return {
        **{f"ARGOCD_{name}": str(STATE / folder) for name, folder in folders.items()},
        # Together: https://kubernetes.default.svc means the lab's cluster.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "KUBECONFIG": str(KUBECONFIG),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_RECONCILIATION_TIMEOUT": GIT_POLLING,
        "ARGOCD_RECONCILIATION_JITTER": "0s",
        "ARGOCD_K8S_CLIENT_QPS": "200",
        "ARGOCD_K8S_CLIENT_BURST": "400",
        "HOME": str(HOME),
        "TMPDIR": str(STATE / "tmp"),
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }


def _apply_objects() -> None:
    for manifest in sorted(MANIFESTS.glob("*-crd.yaml")):
        kubectl("apply", "--server-side", "-f", manifest)
    kinds = ("applications", "appprojects", "applicationsets")
    definitions = [f"crd/{kind}.argoproj.io" for kind in kinds]
    established = ("wait", "--for=condition=Established", *definitions, "--timeout=2s")
    # kubectl gives up at once on a definition that has no conditions yet.
    cluster = ("--kubeconfig", KUBECONFIG)
    KUBE_API_SERVER.wait(lambda: succeeds(KUBECTL, *cluster, *established), seconds=60, what="Argo CD's kinds")
    for document in objects():
        kubectl("apply", "-f", "-", stdin=json.dumps(document))


def _start_git() -> None:
    if not REPOSITORY.exists():
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", REPOSITORY)
    GIT.spawn(
        "git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={GIT_PORT}",
        f"--base-path={REPOSITORIES}", REPOSITORIES, port=GIT_PORT,
        # Git refuses repositories of other owners, and every one when HOME is unknown.
        environment={"HOME": str(HOME)},
    )  # fmt: skip
    GIT.wait(lambda: is_taken(GIT_PORT), seconds=10, what="listens")


def _start_redis() -> None:
    memory_only = ("--save", "", "--appendonly", "no", "--daemonize", "no")
    address = ("--bind", "127.0.0.1", "--port", REDIS_PORT)
    REDIS.spawn("redis-server", *address, *memory_only, "--dir", STATE / "tmp", port=REDIS_PORT)
    REDIS.wait(lambda: is_taken(REDIS_PORT), seconds=20, what="listens")


def _start_argocd() -> None:
    environment = _environment()
    redis = ("--redis", f"127.0.0.1:{REDIS_PORT}")
    repo_server = ("--repo-server", f"127.0.0.1:{REPO_PORT}", "--repo-server-plaintext")
    cluster = ("--kubeconfig", KUBECONFIG, "--namespace", "argocd")
    REPO_SERVER.spawn(
        PROGRAMS / "argocd-repo-server", "--address", "127.0.0.1", "--port", REPO_PORT,
        "--metrics-address", "127.0.0.1", "--metrics-port", REPO_METRICS_PORT,
        "--disable-tls", "--client-ca-path", "", *redis, port=REPO_PORT, environment=environment,
    )  # fmt: skip
    CONTROLLER.spawn(
        PROGRAMS / "argocd-application-controller", *cluster, *repo_server, *redis,
        "--metrics-port", CONTROLLER_METRICS_PORT, "--status-processors", 4, "--operation-processors", 4,
        port=CONTROLLER_METRICS_PORT, environment=environment,
    )  # fmt: skip
    API_SERVER.spawn(
        PROGRAMS / "argocd-server", *cluster, *repo_server, *redis, "--address", "127.0.0.1", "--port", SERVER_PORT,
        "--metrics-port", SERVER_METRICS_PORT, "--insecure", port=SERVER_PORT, environment=environment,
    )  # fmt: skip
    health = ((REPO_SERVER, REPO_METRICS_PORT), (CONTROLLER, CONTROLLER_METRICS_PORT), (API_SERVER, SERVER_PORT))
    for process, port in health:
        url = f"http://127.0.0.1:{port}/healthz"
        process.wait(lambda url=url: answers(url), seconds=90, what="healthy")  # type: ignore[misc]


def _make_token() -> None:
    """A token for the account that deploys by machine."""
    path = STATE / "passwords" / f"{TOKEN_USER}-token"
    if path.exists():
        return
    session = STATE / "passwords" / "cli-session"
    environment = {"HOME": str(HOME), "NO_PROXY": "*"}
    common = ("--plaintext", "--config", session)
    login = ("login", SERVER, "--username", "admin", "--password", password(STATE, "admin"))
    run(CLI, *login, *common, environment=environment)
    token = run(CLI, "account", "generate-token", "--account", TOKEN_USER, *common, environment=environment)
    write_private(path, token.strip())


def start() -> None:
    """Start everything; nothing to do for what runs."""
    for folder in ("tmp", "tls", "ssh", "gpg", "plugins", "home"):
        (STATE / folder).mkdir(parents=True, exist_ok=True)
    (STATE / "ssh" / "ssh_known_hosts").touch()
    if not API_SERVER.pid():
        _apply_objects()
    _start_git()
    _start_redis()
    _start_argocd()
    _make_token()
