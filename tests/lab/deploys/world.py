"""What the scenario does to the lab, each act remembered: commits, syncs, rollbacks, kubectl, actions of Argo CD."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.lab.deploys.manifests import IMAGE, LABEL, NAMESPACE, VERSIONS, Manifest, application
from tests.lab.deploys.truth import Act, Case, Truth
from tests.lab.scenario.lab import LAB, LONGEST_SECONDS, TRUTH, Lab, run, until
from tests.lab.services.images import Registry, push_shell

FOLDER = LAB / "deploys"
ROOT = "till-root"
#: Argo CD stamps whole seconds: two acts within one cannot be told apart by anybody.
SECOND = 1.1
#: Syncs of one release follow each other within seconds here; a shop's pipeline takes minutes.
RELEASE_PAUSE_SECONDS = 60
PATIENTLY = f"--timeout={LONGEST_SECONDS}s"


class Git:
    """One repository on the lab's Git server, with its working copy."""

    def __init__(self, repositories: Path, name: str, url: str) -> None:
        self._repositories, self._name, self._tree = repositories, name, FOLDER / name
        # Argo CD remembers for minutes what a repository's branch pointed to: each run has a name of its own.
        self._bare = repositories / f"{name}-{int(time.time())}.git"
        self.url = f"{url.rpartition('/')[0]}/{self._bare.name}"

    def create(self) -> None:
        """An empty repository; those of earlier runs are taken away."""
        for folder in (*self._repositories.glob(f"{self._name}-[0-9]*.git"), self._tree):
            shutil.rmtree(folder, ignore_errors=True)
        self._tree.mkdir(parents=True)
        run("git", "init", "-q", "--bare", "-b", "main", self._bare)
        run("git", "init", "-q", "-b", "main", self._tree)
        run("git", "remote", "add", "origin", self._bare, cwd=self._tree)

    def write(self, path: str, *documents: Manifest) -> None:
        """Objects into one file; a commit makes it so."""
        self.text(path, yaml.safe_dump_all(documents, sort_keys=False))

    def text(self, path: str, content: str) -> None:
        """Any text into one file."""
        target = self._tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)

    def remove(self, path: str) -> None:
        """Take a file out."""
        (self._tree / path).unlink()

    def commit(self, message: str) -> str:
        """Commit and push everything; returns the revision."""
        who = {f"GIT_{role}_NAME": "Till Developer" for role in ("AUTHOR", "COMMITTER")}
        who |= {f"GIT_{role}_EMAIL": "developer@till.example" for role in ("AUTHOR", "COMMITTER")}
        run("git", "add", "-A", cwd=self._tree)
        run("git", "commit", "-qm", message, cwd=self._tree, environment=who)
        run("git", "push", "-q", "origin", "main", cwd=self._tree)
        return run("git", "rev-parse", "HEAD", cwd=self._tree).strip()


