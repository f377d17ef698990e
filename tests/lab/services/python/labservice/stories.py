"""What the services talk about: message templates with named properties, by service."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to log, before any library gave it a spelling."""

    level: str
    template: str
    properties: dict[str, object]
    logger: str
    failing: bool = False


Template = tuple[int, str, str, str]  # weight, level, logger, template

ORDERS: list[Template] = [
    (10, "INFO", "orders.intake", "Order {order} accepted for customer {customer}"),
    (8, "INFO", "orders.intake", "Priced {lines} lines of order {order} in {elapsed} ms"),
    (6, "INFO", "health", "heartbeat ok"),
    (5, "DEBUG", "orders.cache", "Cache miss for key {key}"),
    (3, "WARNING", "orders.stock", "Stock of {sku} is low: {quantity} left, café Zürich ñandú"),
    (2, "INFO", "audit", "User {customer} changed address of order {order}"),
    (1, "ERROR", "orders.intake", "Order {order} could not be stored"),
]
PAYMENTS: list[Template] = [
    (10, "INFO", "payments.gateway", "Payment {order} of {amount} EUR authorised for {customer}"),
    (8, "INFO", "payments.gateway", "Gateway answered {status} after {elapsed} ms"),
    (5, "INFO", "health", "heartbeat ok"),
    (3, "DEBUG", "payments.cache", "Token for {customer} found in cache"),
    (2, "WARNING", "payments.gateway", "Retrying payment {order}, attempt {lines}"),
    (1, "ERROR", "payments.gateway", "Payment {order} failed at the gateway"),
]
NOTIFICATIONS: list[Template] = [
    (10, "INFO", "notify.mail", "Mail {order} queued for template {key}"),
    (5, "INFO", "legacy.smtp", "SMTP session {order} closed after {elapsed} ms"),
    (4, "INFO", "notify.push", 'Push "{key}" delivered to {quantity} devices'),
    (3, "WARNING", "notify.mail", "Mail {order} deferred\nreason: greylisted\nretry in {elapsed} s"),
    (2, "INFO", "notify.render", "Rendered {key}: {long}"),
    (1, "ERROR", "notify.mail", "Mail {order} bounced"),
]
PRICING: list[Template] = [
    (10, "INFO", "pricing.engine", "Quote {order} computed in {elapsed} ms"),
    (4, "DEBUG", "pricing.engine", "Rule {key} applied to {sku}"),
    (3, "INFO", "health", "heartbeat ok"),
    (2, "WARNING", "pricing.engine", "Rate table {key} is {quantity} minutes old"),
]
ARCHIVE: list[Template] = [
    (10, "INFO", "archive.store", "Stored document {order} of {customer} in {elapsed} ms"),
    (4, "INFO", "archive.scan", "Scanned {order}: {pages}"),
    (3, "INFO", "health", "heartbeat ok"),
    (1, "ERROR", "archive.store", "Document {order} could not be stored"),
]
STORIES = {
    "orders": ORDERS,
    "payments": PAYMENTS,
    "notifications": NOTIFICATIONS,
    "pricing": PRICING,
    "archive": ARCHIVE,
}
BURST: Template = (1, "WARNING", "burst", "Dead letter {order} replayed from {key}, offset {quantity}")
REFUSED: Template = (1, "INFO", "carrier", "Carrier answered {carrier_code} for order {order}")
FRESH: Template = (1, "INFO", "attributes", "Attribute recorded for {sku}")


class Story:
    """An endless stream of events."""

    def __init__(self, name: str, seed: str, refused_every: int = 0, fresh_every: int = 0) -> None:
        """Choose the templates.

        Args:
            name: which story.
            seed: of the values.
            refused_every: each so many events one carries a value that no mapping takes.
            fresh_every: each so many events one carries a property that no event had before.
        """
        self._templates = STORIES[name]
        self._random = random.Random(seed)
        self._refused_every = refused_every
        self._fresh_every = fresh_every
        self._count = 0

    def next(self) -> Event:
        """The next event of the story."""
        self._count += 1
        if self._refused_every and self._count % self._refused_every == 0:
            return self.of(REFUSED)
        if self._fresh_every and self._count % self._fresh_every == 0:
            event = self.of(FRESH)
            return replace(event, properties={**event.properties, f"attr_{self._count}": self._count})
        weights = [weight for weight, *_ in self._templates]
        return self.of(self._random.choices(self._templates, weights)[0])

    def burst(self, count: int) -> Iterator[Event]:
        """Many events of one template, every fifth an innocent neighbour."""
        for number in range(count):
            yield self.next() if number % 5 == 4 else self.of(BURST)

    def of(self, template: Template) -> Event:
        """Fill one template with values."""
        _, level, logger, text = template
        values = self._values()
        properties = {name: value for name, value in values.items() if "{" + name + "}" in text}
        return Event(level, text, properties, logger, failing=level == "ERROR")

    def _values(self) -> dict[str, object]:
        pick = self._random
        return {
            "order": f"A-{pick.randrange(10**6, 10**7)}",
            "customer": pick.choice(["bob", "alice", "Jörg", "o'hara", "mei lin"]),
            "lines": pick.randrange(1, 9),
            "elapsed": pick.choice([pick.randrange(1, 900), round(pick.uniform(0.1, 90), 3)]),
            "key": f"tpl/{pick.choice(['welcome', 'invoice', 'reset'])}/{pick.randrange(99)}",
            "sku": f"SKU-{pick.randrange(1000)}",
            "quantity": pick.randrange(0, 5000),
            "amount": round(pick.uniform(1, 900), 2),
            "status": pick.choice([200, 200, 200, 202, 429, 503]),
            "carrier_code": f"DHL-{pick.randrange(10)}{pick.choice('AB')}",
            "long": "lorem ipsum dolor " * pick.choice([3, 50, 120]),
            "pages": f"page of {pick.randrange(10**6)} " * pick.choice([4, 40, 400, 2400]),
        }
