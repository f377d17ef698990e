#!/bin/sh
# Collect an incident by hand, with kubectl, curl and jq only, into the folder that `incident-kit import` reads.
# What each setting means: docs/collect.md. It only reads, and goes on when a source does not answer: a file that is
# missing is a gap that the import names.
#
#   START=2026-11-20T08:00:00Z END=2026-11-20T10:00:00Z sh collect.sh collected
set -u
umask 077 # log text and ConfigMaps are confidential, and nothing is redacted before the import

out=${1:?usage: START=TIME [END=TIME] sh collect.sh FOLDER}
START=${START:?set START to the start of the window, e.g. 2026-11-20T08:00:00Z}
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
END=${END:-$now}
CLUSTER=${CLUSTER:-$(kubectl config current-context 2>/dev/null || echo unnamed)}
for program in kubectl curl jq; do
    command -v $program >/dev/null || { echo "collect: $program is not installed" >&2; exit 1; }
done
[ ! -e "$out" ] || { echo "collect: $out exists; choose another folder" >&2; exit 1; }
mkdir -p "$out" || exit 1
cd "$out" || exit 1
mkdir kubernetes console elasticsearch rabbitmq argocd

say() { echo "collect: $*" >&2; }

# save FILE COMMAND...: the command's output, or no file at all when it fails
save() {
    saved=$1; shift
    if "$@" >"$saved.part"; then mv "$saved.part" "$saved"; else rm -f "$saved.part"; say "$saved not collected"; return 1; fi
}

jq -n --arg from "$START" --arg to "$END" --arg at "$now" --arg cluster "$CLUSTER" \
    '{start: $from, end: $to, captured_at: $at, cluster: $cluster}' >window.json

# reachable [--context NAME]: whether kubectl has a cluster to ask; without one every list would only repeat that it has none
reachable() {
    error=$(kubectl "$@" --request-timeout=20s get --raw /version 2>&1 >/dev/null) && return 0
    case $error in *[Ff]orbidden*) return 0 ;; esac # it answers; each list says itself whether it may be read
    say "kubectl reaches no cluster: $(printf '%s\n' "$error" | tail -1)"; return 1
}

