"""Builds Argo CD's programs as one, from Go modules, and takes its CRDs from the same module."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab.servers import go, stamp
from tests.lab.servers.argocd.settings import CLI, MANIFESTS, PROGRAMS, VERSION

HERE = Path(__file__).parent
MODULE = "github.com/argoproj/argo-cd/v3"
NAMES = ("argocd-application-controller", "argocd-repo-server", "argocd-server", "argocd-git-ask-pass")


def build() -> None:
    """Build, unless it was built from the same sources. Helm and Kustomize are left out: plain manifests need neither."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    mark = stamp.Stamp(PROGRAMS / "built", HERE / "go.mod", HERE / "go.sum", HERE / "program")
    if mark.fresh():
        return
    print(f"building Argo CD {VERSION} (5 minutes on 2 cores)", flush=True)
    versions = {
        f"{MODULE}/common.version": VERSION,
        f"{MODULE}/common.buildDate": "1970-01-01T00:00:00Z",
        f"{MODULE}/common.gitTreeState": "clean",
    }
    go.build(HERE, "./program", CLI, versions)
    for name in NAMES:
        (PROGRAMS / name).unlink(missing_ok=True)
        (PROGRAMS / name).symlink_to("argocd")
    module = go.module_folder(HERE, MODULE)
    # The repo-server runs it for every revision.
    wrapper = PROGRAMS / "git-verify-wrapper.sh"
    shutil.copyfile(module / "hack" / wrapper.name, wrapper)
    wrapper.chmod(0o755)
    MANIFESTS.mkdir(parents=True, exist_ok=True)
    for kind in ("application", "appproject", "applicationset"):
        shutil.copyfile(module / "manifests" / "crds" / f"{kind}-crd.yaml", MANIFESTS / f"{kind}-crd.yaml")
    mark.write()
