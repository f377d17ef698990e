"""Every error the kit raises on purpose.

Each says in one message what failed, why, and what to do::

    IncidentKitError
    ├─ UsageError (ValueError)       the question itself is wrong: ambiguous name, time without zone
    ├─ ProfileError (ValueError)     a setting is missing or contradictory
    ├─ NotFoundError (LookupError)   a name that the evidence does not know; carries near names
    ├─ SourceError                   a system could not be read
    │  ├─ SourceUnreachable          no answer: address, proxy, TLS, time-out
    │  ├─ SourceDenied               401/403: names the verb or privilege needed
    │  └─ SourceIncomplete           part of an answer: failed shards, expired token, rotated log
    ├─ TableError (ValueError)       a frame is not the table it should be
    └─ BundleError                   missing file, checksum differs, newer format, hostile archive

Only ``capture`` turns a `SourceError` into a gap; only ``cli`` turns an `IncidentKitError` into one line.
"""

from __future__ import annotations

from collections.abc import Sequence


class IncidentKitError(Exception):
    """Root of all errors that the kit raises on purpose."""


class UsageError(IncidentKitError, ValueError):
    """The question itself cannot be answered as asked (exit code 2)."""


class ProfileError(IncidentKitError, ValueError):
    """A setting is missing or contradictory."""


class NotFoundError(IncidentKitError, LookupError):
    """A name that the evidence does not know.

    Attributes:
        near: known names that look like it, nearest first.
    """

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        self.near = tuple(near)
        hint = f" Near: {', '.join(self.near)}." if self.near else ""
        super().__init__(f"{message}{hint}")


class SourceError(IncidentKitError):
    """A system could not be read.

    Attributes:
        source: kubernetes, elasticsearch, rabbitmq or argocd.
        what: what was asked of it.
        reason: why it failed, in the server's words where it has any.
        remedy: what the user can do, a command where there is one.
    """

    def __init__(self, source: str, what: str, reason: str, remedy: str = "") -> None:
        self.source, self.what, self.reason, self.remedy = source, what, reason, remedy
        super().__init__(f"{source}: {what}: {reason}.{' ' + remedy if remedy else ''}")


class SourceUnreachable(SourceError):
    """No answer from the system."""


class SourceDenied(SourceError):
    """The credentials may not do this."""


class SourceIncomplete(SourceError):
    """Only part of an answer came back."""


class TableError(IncidentKitError, ValueError):
    """A frame lacks a declared column or has a wrong type."""


class BundleError(IncidentKitError):
    """A bundle cannot be trusted or read."""
