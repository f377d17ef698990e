"""Links from a finding to where one looks next: Kibana Discover with filter and window, Argo CD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from incident_kit.window import format_ns

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def finding_links(evidence: Evidence, finding: dict[Any, Any]) -> list[tuple[str, str]]:
    """Word and address of each link of a finding; none where the profile names no address."""
    profile = evidence.profile
    links = []
    kind, name = finding["kind"], str(finding["name"])
    if (kibana := _base(profile.kibana_url)) and kind in {"Pod", "Deployment", "StatefulSet", "DaemonSet", "Job"}:
        links.append(("Kibana", _discover(kibana, evidence, name, exact=kind == "Pod")))
    if (argocd := _base(profile.argocd_url)) and kind == "Application":
        links.append(("Argo CD", f"{argocd}/applications/{quote(name, safe='')}"))
    return links


def _base(url: str | None) -> str:
    """The address without a final slash, only if a browser may follow it."""
    return url.rstrip("/") if url and urlsplit(url).scheme in {"http", "https"} else ""


def _discover(kibana: str, evidence: Evidence, name: str, *, exact: bool) -> str:
    """Discover with the window and a KQL query; the pod field is the profile's first candidate."""
    start, end = format_ns(evidence.window.start), format_ns(evidence.window.end)
    words = name.replace("\\", "\\\\").replace('"', '\\"')
    query = f'"{words}"' if exact else words
    rison = quote(query.replace("!", "!!").replace("'", "!'"), safe="")
    return f"{kibana}/app/discover#/?_g=(time:(from:'{start}',to:'{end}'))&_a=(query:(language:kuery,query:'{rison}'))"
