"""The contracted columns of every answer, and of coverage and gaps."""

from __future__ import annotations

from incident_kit.tables.schema import FLAG, INTEGER, NUMBER, TEXT, TEXTS, TIME, Column, declare

GAPS = declare(
    "gaps",
    "something asked for and not obtained, or known to be incomplete",
    "capture, import and the normalisers",
    [
        ("source", TEXT, "kubernetes, console, elasticsearch, rabbitmq, argocd or bundle"),
        ("what", TEXT, "what was asked for; a file name with line where a file is broken"),
        ("from", TIME, "start of what is not known; null when not bound to a time"),
        ("to", TIME, "end of what is not known"),
        ("reason", TEXT, "why, in the server's words where it has any"),
        ("remedy", TEXT, "what to do, a command where there is one"),
    ],
    order=("source", "what", "from"),
)

COVERAGE = declare(
    "coverage",
    "from when to when one source is complete for one container",
    "console files, Elasticsearch queries and documents",
    [
        ("source", TEXT, "console or elasticsearch"),
        ("namespace", TEXT, "namespace"),
        ("pod", TEXT, "pod"),
        ("container", TEXT, "container; null when the source does not tell containers apart"),
        ("from", TIME, "complete from"),
        ("to", TIME, "complete to"),
        ("complete", FLAG, "whether everything between is known"),
        ("reason", TEXT, "why it is not, or what the bounds rest on"),
    ],
    order=("source", "namespace", "pod", "container", "from"),
)

_VERDICT_COLUMNS: list[Column] = [
    ("time", TIME, "kubelet time of the entry's first line; @timestamp of a document"),
    ("side", TEXT, "console or elastic"),
    ("namespace", TEXT, "namespace"),
    ("pod", TEXT, "pod"),
    ("container", TEXT, "container"),
    ("restart_count", INTEGER, "container instance"),
    ("stream", TEXT, "stdout or stderr; null where the log API does not say"),
    ("level", TEXT, "level in lower case, folded (information -> info)"),
    ("text", TEXT, "the entry as the console shows it; the message of a document"),
    ("image", TEXT, "image reference of the instance"),
    ("image_digest", TEXT, "digest of the instance"),
    (
        "verdict",
        TEXT,
        "matched, late, without_pod_name, at_other_time, truncated, rejected, console_only, "
        "unknown; duplicate, elastic_only",
    ),
    ("cause", TEXT, "cause of a console_only entry"),
    ("confidence", NUMBER, "0 to 1"),
    ("evidence", TEXT, "what verdict and cause rest on, or why an entry is unknown or was rejected, in one sentence"),
]

CONSOLE_ONLY = declare(
    "console-only",
    "one console entry, or one document without entry",
    "reconcile",
    _VERDICT_COLUMNS,
    order=("time", "namespace", "pod", "container"),
)

LOGS = declare(
    "logs",
    "one console entry or document, merged by time",
    "reconcile",
    [
        *_VERDICT_COLUMNS,
        ("message", TEXT, "the message without prefix"),
        ("logger", TEXT, "logger"),
        ("document_id", TEXT, "_index/_id of the document (of the matching one for an entry)"),
    ],
    order=("time", "namespace", "pod", "container"),
)

RESTARTS = declare(
    "restarts",
    "one container instance that ended",
    "CONTAINERS, EVENTS",
    [
        ("time", TIME, "when it ended"),
        ("namespace", TEXT, "namespace"),
        ("pod", TEXT, "pod"),
        ("pod_uid", TEXT, "pod uid"),
        ("container", TEXT, "container"),
        ("restart_count", INTEGER, "of the instance that ended"),
        ("started_at", TIME, "start of the instance"),
        ("finished_at", TIME, "end of the instance"),
        ("reason", TEXT, "OOMKilled, Error, Completed, Evicted ..."),
        ("exit_code", INTEGER, "exit code"),
        ("signal", INTEGER, "signal; derived from exit code - 128 where the runtime gave none"),
        ("image", TEXT, "reference as written"),
        ("image_digest", TEXT, "digest as run"),
        ("observed", FLAG, "false where inferred"),
        ("meaning", TEXT, "what the exit code means, in words"),
        ("source", TEXT, "what it is known from"),
        ("in_window", FLAG, "whether it ended inside the window; null where the time is not known"),
    ],
    order=("time", "namespace", "pod", "container", "restart_count"),
)

RABBIT = declare(
    "rabbit",
    "one connection interval of a pod (or of an address)",
    "CONNECTIONS, IP ledger",
    [
        ("namespace", TEXT, "namespace"),
        ("pod", TEXT, "pod; null when ambiguous or none"),
        ("pod_uid", TEXT, "pod uid; null when ambiguous or none"),
        ("rabbit_node", TEXT, "RabbitMQ node; null when the pod has no connection"),
        ("connection", TEXT, "connection name"),
        ("peer_host", TEXT, "client address as the broker saw it"),
        ("peer_port", INTEGER, "client port as the broker saw it"),
        ("connected_at", TIME, "opened"),
        ("closed_at", TIME, "closed; null while open or not known"),
        ("user_provided_name", TEXT, "client-provided name"),
        ("vhost", TEXT, "virtual host"),
        ("user", TEXT, "user"),
        ("match", TEXT, "client_name, pod_ip, ambiguous or none"),
        ("candidates", TEXTS, "namespace/pod of each candidate when ambiguous"),
        ("reason", TEXT, "why, in one sentence"),
        ("state", TEXT, "state at capture"),
        ("channel_count", INTEGER, "channels at capture"),
        ("consumes", TEXTS, "vhost/queue it consumes, with the queue's leader; null where nobody tells"),
        ("messages_unacknowledged", INTEGER, "over its channels"),
        ("close_reason", TEXT, "the broker's reason of a bad end"),
        ("observed", FLAG, "false where the opening, the end or the node is inferred"),
        ("moved_to", TEXT, "node of the pod's next connection after this one ended with its node"),
        ("moved_at", TIME, "when that connection was opened"),
        ("source", TEXT, "management_api, broker_log, metricbeat, joined by +"),
    ],
    order=("connected_at", "connection"),
)

