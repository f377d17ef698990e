"""Documents that are there, but not as one would look for them: nothing here may be called lost but what is."""

from __future__ import annotations

from dataclasses import replace

from . import faults
from .formats import FORMATS
from .model import MINUTE, SECOND, Case, Container, Event, at, rfc3339
from .services import FIELDS, FLAT, KUBERNETES, Shipping, deploy, log, run


def without_pod_field(case: Case) -> None:
    """A fresh node's first minutes without Kubernetes fields, and now and then later."""
    for format_name in ("logback", "serilog"):
        container = run(case, deploy(case, f"svc-{format_name}", format_name), KUBERNETES)
        faults.without_pod_field(
            container, KUBERNETES, lambda one: one.time < case.start + 4 * MINUTE or case.rng.random() < 0.02
        )
        faults.lose_at_random(case, container, 0.02)


def without_pod_field_twins(case: Case) -> None:
    """Two pods of a workload log alike; documents without the pod field belong to the one that wrote them."""
    for share in (0.03, 0.0):
        container = run(case, deploy(case, "orders-service", "python_stdlib"), FLAT)
        if share:
            faults.without_pod_field(container, FLAT, lambda _: case.rng.random() < 0.1)
        else:
            faults.lose_at_random(case, container, 0.03)


def midnight(case: Case) -> None:
    """Consoles with a time of day only, across midnight and the new year; klog's has no year."""
    case.start = at("2026-12-31T23:45:00Z")
    case.end = case.start + 30 * MINUTE
    for format_name in ("serilog", "logback", "klog", "pino_pretty"):
        container = run(case, deploy(case, f"svc-{format_name.replace('_', '-')}", format_name), Shipping())
        faults.lose_at_random(case, container, 0.03)


def carriage_returns(case: Case) -> None:
    """Lines that end in CRLF, and bytes that are no UTF-8."""
    container = run(case, deploy(case, "orders-service", "winston"), Shipping())
    faults.lose_at_random(case, container, 0.03)
    for number, entry in enumerate(container.entries):
        entry.text = "\n".join(line + "\r" for line in entry.text.split("\n"))
        if number % 40 == 7 and entry.document is not None and "ñ" not in entry.text:
            entry.text = entry.text[:-1] + " caf\udce9\r"
            entry.document.source["message"] = entry.document.source["message"] + " caf\ufffd"


def secrets_in_text(case: Case) -> None:
    """Text that redaction must change on both sides alike: addresses, card numbers, tokens, passwords in URLs."""
    rng = case.rng
    container = run(case, deploy(case, "kyc-service", "serilog"), Shipping(), per_minute=10)
    existing, container.entries = container.entries, []
    texts = (
        ("Mail {User} sent", lambda: f"{rng.choice(('alice', 'bob', 'carol'))}.{rng.randrange(99)}@example.com"),
        ("Card {User} charged", lambda: _card(rng.randrange(10**9, 10**10))),
        ("Connecting to {User}", lambda: f"amqp://svc:{rng.randrange(10**8, 10**9):x}@rabbit.internal:5672/shop"),
        (
            "Header Authorization: Bearer {User}",
            lambda: "eyJhbGciOiJIUzI1NiJ9." + "".join(rng.choices("abcdefXYZ0123", k=40)) + ".c2ln",
        ),
        ("Account {User} opened", lambda: f"DE{rng.randrange(10, 99)}{rng.randrange(10**17, 10**18)}"),
    )
    for n in range(150):
        template, value = texts[n % len(texts)]
        log(
            case,
            container,
            Event(case.start + MINUTE + n * 9 * SECOND, "info", "Bank.Kyc", template, {"User": value()}),
            Shipping(),
        )
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)
    faults.lose_at_random(case, container, 0.05)


def _card(number: int) -> str:
    """A card number whose check digit is right."""
    digits = f"411111{number:09d}"[:15]
    total = sum(int(d) if n % 2 else sum(divmod(int(d) * 2, 10)) for n, d in enumerate(digits))
    return digits + str(-total % 10)


