"""Message templates and values as backend services of a bank or a shop write them."""

from __future__ import annotations

import random
import string
import uuid
from typing import Any

from .model import JsonObject

INFORMATION = (
    "User {User} logged in",
    "User {User} logged in from {RemoteIp} using {Client}",
    "Order {OrderId} settled for {Amount} {Currency}",
    "Received {MessageType} from queue {Queue} with delivery tag {DeliveryTag}",
    "Published {MessageType} to exchange {Exchange}",
    "HTTP {Method} {Path} responded {StatusCode} in {Elapsed} ms",
    "Consumer {Consumer} attached to {Queue}, prefetch {Prefetch}",
    "Quote for {Pair} refreshed: bid {Bid}, ask {Ask}",
    "Wallet {WalletId} credited, new balance {Balance}",
    "Cache miss for key {CacheKey}",
    "Scheduled job {Job} finished: {Processed} processed, {Skipped} skipped",
    "Sent notification to customer {CustomerName}",
    "Executed DbCommand ({Elapsed}ms) [CommandType={CommandType}, CommandTimeout={Timeout}]",
    "Request starting {Protocol} {Method} {Url}",
    "Withdrawal {OrderId} approved by {User}",
    "Rate limit for {Client} reset to {Remaining}",
    "Loaded {Count} instruments in {Elapsed} ms",
    "Idempotency key {Key} accepted",
    "Health check {Check} is {State}",
    "Batch {Batch} of {Count} rows written to {Table}",
    "Settlement window {Window} opened; cut-off in {Minutes} min",
    "Customer note: {Note}",
)
DEBUG = (
    "Resolved {Service} to {RemoteIp}",
    "Lock {Key} acquired after {Elapsed} ms",
    "Polling {Queue}: {Count} messages ready",
    "Token for {Client} still valid for {Seconds} s",
)
WARNING = (
    "Slow query on {Table}: {Elapsed} ms",
    "Retry {Attempt} of {Limit} for {Url}",
    "Circuit for {Service} is half open",
    "Order {OrderId} has no counterparty, falling back to {User}",
    "Unexpected status {StatusCode} from {Service}: {Note}",
)
ERROR = (
    "Failed to settle order {OrderId}",
    "Unhandled failure in consumer {Consumer}",
    "Could not reach {Service} at {Url}",
    "Rejecting message {DeliveryTag} from {Queue}: {Note}",
)
FATAL = ("Host terminated unexpectedly: {Note}",)
TEMPLATES = {"debug": DEBUG, "info": INFORMATION, "warn": WARNING, "error": ERROR, "fatal": FATAL}

NAMES = ("bob", "alice", "Jürgen Weiß", "O'Brien", "maría-josé", "svc-deploy", "x.li", "Ngũgĩ wa Thiong'o", "山田太郎")
NOTES = (
    "timeout while waiting for lock",
    'he said "later" and left',
    "100% of quota used",
    "path C:\\data\\in not found",
    "retry in 5s (attempt 3/5)",
    "naïve café résumé",
    "a=b; c=d | e",
    "{not a template}",
    "  leading and trailing  ",
    "tab\tseparated",
    "emoji 🚀 launched",
    "",
)
LOGGERS = (
    "Shop.Orders.OrderService",
    "Shop.Api.Controllers.QuoteController",
    "Bank.Bitso.Consumers.WithdrawalConsumer",
    "Microsoft.AspNetCore.Hosting.Diagnostics",
    "Microsoft.EntityFrameworkCore.Database.Command",
    "Bank.Ledger.Jobs.SettlementJob",
)