class World:
    """The lab, the repositories and the truth of one run."""

    def __init__(self, lab: Lab) -> None:
        argocd = lab.facts["argocd"]
        repositories = Path(argocd["repository"]).parent
        self.lab, self.truth = lab, Truth()
        self._automated: list[str] = [ROOT]
        self.git = Git(repositories, "till", argocd["repository_url"])
        self.charts = Git(repositories, "till-charts", argocd["repository_url"])
        self.registry = Registry(lab.facts["kubernetes"]["registry"])

    # -- what is there ---------------------------------------------------------------------------

    def prepare(self, namespaces: Iterable[str]) -> None:
        """Take an earlier run away; empty namespaces, repositories with nothing in them, images."""
        wanted = list(namespaces)
        TRUTH.mkdir(parents=True, exist_ok=True)
        self.clear(wanted)
        self.lab.make_anew(*wanted)
        self.truth.namespaces = wanted
        for git in (self.git, self.charts):
            git.create()
        for tag in VERSIONS:
            push_shell(self.registry, IMAGE.partition("/")[2], tag, {})

    def clear(self, namespaces: Iterable[str]) -> None:
        """Take everything away that a run leaves: what goes on would cost the lab's other scenarios."""
        kubectl = self.lab.kubectl
        # The root first: it would make the others anew.
        kubectl("-n", "argocd", "delete", "application", ROOT, "--ignore-not-found")
        kubectl("-n", "argocd", "delete", "applications", "-l", f"{LABEL}={NAMESPACE}", "--ignore-not-found")
        self.lab.take_away(*namespaces)

    def application(self, name: str, *documents: Manifest, automated: bool = False, **spec: Any) -> None:
        """An Application below the root one, with its folder in the repository."""
        self.child(name, [self.source(name)], automated=automated, **spec)
        if documents:
            self.git.write(f"apps/{name}/all.yaml", *documents)

    def child(self, name: str, sources: list[Manifest], *, automated: bool = False, **spec: Any) -> None:
        """An Application of any sources below the root one."""
        self.truth.applications.append(name)
        if automated:
            self._automated.append(name)
        self.git.write(f"root/{name}.yaml", application(name, sources, automated=automated, **spec))

    def source(self, name: str, git: Git | None = None) -> Manifest:
        """The folder of an Application as its source."""
        return {"repoURL": (git or self.git).url, "targetRevision": "main", "path": f"apps/{name}"}

    def start_root(self) -> None:
        """The Application of Applications; waits until all below it are there, and until autosync has brought what it may.

        What comes without an act has to come before the first snapshot, or it would be taken for an invented change.
        """
        self.truth.applications.append(ROOT)
        begun = time.time_ns()
        source = {"repoURL": self.git.url, "targetRevision": "main", "path": "root"}
        self.lab.apply(application(ROOT, [source], automated=True))
        self.lab.await_applications(self.truth.applications)
        for name in self._automated:
            self.lab.await_autosync(name)
        self.truth.acts.append(
            Act(
                what=("sync",), kind="Application", namespace=None, name="auto", by=None, automated=True,
                application="auto", start=begun, end=time.time_ns(), told="first autosync",
            )
        )  # fmt: skip

    def available(self, *selection: str) -> None:
        """Wait until every selected Deployment has its pods for the first time; one command, whatever their number."""
        self.lab.kubectl("wait", "deployment", *selection, "--for=condition=Available", PATIENTLY)

    def rolled_out(self, *names: str, namespace: str = NAMESPACE) -> None:
        """Wait until Deployments run what they ask for by now."""
        for name in names:
            self.lab.kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", PATIENTLY)

    def pods(self, name: str, namespace: str = NAMESPACE) -> list[str]:
        """Names of the pods with the label ``app``, the oldest first."""
        sort = "--sort-by=.metadata.creationTimestamp"
        text = self.lab.kubectl("-n", namespace, "get", "pods", "-l", f"app={name}", sort, "-o", "name")
        return [line.rpartition("/")[2] for line in text.split()]

    def image(self, name: str) -> str:
        """Image of a Deployment."""
        path = "jsonpath={.spec.template.spec.containers[0].image}"
        return self.lab.kubectl("-n", NAMESPACE, "get", "deployment", name, "-o", path)

    # -- what must and must not be found ---------------------------------------------------------

    def expect(self, rule: str, kind: str, name: str, why: str, namespace: str | None = NAMESPACE) -> None:
        """A subject that the rule must name."""
        self._case(rule, kind, name, why, namespace, positive=True, tellable=True)

    def spare(
        self, rule: str, kind: str, name: str, why: str, namespace: str | None = NAMESPACE, *, tellable: bool = True
    ) -> None:
        """A near-miss: a subject that the rule must not name."""
        self._case(rule, kind, name, why, namespace, positive=False, tellable=tellable)

    def _case(
        self, rule: str, kind: str, name: str, why: str, namespace: str | None, *, positive: bool, tellable: bool
    ) -> None:
        where = None if kind == "Application" else namespace
        self.truth.cases.append(
            Case(rule=rule, kind=kind, namespace=where, name=name, positive=positive, why=why, tellable=tellable)
        )

    # -- acts ------------------------------------------------------------------------------------

    @contextmanager
    def act(self, what: tuple[str, ...], kind: str, name: str, by: str | None, **more: Any) -> Iterator[Act]:
        """Remember an act with the times between which it happened."""
        namespace = more.pop("namespace", None if kind == "Application" else NAMESPACE)
        found = Act(what=what, kind=kind, namespace=namespace, name=name, by=by, start=time.time_ns(), **more)
        yield found
        found.end = time.time_ns()
        self.truth.acts.append(found)
        print(f"{time.strftime('%H:%M:%S')}  {found.told or found.what}: {kind} {name} by {by}", flush=True)
        time.sleep(SECOND)

    def sync(
        self,
        name: str,
        by: str = "ci",
        *flags: str,
        what: str = "sync",
        fails: bool = False,
        shown_as: tuple[str, str] | None = None,
    ) -> None:
        """Sync one Application to HEAD, with the command line's own flags; waits for the operation's end.

        Args:
            name: the Application.
            by: an account of Argo CD.
            *flags: of ``argocd app sync``.
            what: what the list of changes calls it.
            fails: whether it must fail.
            shown_as: kind and name of the one object that the sync writes, where the list tells of that instead.
        """
        told = " ".join(["sync", *flags])
        kind, subject = shown_as or ("Application", name)
        words = () if "--dry-run" in flags else (what,)
        where = {"namespace": NAMESPACE} if shown_as else {}
        with self.act(words, kind, subject, by, application=name, automated=False, told=told, **where):
            self._sync(name, by, *flags, fails=fails)

    def _sync(self, name: str, by: str, *flags: str, fails: bool = False) -> None:
        command = ("app", "sync", name, "--timeout", LONGEST_SECONDS, "--assumeYes", *flags)
        try:
            self.lab.argocd(*command, user=by)
        except RuntimeError as error:  # the command line's exit code is also of what is left to prune
            phase = self.lab.application(name)["status"]["operationState"]["phase"]
            if (phase in {"Failed", "Error"}) is not fails:
                raise RuntimeError(f"sync of {name} ended {phase}") from error

    def sync_together(self, names: Iterable[str], by: str = "ci") -> None:
        """First syncs of many Applications, four at a time; each is an act."""

        def one(name: str) -> Act:
            begun = time.time_ns()
            self._sync(name, by)
            return Act(
                what=("sync",), kind="Application", namespace=None, name=name, by=by, automated=False,
                application=name, start=begun, end=time.time_ns(), told="first sync",
            )  # fmt: skip

        with ThreadPoolExecutor(4) as pool:
            self.truth.acts += list(pool.map(one, names))

    def roll_back(self, name: str, by: str = "alice", *, entries: int = 1) -> None:
        """Roll an Application back by so many entries of its history."""
        history = self.lab.application(name)["status"]["history"]
        target = str(history[-1 - entries]["id"])
        with self.act(("rollback",), "Application", name, by, application=name, automated=False, told="rollback"):
            self.lab.argocd("app", "rollback", name, target, "--timeout", LONGEST_SECONDS, user=by)

    def argocd_action(self, application: str, action: str, kind: str, name: str, by: str = "alice") -> None:
        """An action of Argo CD's on one object."""
        self.lab.argocd("app", "actions", "run", application, action, "--kind", kind, "--resource-name", name, user=by)

    def let_releases_part(self, names: Collection[str]) -> None:
        """Wait until syncs of these Applications so far and those to come are of two releases, however fast the lab is."""
        last = max(act.end for act in self.truth.acts if act.application in names)
        time.sleep(max(0.0, last / 1e9 + RELEASE_PAUSE_SECONDS + 3 - time.time()))

    def arrives(self, application: str, revision: str, question: Any, what: str) -> None:
        """Let autosync bring what was committed, and wait for it and for the end of the sync, whose time the list tells."""
        self.lab.refresh(application)
        until(question, seconds=60, what=what)
        self.lab.await_autosync(application, revision=revision)

    def by_hand(self, *command: object, stdin: str | None = None) -> str:
        """kubectl in the main namespace, as the cluster's administrator."""
        return self.lab.kubectl("-n", NAMESPACE, *command, stdin=stdin)

    def end_container(self, pod: str) -> None:
        """Let a container's first process end; the kubelet starts the next instance."""
        before = self._restarts(pod)
        with self.act(("restart",), "Pod", re.escape(pod), "kubelet", automated=True, told="container ends"):
            # The command may be killed together with the container it ended: what counts is the next instance.
            self.lab.kubectl("-n", NAMESPACE, "exec", pod, "--", "kill", "-TERM", "1", check=False)
            until(lambda: self._restarts(pod) > before, seconds=60, what=f"restart of {pod}")

    def _restarts(self, pod: str) -> int:
        status = json.loads(self.by_hand("get", "pod", pod, "-o", "json"))["status"]
        running = [s for s in status.get("containerStatuses", []) if "running" in s["state"]]
        return sum(s["restartCount"] for s in running)