def multiline_messages(case: Case) -> None:
    """SQL and pretty-printed JSON inside messages; the documents hold the line breaks."""
    for format_name in ("serilog_dated", "logback", "python_stdlib"):
        container = run(
            case, deploy(case, f"svc-{format_name.replace('_', '-')}", format_name), Shipping(), per_minute=8
        )
        existing, container.entries = container.entries, []
        for n in range(40):
            number = case.rng.randrange(10_000)
            text = (
                f"Executed DbCommand ({number % 90}ms)\n      SELECT [o].[Id], [o].[Amount]\n      FROM [Orders] AS [o]\n      WHERE [o].[Id] = {number}",
                f'Payload received: {{\n  "orderId": {number},\n  "legs": [\n    1,\n    2\n  ]\n}}',
            )[n % 2]
            log(
                case, container, Event(case.start + MINUTE + n * 30 * SECOND, "info", "Shop.Data", text, {}), Shipping()
            )
        container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)


def destructured(case: Case) -> None:
    """Serilog's ``{@Order}`` and lists: JSON on the console, Serilog's own notation in the document's message."""
    shipping = Shipping()
    container = run(case, deploy(case, "orders-service", "serilog"), shipping, per_minute=10)
    existing, container.entries = container.entries, []
    for n in range(60):
        number, name = case.rng.randrange(10_000), case.rng.choice(("bob", "alice", "O'Brien"))
        event = Event(
            case.start + MINUTE + n * 20 * SECOND,
            "info",
            "Shop.Orders",
            "Processing {@Order} for {Ids} in {Elapsed:0.00} ms",
            {"Order": {"Id": number, "Name": name, "Open": True}, "Ids": [number, n], "Elapsed": number / 7},
        )
        entry = log(case, container, event, shipping)
        elapsed = f"{number / 7:.2f}"
        head = entry.text.partition("] ")[0]
        entry.text = f'{head}] Processing {{"Id": {number}, "Name": "{name}", "Open": true, "$type": "Order"}} for [{number}, {n}] in {elapsed} ms'
        assert entry.document is not None
        entry.document.source["message"] = (
            f'Processing Order {{ Id: {number}, Name: "{name}", Open: True }} for [{number}, {n}] in {elapsed} ms'
        )
    lost = container.entries[5::15]
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)
    faults.lose(case, lost, "unexplained", why="lost at random")


def shipped_raw(case: Case) -> None:
    """A shipper reads the console itself: a document's message is the whole text, prefix, colours, trace and all."""
    for format_name in ("spring_coloured", "logback", "serilog", "klog"):
        container = run(
            case, deploy(case, f"svc-{format_name.replace('_', '-')}", format_name), KUBERNETES, per_minute=12
        )
        for entry in container.entries:
            assert entry.document is not None
            own = entry.document.source
            kept = {name: own[name] for name in ("kubernetes", "event") if name in own}
            entry.document.source = {
                "@timestamp": rfc3339(entry.time, 3),
                "message": entry.text,
                "stream": "stdout",
                "log": {"offset": entry.time % 10**6},
                **kept,
            }
            entry.document.time = entry.time
        faults.lose_at_random(case, container, 0.03)


def numbers_differ(case: Case) -> None:
    """Numbers, booleans and nulls that the two sinks render differently; template and properties are beside the message."""
    shipping = Shipping()
    container = run(case, deploy(case, "quotes-service", "serilog_dated"), shipping, per_minute=10)
    existing, container.entries = container.entries, []
    for n in range(80):
        whole = case.rng.randrange(100, 90_000)
        event = Event(
            case.start + MINUTE + n * 15 * SECOND,
            "info",
            "Shop.Quotes",
            "Limit {Limit} of {Client} used {Share}, open={Enabled}",
            {
                "Limit": float(whole),
                "Client": case.rng.choice(("web", "ios")),
                "Share": case.rng.randrange(1, 99) / 10,
                "Enabled": True,
            },
        )
        entry = log(case, container, event, shipping)
        head = entry.text.partition(") ")[0]
        entry.text = (
            f"{head}) Limit {whole}.00 of {event.properties['Client']} used {event.properties['Share']:.2f}, open=True"
        )
    lost = container.entries[5::20]
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)
    faults.lose(case, lost, "unexplained", why="lost at random")


