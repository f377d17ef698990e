"""Builds all Kubernetes programs as one, from Go modules."""

from __future__ import annotations

from pathlib import Path

from tests.lab.servers import go, stamp
from tests.lab.servers.kubernetes.settings import PROGRAMS, VERSION

HERE = Path(__file__).parent
NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")


def build() -> None:
    """Build, unless it was built from the same sources."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    mark = stamp.Stamp(PROGRAMS / "built", HERE / "go.mod", HERE / "go.sum", HERE / "hyperkube")
    if mark.fresh():
        return
    print(f"building Kubernetes {VERSION} (6 minutes on 2 cores)", flush=True)
    major, minor, _ = VERSION.split(".")
    versions = {
        "k8s.io/component-base/version.gitVersion": f"v{VERSION}",
        "k8s.io/component-base/version.gitMajor": major,
        "k8s.io/component-base/version.gitMinor": minor,
        "k8s.io/component-base/version.gitTreeState": "clean",
        "k8s.io/client-go/pkg/version.gitVersion": f"v{VERSION}",
    }
    go.build(HERE, "./hyperkube", PROGRAMS / "hyperkube", versions)
    for name in NAMES:
        (PROGRAMS / name).unlink(missing_ok=True)
        (PROGRAMS / name).symlink_to("hyperkube")
    mark.write()
