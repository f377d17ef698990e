"""Capture of Elasticsearch: the documents of the window, and those that could explain what seems to be missing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incident_kit.capture.passed_over import has_failures, tell_of_other_times, tell_what_is_passed_over
from incident_kit.capture.session import Session
from incident_kit.errors import SourceError, SourceIncomplete
from incident_kit.profile.credentials import load_credentials
from incident_kit.sources.elasticsearch import Search, index_path
from incident_kit.sources.slices import Reading
from incident_kit.window import SECOND, format_ns, parse_rfc3339

_QUERY = "elasticsearch/query.json"
_SUBFIELDS = ("", ".keyword", ".raw")
_EXACT = {"keyword", "constant_keyword", "wildcard"}
_DATES = {"date", "date_nanos"}
#: No two places on Earth are further apart than this from UTC.
_SHIFT_HOURS = 14
#: A pod with fewer documents than this share of its console lines may have the others at another time.
_ENOUGH = 0.9


def connect(session_profile: Any) -> Search:
    """The profile's Elasticsearch, with the credentials of the environment or keyring."""
    settings = session_profile.elasticsearch
    credentials = load_credentials(session_profile)
    password = credentials.elasticsearch_password
    key = credentials.elasticsearch_api_key
    return Search(
        settings.url,
        api_key=key.get_secret_value() if key else None,
        basic=(credentials.elasticsearch_user, password.get_secret_value())
        if credentials.elasticsearch_user and password and not key
        else None,
        timeout_seconds=settings.timeout_seconds,
        verify=settings.verify_certificates,
        ca_certificate=settings.ca_certificate,
    )


def capture_elasticsearch(session: Session) -> None:
    """Mapping, documents, documents without the pod field, failure stores."""
    if not session.profile.elasticsearch.url:
        return
    try:
        search = connect(session.profile)
    except (SourceError, ValueError) as error:
        session.gap(SourceIncomplete("elasticsearch", "connection", str(error), "Check elasticsearch.url."))
        return
    indices = session.profile.elasticsearch.indices
    session.step("elasticsearch mappings", "elasticsearch", lambda: _mappings(session, search, indices), hides=False)
    tell_what_is_passed_over(session, search, indices)
    try:
        types = search.field_types(indices, _candidates(session))
    except SourceError as error:
        session.gap(error)
        session.progress(f"elasticsearch: {error.reason}")
        return
    questions = Questions(session, types)
    tell_of_other_times(session, questions.time_field, types.get(questions.time_field, set()))
    if session.journal.done("elasticsearch documents"):
        session.context.captured_at = questions.earlier_reading()
    else:
        questions.keep()
    _read(session, search, indices, Request("documents", questions.documents()))
    if questions.narrowed:
        limit = session.profile.elasticsearch.limit_without_pod
        _read(session, search, indices, Request("without-pod", questions.without_pod(), limit))
    _shifted(session, search, indices, questions)
    if session.profile.elasticsearch.failure_stores:
        _failures(session, search, indices, questions)