def sidecar_unread(case: Case) -> None:
    """A sidecar's documents under the same podName, its console not collected."""
    app = deploy(case, "orders-service", "logback")
    proxy = app.owner.add(Container("proxy", FORMATS["zap_json"], started=app.started))
    run(case, app, Shipping())
    run(case, proxy, Shipping())
    proxy.unreadable = ""
    for document in case.documents:
        if document.container is proxy:
            document.verdicts, document.why = {"unknown", "elastic_only"}, "the sidecar's console was not collected"
    faults.lose_at_random(case, app, 0.03)


def shifted_two_hours(case: Case) -> None:
    """One service's times are read as local; its neighbour's are right."""
    container = run(case, deploy(case, "ledger-service", "log4j2"), Shipping())
    faults.lose_at_random(case, container, 0.02)
    faults.shift(faults.shipped(container), 2, why="local time read as UTC")
    run(case, deploy(case, "orders-service", "log4j2"), Shipping())


def shifted_half_way(case: Case) -> None:
    """From a redeployed pipeline on, times are six hours early."""
    container = run(case, deploy(case, "orders-service", "python_stdlib"), FLAT)
    faults.shift(
        [one for one in faults.shipped(container) if one.time > case.start + 14 * MINUTE], -6, why="a pipeline's zone"
    )


def shifted_india(case: Case) -> None:
    """A shift of five and a half hours."""
    container = run(case, deploy(case, "orders-service", "nlog"), Shipping())
    faults.shift(faults.shipped(container), 5.5, why="IST read as UTC")


def truncated(case: Case) -> None:
    """Long messages are cut at 602 characters, and in another service everything at 50."""
    container = run(case, deploy(case, "orders-service", "logback"), Shipping())
    _lengthen(case, container, Shipping())
    faults.truncate(faults.shipped(container), lambda _: 602)
    container = run(case, deploy(case, "quotes-api", "serilog"), FIELDS)
    faults.truncate(faults.shipped(container), lambda _: 50)


def _lengthen(case: Case, container: Container, shipping: Shipping) -> None:
    existing, container.entries = container.entries, []
    for n in range(25):
        words = " ".join(
            case.rng.choices(("debit", "credit", "IBAN", "ref", "ñandú", "value-date"), k=case.rng.randrange(60, 400))
        )
        log(
            case,
            container,
            Event(
                case.start + MINUTE + n * 40 * SECOND, "info", "Bank.Ledger", "Posting booked: {Note}", {"Note": words}
            ),
            shipping,
        )
    container.entries = sorted([*existing, *container.entries], key=lambda one: one.time)


def duplicated(case: Case) -> None:
    """Retries deliver single documents and a whole run of them again."""
    container = run(case, deploy(case, "orders-service", "spring"), KUBERNETES)
    faults.lose_at_random(case, container, 0.02)
    entries = faults.shipped(container)
    faults.duplicate(case, entries[100:130])
    faults.duplicate(case, case.rng.sample(entries[150:], 12), copies=2)


def late(case: Case) -> None:
    """Now and then documents arrive minutes after the others."""
    container = run(case, deploy(case, "orders-service", "serilog"), replace(Shipping(), ingested=True))
    for entry in case.rng.sample(faults.shipped(container), 15):
        faults.late(entry, case.rng.randrange(4 * MINUTE, 10 * MINUTE), why="arrived minutes later")


def failure_store(case: Case) -> None:
    """Refused documents are in the failure store, with their reasons."""
    container = run(case, deploy(case, "orders-service", "serilog_ecs"), KUBERNETES)
    chosen = case.rng.sample(faults.shipped(container), 14)
    faults.to_failure_store(case, chosen, "metadata.Amount", "long", "n/a")
    faults.lose_at_random(case, container, 0.02)


