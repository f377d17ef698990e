"""Certificates, the service accounts' key and kubeconfigs of the lab's cluster, made once with openssl."""

from __future__ import annotations

import base64

from tests.lab.servers import bridge
from tests.lab.servers.folders import write_private
from tests.lab.servers.kubernetes.settings import API, KUBECONFIG, NODE, PKI, READER_KUBECONFIG, STATE
from tests.lab.servers.processes import run

DAYS = 3650
SERVER_NAMES = (
    "IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
)


def _openssl(*arguments: object) -> None:
    run("openssl", *arguments, cwd=PKI)


def _authority() -> None:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key")
    usage = "keyUsage=critical,keyCertSign,digitalSignature,cRLSign"
    _openssl(
        "req",
        "-x509",
        "-new",
        "-key",
        "ca.key",
        "-subj",
        "/CN=lab-ca",
        "-days",
        DAYS,
        "-out",
        "ca.crt",
        "-addext",
        usage,
    )
    _openssl("genrsa", "-out", "sa.key", 2048)
    _openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")


def _certificate(name: str, subject: str, usage: str, alternatives: str = "") -> None:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    _openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
    lines = [f"extendedKeyUsage={usage}", "keyUsage=digitalSignature"]
    if alternatives:
        lines.append(f"subjectAltName={alternatives}")
    (PKI / f"{name}.ext").write_text("\n".join(lines) + "\n")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS, "-extfile", f"{name}.ext")
    _openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.crt")


def _kubeconfig(user: str) -> str:
    """A kubeconfig for one client certificate."""
    encoded = {
        end: base64.b64encode((PKI / end).read_bytes()).decode() for end in ("ca.crt", f"{user}.crt", f"{user}.key")
    }
    return f"""apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: {API}
    certificate-authority-data: {encoded["ca.crt"]}
users:
- name: {user}
  user:
    client-certificate-data: {encoded[f"{user}.crt"]}
    client-key-data: {encoded[f"{user}.key"]}
contexts:
- name: lab
  context: {{cluster: lab, user: {user}}}
current-context: lab
"""


def make() -> None:
    """Make everything, unless it is there."""
    if READER_KUBECONFIG.exists():
        return
    PKI.mkdir(parents=True, exist_ok=True)
    PKI.chmod(0o700)
    _authority()
    node = f"/O=system:nodes/CN=system:node:{NODE}"
    _certificate("apiserver", "/CN=kube-apiserver", "serverAuth", SERVER_NAMES)
    _certificate("kubelet-server", node, "serverAuth", f"IP:{bridge.HOST_ADDRESS},DNS:{NODE}")
    _certificate("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth")
    _certificate("admin", "/O=system:masters/CN=admin", "clientAuth")
    _certificate("kube-controller-manager", "/CN=system:kube-controller-manager", "clientAuth")
    _certificate("kube-scheduler", "/CN=system:kube-scheduler", "clientAuth")
    _certificate("kubelet", node, "clientAuth")
    _certificate("reader", "/CN=reader", "clientAuth")
    for user in ("kube-controller-manager", "kube-scheduler", "kubelet"):
        write_private(STATE / f"{user}.conf", _kubeconfig(user))
    write_private(KUBECONFIG, _kubeconfig("admin"))
    write_private(READER_KUBECONFIG, _kubeconfig("reader"))
