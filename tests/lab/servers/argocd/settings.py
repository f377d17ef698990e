"""Argo CD in the lab: controller, repo-server and API server as processes, syncing from a local Git repository."""

from __future__ import annotations

from tests.lab.servers.folders import LAB
from tests.lab.servers.processes import Process

VERSION = "3.5.7"
FOLDER = LAB / "argocd"
PROGRAMS = FOLDER / "bin"
CLI = PROGRAMS / "argocd"
MANIFESTS = FOLDER / "crds"
STATE = FOLDER / "state"
HOME = STATE / "home"

REPOSITORIES = FOLDER / "git"
REPOSITORY = REPOSITORIES / "deploy.git"
WORKTREE = FOLDER / "worktree"

REDIS_PORT = 16379
REPO_PORT, REPO_METRICS_PORT = 18081, 18084
CONTROLLER_METRICS_PORT = 18082
SERVER_PORT, SERVER_METRICS_PORT = 18080, 18083
GIT_PORT = 19418
SERVER = f"127.0.0.1:{SERVER_PORT}"
# As Applications name it: no path of this machine in it.
REPOSITORY_URL = f"git://127.0.0.1:{GIT_PORT}/deploy.git"

REDIS = Process("redis", STATE)
GIT = Process("git-daemon", STATE)
REPO_SERVER = Process("argocd-repo-server", STATE)
CONTROLLER = Process("argocd-application-controller", STATE)
API_SERVER = Process("argocd-server", STATE)
# In the order of their start.
PROCESSES = (REDIS, GIT, REPO_SERVER, CONTROLLER, API_SERVER)

USERS = ("admin", "alice")  # by password
TOKEN_USER = "ci"