def sidecars(case: Case) -> None:
    """Three containers' documents merged under one podName, with equal heartbeats and no container field."""
    app = deploy(case, "orders-service", "serilog")
    proxy = app.owner.add(Container("proxy", FORMATS["zap_json"], started=app.started))
    agent = app.owner.add(Container("agent", FORMATS["serilog"], started=app.started))
    for container, pace in ((app, 20), (proxy, 40), (agent, 5)):
        run(case, container, Shipping(), per_minute=pace)
    faults.lose_at_random(case, app, 0.03)
    faults.lose_at_random(case, proxy, 0.01)


def namesakes(case: Case) -> None:
    """Two StatefulSets' pods share a name in two namespaces; documents name the namespace."""
    for namespace, share in (("shop", 0.04), ("shop-staging", 0.0)):
        container = deploy(case, "bank", "logback", namespace=namespace, kind="StatefulSet")
        container.owner.name = "bank-0"
        run(case, container, KUBERNETES)
        if share:
            faults.lose_at_random(case, container, share)


def namesake_elsewhere(case: Case) -> None:
    """A namesake pod's documents are in the same index, but its console is not in this folder."""
    shipping = replace(Shipping(), namespace_field="kubernetes.namespace")
    mine = run(case, deploy(case, "bank", "serilog", kind="StatefulSet"), shipping)
    other = deploy(case, "bank", "serilog", namespace="staging", kind="StatefulSet")
    other.owner.name = mine.owner.name
    run(case, other, shipping)
    other.unreadable, other.owner.listed = "", False
    faults.lose_at_random(case, mine, 0.04)


def skewed(case: Case) -> None:
    """The processes' clocks are 3.2 s ahead in one pod and 0.8 s behind in another."""
    for clock in (3_200_000_000, -800_000_000):
        container = deploy(case, "orders-service", "loguru")
        container.clock = clock
        run(case, container, Shipping())
        faults.lose_at_random(case, container, 0.03)


def milliseconds(case: Case) -> None:
    """Times cut to milliseconds and to seconds in the documents, whole on the console."""
    for digits in (3, 0):
        container = run(
            case,
            deploy(case, "orders-service", "slog_json"),
            replace(Shipping(), timestamp_digits=digits),
            per_minute=60,
        )
        faults.lose_at_random(case, container, 0.03)


def elastic_only(case: Case) -> None:
    """The console's minimum level is above the sink's: DEBUG is only in Elasticsearch."""
    container = run(case, deploy(case, "orders-service", "spring"), KUBERNETES, weights=(0.7, 0.1, 0.05, 0.15))
    for entry in [one for one in container.entries if one.event and one.event.level == "debug"]:
        container.entries.remove(entry)
        assert entry.document is not None
        entry.document.verdicts, entry.document.why = {"elastic_only"}, "below the console's level"
    faults.lose_at_random(case, container, 0.02)


def retried_and_split(case: Case) -> None:
    """Documents in three files out of order, console times with an offset, everything compressed."""
    case.elasticsearch_files, case.console_zone, case.compressed = 3, "+05:00", True
    container = run(case, deploy(case, "orders-service", "winston"), Shipping())
    faults.lose_at_random(case, container, 0.03)
    faults.duplicate(case, case.rng.sample(faults.shipped(container), 5))


CASES = {
    make.__name__: make
    for make in (
        without_pod_field,
        without_pod_field_twins,
        midnight,
        carriage_returns,
        secrets_in_text,
        multiline_messages,
        destructured,
        shipped_raw,
        numbers_differ,
        sidecar_unread,
        shifted_two_hours,
        shifted_half_way,
        shifted_india,
        truncated,
        duplicated,
        late,
        failure_store,
        sidecars,
        namesakes,
        namesake_elsewhere,
        skewed,
        milliseconds,
        elastic_only,
        retried_and_split,
    )
}
