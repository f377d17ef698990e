"""The answer commands: one for each public function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from incident_kit.cli.opening import open_evidence, snapshots_of
from incident_kit.cli.run import (
    Output,
    add_command,
    asking,
    finish,
    print_answer,
    print_text,
    relevant_gaps,
)
from incident_kit.cli.words import At, BundleOrProfile, End, Format, Pod, ProfileToCapture, Start
from incident_kit.errors import UsageError
from incident_kit.window import Window, parse_time

PANEL = "Answers"


def _at(text: str | None) -> int | None:
    return parse_time(text) if text is not None else None


def trace(
    pod: Pod,
    bundles: Annotated[list[Path] | None, typer.Argument(metavar="BUNDLE", help="bundles of the same cluster")] = None,
    profile: ProfileToCapture = None,
    start: Start = None,
    end: End = None,
    output: Format = Output.TABLE,
) -> int:
    """A pod's whole story: identity, instances, images, logs in numbers, RabbitMQ, changes and findings.

    Several bundles of one cluster are read as one, so that snapshots tell of a pod that is gone.

    Example:
        incident-kit trace shop/orders-api-5fc5964bfc-4pfpf checkout.incident
        incident-kit trace orders-api-5fc5964bfc-4pfpf --profile shop --from -2h
    """
    from incident_kit.answers.trace import trace as answer
    from incident_kit.present.formats import render_trace

    paths: list[Path | None] = [one for path in bundles or [] for one in snapshots_of(path) or [path]] or [None]
    evidences = [open_evidence(path, profile, start, end, pod=pod) for path in paths]
    with asking(*evidences):
        story = answer(pod, *evidences)
    print_text(render_trace(story, output.value), output)
    import pandas as pd

    gaps = pd.concat([relevant_gaps("trace", evidence) for evidence in evidences], ignore_index=True)
    return finish(gaps, output)


def logs(
    pod: Pod,
    bundle: BundleOrProfile = None,
    level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="only this level or worse: trace, debug, info, warn, error or fatal"),
    ] = None,
    grep: Annotated[
        str | None, typer.Option(metavar="REGEX", help="only text in which this regular expression is found")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="only from here; with --profile, start of the window")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="only up to here; with --profile, end of the window")
    ] = None,
    profile: ProfileToCapture = None,
    output: Format = Output.TABLE,
) -> int:
    """Both sides of a pod's log merged by time, each entry with its verdict.

    Example:
        incident-kit logs orders-api-5fc5964bfc-4pfpf checkout.incident --level warn
        incident-kit logs orders-api-5fc5964bfc-4pfpf checkout.incident --grep timeout --from 2026-11-20T08:00:00Z
    """
    from incident_kit.answers.logs import logs as answer

    if bundle is not None:
        lower, upper, start, end = _at(start), _at(end), None, None
    else:
        lower, upper = None, None
    evidence = open_evidence(bundle, profile, start, end, pod=pod)
    if lower is not None and upper is not None:
        Window(start=lower, end=upper)  # refuses ends that are the wrong way round
    with asking(evidence):
        frame = answer(pod, evidence, level=level, grep=grep, start=lower, end=upper)
    return print_answer("logs", frame, evidence, output)


def console_only(
    bundle: BundleOrProfile = None,
    pod: Annotated[str | None, typer.Option("--pod", metavar="POD", help="only this pod")] = None,
    verdicts: Annotated[bool, typer.Option("--verdicts", help="every entry, and every document without one")] = False,
    profile: ProfileToCapture = None,
    start: Start = None,
    end: End = None,
    output: Format = Output.TABLE,
) -> int:
    """The entries that never reached Elasticsearch, and why.

    Example:
        incident-kit console-only checkout.incident
        incident-kit console-only checkout.incident --verdicts --output csv > verdicts.csv
    """
    from incident_kit.answers.console_only import console_only as answer

    evidence = open_evidence(bundle, profile, start, end, pod=pod)
    with asking(evidence):
        frame = answer(evidence, pod=pod, verdicts=verdicts)
    return print_answer("console-only", frame, evidence, output)


def rabbit(
    pod: Annotated[str, typer.Argument(metavar="POD|IP", help="pod name, namespace/pod, or an address")],
    bundle: BundleOrProfile = None,
    at: At = None,
    profile: ProfileToCapture = None,
    start: Start = None,
    end: End = None,
    output: Format = Output.TABLE,
) -> int:
    """Which RabbitMQ node a pod uses, and used: one row a connection.

    Example:
        incident-kit rabbit orders-api-5fc5964bfc-4pfpf checkout.incident
        incident-kit rabbit 10.2.3.4 checkout.incident --at 2026-11-20T08:42:00Z
    """
    from incident_kit.answers.rabbit import rabbit as answer

    evidence = open_evidence(bundle, profile, start, end, pod=pod, store=True)
    with asking(evidence):
        frame = answer(pod, evidence, at=_at(at))
    return print_answer("rabbit", frame, evidence, output)


def rabbit_node(
    node: Annotated[
        str, typer.Argument(metavar="NODE", help="RabbitMQ node, e.g. rabbit@host, or an unambiguous part of it")
    ],
    bundle: BundleOrProfile = None,
    at: At = None,
    profile: ProfileToCapture = None,
    start: Start = None,
    end: End = None,
    output: Format = Output.TABLE,
) -> int:
    """Which pods were connected to a RabbitMQ node, and where they went when it was lost.

    Example:
        incident-kit rabbit-node rabbit@broker-1 checkout.incident
    """
    from incident_kit.answers.rabbit_node import rabbit_node as answer

    evidence = open_evidence(bundle, profile, start, end, store=True)
    with asking(evidence):
        frame = answer(node, evidence, at=_at(at))
    return print_answer("rabbit-node", frame, evidence, output)


def whois(
    ip: Annotated[str, typer.Argument(metavar="IP", help="an IPv4 or IPv6 address")],
    bundle: BundleOrProfile = None,
    at: At = None,
    profile: ProfileToCapture = None,
    start: Start = None,
    end: End = None,
    output: Format = Output.TABLE,
) -> int:
    """Who had an address: none, one pod, or several with the reason.

    Example:
        incident-kit whois 10.2.3.4 checkout.incident --at 2026-11-20T08:42:00Z
    """
    from incident_kit.answers.whois import whois as answer

    evidence = open_evidence(bundle, profile, start, end, store=True)
    return print_answer("whois", answer(ip, evidence, at=_at(at)), evidence, output)


def reach(
    pod: Annotated[str, typer.Argument(metavar="POD", help="a captured pod: its name, or namespace/pod")],
    bundles: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE", help="a bundle, or an earlier one and a later one")
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="SERVICE", help="a Service: name, or namespace/name")
    ] = None,
    output: Format = Output.TABLE,
) -> int:
    """May a pod reach RabbitMQ, Elasticsearch or a Service, as the NetworkPolicies say: now and before?

    Example:
        incident-kit reach shop/orders-api-5fc5964bfc-4pfpf checkout.incident --to payments-api
    """
    from incident_kit.answers.reach import reach as answer
    from incident_kit.evidence import read_evidence

    if len(bundles) > 2:
        raise UsageError("Give one bundle, or an earlier and a later one.")
    evidences = [read_evidence(path) for path in bundles]
    evidence, earlier = evidences[-1], evidences[0] if len(evidences) == 2 else None
    return print_answer("reach", answer(pod, evidence, to, earlier), evidence, output)


def diff(
    bundles: Annotated[list[Path], typer.Argument(metavar="BUNDLE", help="one bundle with --at twice, or two bundles")],
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="TIME", help="an instant (2026-11-20T08:00:00Z); give it twice")
    ] = None,
    output: Format = Output.TABLE,
) -> int:
    """What was true at one time and is not at another.

    Example:
        incident-kit diff checkout.incident --at 2026-11-20T08:00:00Z --at 2026-11-20T09:00:00Z
        incident-kit diff yesterday.incident today.incident
    """
    from incident_kit.answers.diff import diff as answer
    from incident_kit.evidence import read_evidence

    instants = [parse_time(text) for text in at or []]
    if (len(bundles), len(instants)) not in {(1, 2), (2, 0), (2, 2)}:
        raise UsageError("Give one bundle with --at T1 --at T2, or two bundles.")
    evidences = [read_evidence(path) for path in bundles]
    before, after = evidences[0], evidences[-1]
    at_1 = instants[0] if instants else before.captured_at or before.window.end - 1
    at_2 = instants[1] if instants else after.captured_at or after.window.end - 1
    frame = answer(before, at_1, at_2, after if len(evidences) == 2 else None)
    return print_answer("diff", frame, after, output)


def _of_bundle(name: str, text: str, start_by_default: str | None = None) -> Callable[..., int]:
    """The command of an answer that asks for nothing but a bundle.

    Args:
        name: the public function.
        text: its help.
        start_by_default: start of the window when a profile is given without ``--from``.
    """

    def command(
        bundle: BundleOrProfile = None,
        profile: ProfileToCapture = None,
        start: Start = None,
        end: End = None,
        output: Format = Output.TABLE,
    ) -> int:
        import incident_kit

        evidence = open_evidence(bundle, profile, start or (start_by_default if profile else None), end)
        return print_answer(name.replace("_", "-"), getattr(incident_kit, name)(evidence), evidence, output)

    command.__name__ = name
    command.__doc__ = f"{text}\n\nExample:\n    incident-kit {name.replace('_', '-')} checkout.incident\n"
    return command


restarts = _of_bundle("restarts", "Every container instance that ended: when, why, with which image.")
changes = _of_bundle("changes", "What changed, by whom, and what was undone.")
findings = _of_bundle("findings", "What the rules conclude, each with evidence and what to do next.")
detect_fields = _of_bundle(
    "detect_fields",
    "Which fields of the documents play which role, proved against known pod names.\n\n"
    "With --profile, the last 15 minutes are captured unless --from says otherwise.",
    start_by_default="-15m",
)


def register(app: typer.Typer) -> None:
    """Add the commands, in the order in which an investigation asks."""
    for function in (
        trace, logs, console_only, rabbit, rabbit_node, whois, reach, restarts, changes, findings, diff, detect_fields,
    ):  # fmt: skip
        add_command(app, function, PANEL)