# --- Kubernetes: consoles first, they die first -----------------------------------------------------------------------
where=${NAMESPACE:+--namespace=$NAMESPACE}
where=${where:---all-namespaces}
if reachable; then
    say "Kubernetes: pods and consoles"
    if save kubernetes/pods.json kubectl get pods "$where" -o json --show-managed-fields; then
        jq -r '.items[] | . as $pod
            | (.status | (.initContainerStatuses // []) + (.containerStatuses // []) + (.ephemeralContainerStatuses // []))[]
            | [$pod.metadata.namespace, $pod.metadata.name, .name, .restartCount] | @tsv' kubernetes/pods.json |
            while IFS="$(printf '\t')" read -r namespace pod container restarts; do
                mkdir -p "console/$namespace/$pod"
                file=console/$namespace/$pod/$container
                save "$file.log" kubectl logs --namespace "$namespace" "$pod" -c "$container" --timestamps </dev/null
                [ "$restarts" = 0 ] ||
                    save "$file.previous.log" kubectl logs --namespace "$namespace" "$pod" -c "$container" --timestamps --previous </dev/null
            done
    fi
    say "Kubernetes: objects"
    for plural in events replicasets deployments statefulsets daemonsets jobs cronjobs controllerrevisions configmaps \
        networkpolicies services endpointslices ingresses horizontalpodautoscalers; do
        save kubernetes/$plural.json kubectl get $plural "$where" -o json --show-managed-fields
    done
    for plural in nodes namespaces; do # these belong to no namespace
        save kubernetes/$plural.json kubectl get $plural -o json --show-managed-fields
    done
    cluster=reached
fi

# --- Argo CD ----------------------------------------------------------------------------------------------------------
[ -z "${ARGOCD_CONTEXT:-}" ] || { cluster=''; reachable --context "$ARGOCD_CONTEXT" && cluster=reached; }
if [ -n "${cluster:-}" ]; then
    say "Argo CD"
    save argocd/applications.json kubectl ${ARGOCD_CONTEXT:+--context "$ARGOCD_CONTEXT"} get applications.argoproj.io \
        --all-namespaces -o json --show-managed-fields
fi

# --- RabbitMQ: lists come in pages ------------------------------------------------------------------------------------
# Credentials go to curl on standard input: arguments can be seen by every user of the machine.
rabbit() { printf 'user = "%s:%s"\n' "$RABBITMQ_USER" "$RABBITMQ_PASSWORD" | curl -sS -f -m 60 -K - "$RABBITMQ_URL/api/$1"; }
pages() {
    page=1
    while :; do
        answer=$(rabbit "$1?page=$page&page_size=500") || return 1
        printf '%s\n' "$answer" | jq -c '.items[]' || return 1
        [ "$page" -lt "$(printf '%s\n' "$answer" | jq .page_count)" ] || return 0
        page=$((page + 1))
    done
}
paged() { pages "$1" >"$1.pages" && jq -s . "$1.pages"; code=$?; rm -f "$1.pages"; return $code; }
if [ -n "${RABBITMQ_URL:-}" ]; then
    say "RabbitMQ"
    for list in overview nodes consumers; do save rabbitmq/$list.json rabbit $list; done
    for list in connections channels queues; do save rabbitmq/$list.json paged $list; done
fi

# --- Elasticsearch: every document of the window, page by page over a point in time ------------------------------------
elastic() { # METHOD PATH [BODY]
    { if [ -n "${ELASTICSEARCH_API_KEY:-}" ]; then printf 'header = "Authorization: ApiKey %s"\n' "$ELASTICSEARCH_API_KEY"
      elif [ -n "${ELASTICSEARCH_USER:-}" ]; then printf 'user = "%s:%s"\n' "$ELASTICSEARCH_USER" "$ELASTICSEARCH_PASSWORD"; fi
      echo 'header = "Content-Type: application/json"'; } |
        curl -sS -f -m 120 -K - -X "$1" "$ELASTICSEARCH_URL/$2" ${3:+--data "$3"}
}
hits() {
    pit=$(elastic POST "$INDICES/_pit?keep_alive=5m" | jq -r .id) && [ -n "$pit" ] || return 1
    after=null
    while :; do
        body=$(jq -nc --arg pit "$pit" --argjson after "$after" --arg from "$START" --arg to "$END" '
            {size: 5000, track_total_hits: false, pit: {id: $pit, keep_alive: "5m"},
             sort: [{"@timestamp": "asc"}, {_shard_doc: "asc"}],
             query: {range: {"@timestamp": {gte: ($from + "||-2m"), lt: ($to + "||+2m")}}}}
            + (if $after == null then {} else {search_after: $after} end)')
        elastic POST _search "$body" >page.json || return 1
        if jq -e '.timed_out or ._shards.failed > 0' page.json >/dev/null; then
            cp page.json elasticsearch/partial.json # the import reads from it what was not searched
            say "Elasticsearch answered only in part, see elasticsearch/partial.json"
        fi
        jq -c '.hits.hits[] | {_index, _id, _source}' page.json
        after=$(jq -c '.hits.hits[-1].sort // null' page.json)
        [ "$after" != null ] || break
        pit=$(jq -r '.pit_id // empty' page.json)
    done
    elastic DELETE _pit "$(jq -nc --arg id "$pit" '{id: $id}')" >/dev/null
    rm -f page.json
}
if [ -n "${ELASTICSEARCH_URL:-}" ]; then
    say "Elasticsearch"
    INDICES=${ELASTICSEARCH_INDICES:-logs-*}
    save elasticsearch/hits.ndjson hits && jq -n --arg indices "$INDICES" --arg from "$START" --arg to "$END" \
        '{indices: ($indices / ","), from: $from, to: $to}' >elasticsearch/query.json
    save elasticsearch/mappings.json elastic GET "$INDICES/_mapping"
fi

rmdir kubernetes console elasticsearch rabbitmq argocd 2>/dev/null
[ -n "$(ls -d kubernetes console elasticsearch rabbitmq argocd 2>/dev/null)" ] || { say "nothing could be collected"; exit 1; }
say "done; now: incident-kit import $out -o checkout.incident"
