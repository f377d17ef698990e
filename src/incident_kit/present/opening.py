"""What a notebook or a demo starts from: the bundle named or the sample incident, and the pod to ask about."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from incident_kit.errors import BundleError
from incident_kit.present.severity import rank

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_POD_KIND = "Pod"


def sample_bundle() -> Path:
    """The sample incident that ships in the package, recorded from real servers.

    Raises:
        BundleError: this installation has none.
    """
    folder = Path(str(files("incident_kit"))) / "sample"
    found = sorted(path for path in folder.glob("*") if path.name.endswith((".zip", ".incident")))
    if not found:
        raise BundleError(
            "This installation holds no sample incident. Name a bundle, or record one: make record-sample."
        )
    return found[0]


def open_bundle(bundle: str | Path = "") -> Evidence:
    """The evidence of a bundle.

    Args:
        bundle: ``NAME.incident`` folder or ``.zip``; the sample incident by default.

    Raises:
        BundleError: the bundle is broken, or this installation has no sample.
    """
    from incident_kit.evidence import read_evidence
    from incident_kit.present.progress import ProgressBars

    return read_evidence(bundle or sample_bundle(), progress=ProgressBars())


def chosen_pod(evidence: Evidence, pod: str = "") -> str:
    """The pod to ask about as ``namespace/pod``: the one named, else the first finding's, else the first one.

    Findings about a pod go before those about its workload, and the worst go first.

    Args:
        evidence: an opened bundle.
        pod: name or ``namespace/pod``.

    Raises:
        NotFoundError, UsageError: the pod named is unknown or ambiguous.
        BundleError: none is named and the bundle knows no pod at all.
    """
    from incident_kit.answers.findings import findings
    from incident_kit.correlate.pods.identity import resolve_pod
    from incident_kit.present.gather import known_pods

    if pod:
        return str(resolve_pod(pod, evidence))
    pods = known_pods(evidence)
    if not len(pods):
        raise BundleError(f"{evidence.path.name} knows no pod. Capture or import pods, console logs or documents.")
    named = set(zip(pods["namespace"], pods["pod"], strict=True))
    found = findings(evidence).to_dict("records")
    found.sort(key=lambda finding: (finding["kind"] != _POD_KIND, rank(finding["severity"])))
    for finding in found:
        subject = (finding["namespace"], finding["name"])
        if finding["kind"] == _POD_KIND and subject in named:
            return _key(*subject)
        of_workload = pods[(pods["namespace"] == subject[0]) & (pods["workload"] == subject[1])]
        if len(of_workload):
            return _key(of_workload["namespace"].iloc[0], of_workload["pod"].iloc[0])
    return _key(pods["namespace"].iloc[0], pods["pod"].iloc[0])


def _key(namespace: object, pod: object) -> str:
    return f"{namespace}/{pod}" if isinstance(namespace, str) else str(pod)
