"""What RabbitMQ told: connections over time, channels, consumers, queues, nodes."""

from __future__ import annotations

from incident_kit.tables.schema import FLAG, INTEGER, TEXT, TEXTS, TIME, declare

CONNECTIONS = declare(
    "connections",
    "one AMQP connection interval as one source saw it (API, broker log, Metricbeat); merged by correlate",
    "management API /api/connections; broker log; Metricbeat rabbitmq.connection",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster, from the manifest"),
        ("rabbit_node", TEXT, "node that holds the connection, e.g. rabbit@host"),
        ("connection", TEXT, "name, '10.2.3.4:40631 -> 10.0.0.5:5672'"),
        ("peer_host", TEXT, "address (or reverse DNS name) of the client as the broker saw it; no brackets"),
        ("peer_port", INTEGER, "port of the client as the broker saw it"),
        ("connected_at", TIME, "when it was opened (API: ms; log: as logged); null when not known"),
        ("closed_at", TIME, "when it was closed; null when open or not known"),
        ("first_seen_at", TIME, "earliest observation by this source"),
        ("last_seen_at", TIME, "latest observation by this source"),
        ("user_provided_name", TEXT, "client-provided connection name; not unique"),
        ("vhost", TEXT, "virtual host"),
        ("user", TEXT, "user"),
        ("state", TEXT, "running, blocking, blocked, closed ..."),
        ("channel_count", INTEGER, "channels at last observation"),
        ("close_reason", TEXT, "the broker's reason of a bad end"),
        ("observed", FLAG, "false where connected_at or the node is inferred"),
        (
            "zone_known",
            FLAG,
            "false where a log's times carry no zone and nothing tells it, so that they are taken as UTC",
        ),
        ("source", TEXT, "management_api, broker_log, metricbeat, event_exchange"),
    ],
    key=(),
    order=("connected_at", "rabbit_node", "connection"),
)

CHANNELS = declare(
    "channels",
    "one channel at capture",
    "management API /api/channels",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("rabbit_node", TEXT, "node"),
        ("connection", TEXT, "connection name"),
        ("number", INTEGER, "channel number"),
        ("consumer_count", INTEGER, "consumers"),
        ("messages_unacknowledged", INTEGER, "deliveries not yet acknowledged"),
        ("prefetch_count", INTEGER, "basic.qos"),
        ("idle_since", TIME, "idle since"),
        ("vhost", TEXT, "virtual host"),
        ("published", INTEGER, "messages published since it was opened; null where not told"),
    ],
    order=("connection", "number"),
)

PUBLISHES = declare(
    "publishes",
    "one channel that publishes to one exchange, at capture; known only where rates_mode is detailed",
    "management API /api/exchanges/VHOST/NAME incoming, /api/channels/NAME publishes",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("connection", TEXT, "connection name"),
        ("channel", TEXT, "channel name"),
        ("vhost", TEXT, "virtual host of the exchange"),
        ("exchange", TEXT, "exchange name; empty for the default exchange"),
        ("published", INTEGER, "messages published by this channel to this exchange"),
    ],
    order=("vhost", "exchange", "channel"),
)

BINDINGS = declare(
    "bindings",
    "one binding at capture, without those of the default exchange, which every queue has",
    "management API /api/bindings",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("vhost", TEXT, "virtual host"),
        ("exchange", TEXT, "exchange that routes"),
        ("destination_type", TEXT, "queue or exchange"),
        ("destination", TEXT, "queue or exchange routed to"),
        ("routing_key", TEXT, "routing key or pattern"),
    ],
    order=("vhost", "exchange", "destination_type", "destination", "routing_key"),
)

CONSUMERS = declare(
    "consumers",
    "one consumer at capture",
    "management API /api/consumers",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("connection", TEXT, "connection name; null where the row was half formed"),
        ("channel", TEXT, "channel name"),
        ("vhost", TEXT, "virtual host of the queue"),
        ("queue", TEXT, "queue name"),
        ("consumer_tag", TEXT, "consumer tag"),
        ("active", FLAG, "false for a waiting single active consumer"),
    ],
    order=("vhost", "queue", "consumer_tag"),
)

QUEUES = declare(
    "queues",
    "one queue at capture",
    "management API /api/queues",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("vhost", TEXT, "virtual host"),
        ("queue", TEXT, "queue name"),
        ("type", TEXT, "classic, quorum or stream"),
        ("leader", TEXT, "node that leads it (classic: its node)"),
        ("members", TEXTS, "nodes that hold a replica"),
        ("online", TEXTS, "members that are online"),
        ("messages", INTEGER, "messages"),
        ("messages_unacknowledged", INTEGER, "unacknowledged"),
        ("consumer_count", INTEGER, "consumers"),
        ("state", TEXT, "running, idle, down ..."),
    ],
    order=("vhost", "queue"),
)

RABBIT_NODES = declare(
    "rabbit_nodes",
    "one RabbitMQ node at capture, also those that are not running",
    "management API /api/nodes; broker log",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("rabbit_node", TEXT, "node name"),
        ("running", FLAG, "running at capture"),
        ("memory_alarm", FLAG, "mem_alarm"),
        ("disk_alarm", FLAG, "disk_free_alarm"),
        ("partitions", TEXTS, "nodes it is partitioned from"),
        ("version", TEXT, "RabbitMQ version, from overview"),
        ("memory_used_bytes", INTEGER, "mem_used"),
        ("uptime_ms", INTEGER, "uptime in milliseconds at capture"),
        ("started_at", TIME, "capture time minus uptime, or from the log"),
    ],
    key=("rabbit_node",),
    order=("rabbit_node",),
)

RABBIT_EVENTS = declare(
    "rabbit_events",
    "one thing that happened to a RabbitMQ node: started, stopped, peer_down, alarm_set, alarm_cleared, drained, revived ...",
    "broker log",
    [
        ("cluster", TEXT, "name of the Kubernetes cluster"),
        ("time", TIME, "as logged"),
        ("rabbit_node", TEXT, "node it happened to"),
        ("reported_by", TEXT, "node whose log says so"),
        ("event", TEXT, "what happened"),
        ("detail", TEXT, "the line"),
    ],
    order=("time", "rabbit_node"),
)
