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
        ("parent", TEXT, "Application that manages this one (app of apps)"),
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
        ("history_id", INTEGER, "id in history; null where history has none"),
        ("revisions", TEXTS, "one per source"),
        ("started_at", TIME, "deployStartedAt / startedAt, whole seconds"),
        ("finished_at", TIME, "deployedAt / finishedAt, whole seconds"),
        ("initiated_by", TEXT, "user name; null when automated or not recorded"),
        ("automated", FLAG, "null when not recorded"),
        ("phase", TEXT, "Succeeded, Failed, Error, Running, Terminating"),
        ("dry_run", FLAG, "operation.sync.dryRun"),
        ("prune", FLAG, "operation.sync.prune"),
        ("selected_resources", TEXTS, "kind/name of a selective sync; empty for a whole one"),
        ("rollback", FLAG, "a sync to a revision that history held before"),
        ("message", TEXT, "operationState.message or event message"),
        ("results", TEXT, "syncResult.resources as JSON"),
        ("source", TEXT, "history, operationState or event"),
    ],
    order=("finished_at", "application"),
)