class Questions:
    """The queries of one capture, by the fields that the mapping really has."""

    def __init__(self, session: Session, types: dict[str, set[str]]) -> None:
        self._session = session
        settings = session.profile.elasticsearch
        roles = session.profile.fields
        margin = int(settings.margin_seconds * SECOND)
        window = session.context.window
        self.start, self.end = window.start - margin, min(window.end + margin, time.time_ns() + SECOND)
        self.time_field = next((f for f in roles.time if types.get(f, set()) & _DATES), roles.time[0])
        self.pod_fields = _exact_fields(roles.pod, types)
        self._namespace_fields = _exact_fields(roles.namespace, types)
        self._mapped_pod_fields = [f for f in roles.pod if f in types]
        self._pods = self._pod_names()
        self.narrowed = self._narrowing() is not None

    def _pod_names(self) -> list[str]:
        scope = self._session.scope
        names = {str(p["metadata"]["name"]) for p in self._session.pods if scope.includes(p)}
        return sorted(names | ({scope.pod_name} if scope.pod_name else set()))

    def _narrowing(self) -> dict[str, Any] | None:
        """The clause that keeps only the scope's documents; None when everything is wanted, or no field can tell."""
        scope = self._session.scope
        if scope.whole:
            return None
        clauses: list[dict[str, Any]] = []
        if scope.pod is None and scope.app is None and self._namespace_fields:
            clauses += [{"term": {field: scope.namespace}} for field in self._namespace_fields]
        else:
            clauses += [{"terms": {field: self._pods}} for field in self.pod_fields]
            clauses += [
                {"prefix": {field: f"{workload}-"}} for field in self.pod_fields for workload in self._workloads()
            ]
        return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else None

    def _workloads(self) -> list[str]:
        """Workloads of the Application: their earlier pods may be gone from Kubernetes, not from Elasticsearch."""
        scope = self._session.scope
        if scope.app is None:
            return []
        names = set()
        for pod in self._session.pods:
            generated = str(pod.get("metadata", {}).get("generateName") or "").rstrip("-")
            digest = str((pod.get("metadata", {}).get("labels") or {}).get("pod-template-hash") or "")
            if scope.includes(pod) and generated:
                names.add(generated.removesuffix(f"-{digest}") if digest else generated)
        return sorted(names)

    def documents(self) -> dict[str, Any]:
        """Everything of the scope in the window and its margin."""
        return self._bool([self._narrowing()])

    def without_pod(self) -> dict[str, Any]:
        """Documents that name no pod."""
        fields = self._mapped_pod_fields
        return self._bool([], must_not=[{"exists": {"field": field}} for field in fields])

    def shifted(self, pods: Sequence[str]) -> dict[str, Any]:
        """Documents of some pods that are hours away from the window, as a wrong time zone puts them."""
        away = _SHIFT_HOURS * 3600 * SECOND
        window = self._session.context.window
        own = {"range": {self.time_field: self._range()}}
        wide = {"range": {self.time_field: self._range(window.start - away, window.end + away)}}
        clauses = [{"terms": {field: list(pods)}} for field in self.pod_fields]
        kept = [self._session.profile.elasticsearch.filter] if self._session.profile.elasticsearch.filter else []
        of_pods = {"bool": {"should": clauses, "minimum_should_match": 1}}
        return {"bool": {"filter": [wide, of_pods, *kept], "must_not": [own]}}

    def failures(self) -> dict[str, Any]:
        """What a failure store keeps: its documents have a time of their own and the refused one inside."""
        return {"range": {"@timestamp": self._range()}}

    def _bool(self, clauses: Sequence[dict[str, Any] | None], **more: Any) -> dict[str, Any]:
        fixed = [{"range": {self.time_field: self._range()}}, self._session.profile.elasticsearch.filter]
        return {"bool": {"filter": [clause for clause in (*fixed, *clauses) if clause], **more}}

    def _range(self, start: int | None = None, end: int | None = None) -> dict[str, Any]:
        lower, upper = self.start if start is None else start, self.end if end is None else end
        return {"gte": format_ns(lower), "lt": format_ns(upper), "format": "strict_date_optional_time_nanos"}

    def keep(self) -> None:
        """Write what was asked, so that what was not asked for is not called missing."""
        asked: dict[str, Any] = {
            "indices": list(self._session.profile.elasticsearch.indices),
            "from": format_ns(self.start),
            "to": format_ns(self.end),
            "time_field": self.time_field,
            "filter": self._session.profile.elasticsearch.filter,
            "scope": self._session.scope.described(),
        }
        if self.narrowed:
            asked["pods"] = self._pods
        self._session.store.document(_QUERY, asked)

    def earlier_reading(self) -> int | None:
        """When an interrupted run of this capture read the documents; later ones are not in them."""
        return parse_rfc3339(str(self._session.store.read(_QUERY).get("opened_at")))


def _mappings(session: Session, search: Search, indices: Sequence[str]) -> str:
    mapping = search.mapping(indices)
    if not mapping:
        raise SourceIncomplete(
            "elasticsearch",
            ",".join(indices),
            "no index matches, or none that this user may read",
            "Check elasticsearch.indices in the profile, and the privileges: incident-kit doctor.",
        )
    session.store.document("elasticsearch/mappings.json", mapping)
    return f"{len(mapping)} indices"


