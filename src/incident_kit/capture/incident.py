"""One capture, from a profile and a window to a sealed bundle.

What dies first is read first, sources side by side; a dead source is a gap and never loses the others. An interrupted
capture goes on where it was when the same command is given again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from incident_kit.capture.argocd import capture_argocd
from incident_kit.capture.elasticsearch import capture_elasticsearch
from incident_kit.capture.kubernetes import capture_kubernetes
from incident_kit.capture.rabbitmq import capture_rabbitmq
from incident_kit.capture.scope import Scope
from incident_kit.capture.session import Journal, Progress, Session, say
from incident_kit.capture.store import RawStore
from incident_kit.importing import build_bundle
from incident_kit.importing.build import staging
from incident_kit.normalise.context import Context
from incident_kit.profile import Profile
from incident_kit.progress import Progress as Bars
from incident_kit.progress import silent
from incident_kit.redaction import default_redactor
from incident_kit.window import Window, format_ns


def capture(
    profile: Profile,
    window: Window,
    output: str | Path,
    *,
    app: str | None = None,
    pod: str | None = None,
    namespace: str | None = None,
    rotated: bool = False,
    force: bool = False,
    progress: Progress = say,
    bars: Bars = silent,
) -> Path:
    """Capture an incident from the live servers into a bundle.

    Args:
        profile: which servers, and how their fields are named.
        window: what is to be judged; what lies around it is kept as well.
        output: ``NAME.incident`` or ``NAME.zip``.
        app: only pods of this Argo CD Application (or app label).
        pod: only this pod, NAME or namespace/NAME.
        namespace: only this namespace.
        rotated: also rotated console files, through the node's log endpoint.
        force: replace an existing output.
        progress: told one line for each step.
        bars: told how far the making of tables is.

    Returns:
        The bundle's path. What could not be read is among its gaps.

    Raises:
        BundleError: the output exists and ``force`` is not given.
    """
    target = Path(output)
    scope = Scope(app=app, pod=pod, namespace=namespace)
    with staging(target, force=force) as stage:
        session = open_session(profile, window, scope, target, progress)
        session.context.progress = bars
        run_sources(session, rotated=rotated)
        return seal(session, stage, target, force=force)


def run_sources(session: Session, *, rotated: bool = False) -> None:
    """Kubernetes, RabbitMQ and Argo CD side by side, then Elasticsearch, which forgets last."""
    narrowed = session.scope.pod is not None
    steps: list[Callable[[], None]] = [
        lambda: capture_kubernetes(session, rotated=rotated),
        lambda: capture_argocd(session),
    ]
    if not narrowed:
        steps.append(lambda: capture_rabbitmq(session))
    with ThreadPoolExecutor(len(steps), thread_name_prefix="source") as pool:
        outcomes = [pool.submit(step) for step in steps]
        try:
            for outcome in outcomes:
                outcome.result()
        except BaseException:  # Ctrl-C: what is done stays for the next run, the rest is not begun
            session.stopping.set()
            raise
    if narrowed:  # the pod's addresses must be known first
        capture_rabbitmq(session)
    capture_elasticsearch(session)


def seal(session: Session, stage: Path, target: Path, *, force: bool) -> Path:
    """Normalise what was captured and move it to its name; the working folder is gone afterwards."""
    context = session.context
    if context.captured_at is None:
        context.captured_at = time.time_ns()
    described = {
        "start": format_ns(context.window.start),
        "end": format_ns(context.window.end),
        "captured_at": format_ns(context.captured_at),
        "cluster": context.cluster,
    }
    session.store.document("window.json", described)
    working = session.store.folder.parent
    shutil.move(session.store.folder, stage / "raw")
    session.progress("making tables ...")
    path = build_bundle(stage, context, target, asked=session.asked, force=force)
    shutil.rmtree(working, ignore_errors=True)
    return path


def open_session(profile: Profile, window: Window, scope: Scope, target: Path, progress: Progress) -> Session:
    """A session with its working folder beside the output, resumed when the same was asked before."""
    working = target.with_name(f".{target.name}.capture")
    raw = working / "raw"
    asked = {
        "profile": profile.public(),
        # A window that ends "now" ends a little later when the command is repeated.
        "window": [window.start // 60_000_000_000, window.end // 3_600_000_000_000],
        "scope": scope.described(),
    }
    journal = Journal(working / "journal.json", asked)
    if not journal.resumed:
        shutil.rmtree(working, ignore_errors=True)
    raw.mkdir(parents=True, exist_ok=True)
    store = RawStore(raw, default_redactor(profile.keep_readable))
    store.discard_parts()
    if journal.resumed:
        progress(f"going on with an interrupted capture ({working})")
    context = Context(cluster=_cluster_name(profile), window=window, captured_at=None, profile=profile, imported=False)
    return Session(profile=profile, scope=scope, context=context, store=store, journal=journal, progress=progress)


def _cluster_name(profile: Profile) -> str:
    from incident_kit.sources.kubernetes import context_name

    return profile.cluster or context_name(profile.kubernetes.context, profile.kubernetes.kubeconfig) or "unnamed"