def value_of(slot: str, rng: random.Random) -> Any:
    """A plausible value for a template's slot: the slot's name decides the type."""
    makers: JsonObject = {
        "User": lambda: rng.choice(NAMES),
        "CustomerName": lambda: rng.choice(NAMES),
        "Note": lambda: rng.choice(NOTES),
        "RemoteIp": lambda: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
        "OrderId": lambda: rng.randrange(10_000, 10_000_000),
        "DeliveryTag": lambda: rng.randrange(1, 9000),
        "WalletId": lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "Key": lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "Batch": lambda: "".join(rng.choices(string.ascii_uppercase + string.digits, k=8)),
        "Amount": lambda: round(rng.uniform(1, 90_000), 2),
        "Balance": lambda: round(rng.uniform(0, 1e6), 2),
        "Bid": lambda: round(rng.uniform(10, 70_000), 4),
        "Ask": lambda: round(rng.uniform(10, 70_000), 4),
        "Elapsed": lambda: round(rng.uniform(0.1, 900), 4),
        "StatusCode": lambda: rng.choice((200, 200, 200, 201, 204, 400, 404, 409, 500, 503)),
        "Method": lambda: rng.choice(("GET", "POST", "PUT", "DELETE")),
        "Path": lambda: f"/api/v{rng.randrange(1, 4)}/orders/{rng.randrange(1, 99999)}",
        "Url": lambda: (
            f"https://{rng.choice(('ledger', 'quotes', 'kyc'))}.internal:8443/v1/{rng.randrange(999)}?full=true"
        ),
        "Currency": lambda: rng.choice(("EUR", "USD", "MXN", "BTC")),
        "Pair": lambda: rng.choice(("BTC/MXN", "ETH/USD", "EUR/USD")),
        "Queue": lambda: rng.choice(("orders.created", "ledger.postings", "quotes")),
        "Exchange": lambda: rng.choice(("events", "commands", "dead-letter")),
        "MessageType": lambda: rng.choice(("OrderCreated", "WithdrawalRequested", "QuoteRefreshed")),
        "Consumer": lambda: f"amq.ctag-{''.join(rng.choices(string.ascii_letters, k=12))}",
        "Service": lambda: rng.choice(("ledger-api", "quotes-service", "kyc-api")),
        "Client": lambda: rng.choice(("web", "ios/17.2", "android", "Mozilla/5.0 (X11; Linux)")),
        "Table": lambda: rng.choice(("dbo.Orders", "ledger.postings", "quotes")),
        "CacheKey": lambda: f"quote:{rng.choice(('BTC', 'ETH'))}:{rng.randrange(9999)}",
        "Job": lambda: rng.choice(("settle", "reconcile-wallets", "purge")),
        "CommandType": lambda: "Text",
        "Protocol": lambda: "HTTP/1.1",
        "Check": lambda: rng.choice(("rabbitmq", "sql", "self")),
        "State": lambda: rng.choice(("Healthy", "Degraded")),
        "Window": lambda: f"{rng.randrange(24):02d}:00",
        "Enabled": lambda: rng.random() < 0.5,
    }
    return makers[slot]() if slot in makers else rng.randrange(1, 5000)


def slots(template: str) -> list[str]:
    """The names of a template's slots in order."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def invent_templates(rng: random.Random, count: int) -> list[str]:
    """So many further templates, put together from a service's verbs and nouns."""
    verbs = ("Applied", "Queued", "Dropped", "Verified", "Merged", "Archived", "Priced", "Matched", "Signed", "Expired")
    nouns = ("invoice", "mandate", "posting", "quote", "ticket", "transfer", "statement", "limit", "card", "hedge")
    tails = (
        "for {User}",
        "in {Elapsed} ms",
        "({Count} left)",
        "on {Table}",
        "with key {Key}",
        "[enabled={Enabled}]",
        "via {Url}",
        "",
    )
    made: list[str] = []
    while len(made) < count:
        middle = rng.choice(("{OrderId}", "#{Number}", "'{Batch}'", ""))
        text = " ".join(filter(None, (rng.choice(verbs), rng.choice(nouns), middle, rng.choice(tails))))
        if text not in made:
            made.append(text)
    return made