@dataclass(frozen=True, slots=True)
class Request:
    """One reading: the stem of its files, its query, and how many documents at most."""

    stem: str
    query: dict[str, Any]
    limit: int | None = None


def _read(session: Session, search: Search, indices: Sequence[str], request: Request) -> None:
    session.step(
        f"elasticsearch {request.stem}", "elasticsearch", lambda: _documents(session, search, indices, request)
    )


def _documents(session: Session, search: Search, indices: Sequence[str], request: Request) -> str:
    """Read the documents of one request into files; what was obtained."""
    settings = session.profile.elasticsearch
    reading = Reading()
    began = time.monotonic()
    what = f"{request.stem} of {','.join(indices)}"
    with session.store.hits(f"elasticsearch/{request.stem}", settings.slices) as write:
        search.documents(
            indices,
            request.query,
            slices=settings.slices,
            page_size=settings.page_size,
            what=what,
            reading=reading,
            write=write,
            limit=request.limit,
        )
    if request.stem == "documents":
        session.context.captured_at = reading.opened_at
        session.store.document(_QUERY, {**session.store.read(_QUERY), "opened_at": format_ns(reading.opened_at)})
    for problem in reading.problems:
        # Hours away is a second look: what it misses makes no entry of the window unknown.
        hides = request.stem != "shifted"
        session.gap(SourceIncomplete("elasticsearch", what, problem, "Repeat the capture."), hides=hides)
    seconds = max(time.monotonic() - began, 0.001)
    return f"{reading.fetched} of {reading.expected} documents ({reading.fetched / seconds:,.0f}/s)"


def _shifted(session: Session, search: Search, indices: Sequence[str], questions: Questions) -> None:
    """A bounded second look, hours away, for pods whose console says more than Elasticsearch has in the window."""
    limit = session.profile.elasticsearch.limit_shifted
    if not questions.pod_fields or not limit or not session.console_lines:
        return

    def action() -> str:
        counted = _documents_by_pod(search, indices, questions)
        pods = sorted(pod for pod, lines in session.console_lines.items() if counted.get(pod, 0) < lines * _ENOUGH)
        if not pods:
            return "no pod lacks documents"
        query = questions.shifted(pods)
        return _documents(session, search, indices, Request("shifted", query, limit))

    session.step("elasticsearch shifted", "elasticsearch", action, hides=False)


def _documents_by_pod(search: Search, indices: Sequence[str], questions: Questions) -> Counter[str]:
    aggregations = {
        f"pods-{number}": {"terms": {"field": field, "size": 20_000}}
        for number, field in enumerate(questions.pod_fields)
    }
    body = {"size": 0, "query": questions.documents(), "aggs": aggregations}
    answer = search.ask(
        "POST", f"/{index_path(indices)}/_search?ignore_unavailable=true", body, what="documents by pod"
    )
    counted: Counter[str] = Counter()
    for aggregation in (answer.get("aggregations") or {}).values():
        for bucket in aggregation.get("buckets") or []:
            counted[str(bucket["key"])] += int(bucket["doc_count"])
    return counted


def _failures(session: Session, search: Search, indices: Sequence[str], questions: Questions) -> None:
    """Failure stores are optional: where the server knows none, nothing is missing."""
    stores = [f"{index}::failures" for index in indices]
    if not has_failures(session, search, stores):
        return
    limit = session.profile.elasticsearch.limit_without_pod
    _read(session, search, stores, Request("failures", questions.failures(), limit))


def _candidates(session: Session) -> list[str]:
    roles = session.profile.fields
    return [f"{field}{sub}" for field in (*roles.pod, *roles.namespace, *roles.time) for sub in _SUBFIELDS]


def _exact_fields(candidates: Sequence[str], types: dict[str, set[str]]) -> list[str]:
    """For each candidate that exists, the field that can be compared exactly."""
    found = []
    for candidate in candidates:
        exact = next(
            (f"{candidate}{sub}" for sub in _SUBFIELDS if types.get(f"{candidate}{sub}", set()) & _EXACT), None
        )
        if exact:
            found.append(exact)
    return found