WHOIS = declare(
    "whois",
    "one candidate pod and interval for an address",
    "IP ledger",
    [
        ("ip", TEXT, "the address asked for"),
        ("namespace", TEXT, "namespace"),
        ("pod", TEXT, "pod; null for an address of a node or proxy without hostNetwork pods"),
        ("pod_uid", TEXT, "pod uid"),
        ("from", TIME, "held from"),
        ("to", TIME, "held to; null while held"),
        ("source", TEXT, "what the interval rests on"),
        ("reason", TEXT, "why this row"),
    ],
    order=("from", "namespace", "pod"),
)

REACH = declare(
    "reach",
    "one port of a server that a pod may or may not reach",
    "OBJECTS (NetworkPolicies, Services, pods), CONNECTIONS",
    [
        ("namespace", TEXT, "namespace of the pod"),
        ("pod", TEXT, "pod that connects"),
        ("to", TEXT, "Service as namespace/name, or where else the server is"),
        ("system", TEXT, "RabbitMQ, Elasticsearch, or the port of the Service asked for"),
        ("allowed", FLAG, "whether the NetworkPolicies allow it; null where an address that decides is not known"),
        ("before", FLAG, "whether they did before the last change of one that concerns it; null where nothing tells"),
        ("since", TIME, "that last change"),
        ("policies", TEXTS, "namespace/name of each policy that selects the pod or what stands behind the server"),
        ("reason", TEXT, "why, in one sentence"),
    ],
    order=("namespace", "pod", "to", "system"),
)

PRECEDING = declare(
    "preceding",
    "one change that came before a symptom, and by which path it is near; not its cause",
    "CHANGES",
    [
        ("symptom", TEXT, "what happened"),
        ("time", TIME, "when"),
        (
            "path",
            TEXT,
            "same pod, same workload, same config, same network policy, upstream queue, same node, same virtual host",
        ),
        ("lag_seconds", NUMBER, "from the change to the symptom"),
        ("kind", TEXT, "kind of the object that changed"),
        ("namespace", TEXT, "its namespace"),
        ("name", TEXT, "its name"),
        ("what", TEXT, "as in CHANGES"),
        ("old", TEXT, "before"),
        ("new", TEXT, "after"),
        ("by", TEXT, "user or field manager"),
        ("via", TEXT, "what the path leads over: the exchange and queue, or the virtual host"),
    ],
    order=("time", "lag_seconds"),
)

CHANGES = declare(
    "changes",
    "one change, with all evidence for it",
    "SYNCS, OBJECTS, CONTAINERS, EVENTS",
    [
        ("time", TIME, "when it took effect, as precisely as known"),
        ("kind", TEXT, "kind of the object that changed"),
        ("namespace", TEXT, "namespace"),
        ("name", TEXT, "name of the object"),
        ("what", TEXT, "sync, rollback, image, config, restart, deploy_restart, network_policy, job, ..."),
        ("old", TEXT, "before, where known"),
        ("new", TEXT, "after"),
        ("by", TEXT, "user or field manager; null when not recorded"),
        ("automated", FLAG, "null when not recorded"),
        ("evidence", TEXTS, "what it rests on"),
        ("observed", FLAG, "false where inferred"),
        ("precision_seconds", NUMBER, "how precise the time is"),
        ("application", TEXT, "path of Argo CD Applications, rootapp/apps/orders-api"),
        ("undone_by", TEXT, "what undid it, where something did"),
    ],
    order=("time", "kind", "namespace", "name", "what"),
)

FINDINGS = declare(
    "findings",
    "one judgement of one rule about one subject",
    "rules",
    [
        ("rule", TEXT, "name of the rule"),
        ("severity", TEXT, "critical, warning or info"),
        ("title", TEXT, "one sentence"),
        ("time", TIME, "when"),
        ("kind", TEXT, "kind of the subject"),
        ("namespace", TEXT, "namespace of the subject"),
        ("name", TEXT, "name of the subject"),
        ("evidence", TEXTS, "what it rests on"),
        ("confidence", NUMBER, "0 to 1"),
        ("next_step", TEXT, "what to do or look at next"),
        ("refuted_by", TEXT, "what would refute it"),
    ],
    order=("time", "rule", "namespace", "name"),
)

DIFF = declare(
    "diff",
    "one thing that was so at one time and is not at another",
    "CHANGES, pod lifetimes; OBJECTS of two bundles",
    [
        ("time", TIME, "when it changed, where known; null between two bundles"),
        ("kind", TEXT, "kind of the object"),
        ("namespace", TEXT, "namespace"),
        ("name", TEXT, "name"),
        ("what", TEXT, "existence, image, template, config, spec, revision, alive, rabbit_node ..."),
        ("before", TEXT, "as it was at the first time; null where it was not there or is not known"),
        ("after", TEXT, "as it was at the second time; null where it was not there any more"),
        ("evidence", TEXTS, "what it rests on"),
        ("observed", FLAG, "false where inferred"),
    ],
    order=("kind", "namespace", "name", "what"),
)
