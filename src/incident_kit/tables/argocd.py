"""What Argo CD told: Applications and the syncs they remember."""

from __future__ import annotations

from incident_kit.tables.schema import FLAG, INTEGER, TEXT, TEXTS, TIME, declare

APPLICATIONS = declare(
    "applications",
    "one Argo CD Application at capture",
    "kubectl get applications.argoproj.io -A -o json, or argocd app list -o json",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("namespace", TEXT, "namespace of the Application object"),
        ("application", TEXT, "metadata.name"),
        ("uid", TEXT, "metadata.uid"),
        ("parent", TEXT, "Application that manages this one (app of apps)"),
        ("path", TEXT, "all Applications from the root to this one, rootapp/apps/orders-api"),
        ("project", TEXT, "spec.project"),
        ("destination_namespace", TEXT, "spec.destination.namespace"),
        ("automated", FLAG, "whether autosync is on"),
        ("self_heal", FLAG, "syncPolicy.automated.selfHeal"),
        ("prune", FLAG, "syncPolicy.automated.prune"),
        ("sync_status", TEXT, "Synced, OutOfSync, Unknown"),
        ("health", TEXT, "Healthy, Progressing, Degraded, ..."),
        ("revisions", TEXTS, "status.sync.revision(s)"),
        ("target_revisions", TEXTS, "targetRevision of each source"),
        ("images", TEXTS, "status.summary.images"),
        ("history_limit", INTEGER, "spec.revisionHistoryLimit, 10 by default"),
        ("history_length", INTEGER, "how many entries status.history held"),
        ("history_oldest_at", TIME, "deployedAt of its oldest entry; null when it holds none"),
        ("history_first_id", INTEGER, "id of its oldest entry: above 0 when older ones were dropped"),
        ("operation_pending", FLAG, ".operation is set: asked for and not finished"),
        ("reconciled_at", TIME, "status.reconciledAt, whole seconds"),
        ("conditions", TEXT, "status.conditions as JSON"),
        ("resources", TEXT, "status.resources as JSON"),
        ("created_at", TIME, "metadata.creationTimestamp"),
    ],
    key=("namespace", "application"),
    order=("namespace", "application"),
)

SYNCS = declare(
    "syncs",
    "one sync operation of an Application that some evidence remembers",
    "status.history[], status.operationState, events OperationStarted / OperationCompleted",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("namespace", TEXT, "namespace of the Application object"),
        ("application", TEXT, "Application"),
        ("application_uid", TEXT, "its metadata.uid: one that was deleted and made anew has another"),
        ("history_id", INTEGER, "id in history; null where history has none"),
        ("revisions", TEXTS, "one per source"),
        ("sources", TEXTS, "one per source: repository, path or chart, targetRevision"),
        ("started_at", TIME, "deployStartedAt / startedAt, whole seconds"),
        ("finished_at", TIME, "deployedAt / finishedAt, whole seconds"),
        ("initiated_by", TEXT, "user name; null when automated or not recorded"),
        ("automated", FLAG, "by Argo CD itself (autosync, self-heal); null when not recorded"),
        ("phase", TEXT, "Succeeded, Failed, Error, Running, Terminating"),
        ("dry_run", FLAG, "operation.sync.dryRun; for events alone inferred from what history lacks, else null"),
        ("prune", FLAG, "operation.sync.prune"),
        ("partial", FLAG, "limited to chosen resources: such a sync leaves no history entry"),
        ("selected_resources", TEXTS, "kind/name of a selective sync where recorded; empty for a whole one"),
        (
            "rollback",
            FLAG,
            "goes back to a revision that history held before the one it replaces, or its event says so",
        ),
        ("message", TEXT, "operationState.message or event message"),
        ("results", TEXT, "syncResult.resources as JSON; null where only history or an event remembers it"),
        ("source", TEXT, "history, operationState, event, joined by +"),
    ],
    order=("finished_at", "application", "history_id"),
)
