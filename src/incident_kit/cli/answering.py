"""The answer commands: one for each public function of the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incident_kit.cli.run import Output, add_command, finish, open_evidence, print_answer, relevant_gaps, say
from incident_kit.errors import UsageError
from incident_kit.window import Window, parse_time

Bundle = Annotated[Path | None, typer.Argument(metavar="BUNDLE", help="NAME.incident folder or .zip")]
Pod = Annotated[str, typer.Argument(metavar="POD", help="pod name, or namespace/pod")]
ProfileName = Annotated[
    str | None, typer.Option("--profile", help="capture first, with this profile of incident-kit.toml")
]
From = Annotated[str | None, typer.Option("--from", help="start of the window: 2026-11-20T08:00:00Z or -2h")]
To = Annotated[str | None, typer.Option("--to", help="end of the window; now by default")]
Format = Annotated[Output, typer.Option("--output", "-o", help="table, json or csv")]
At = Annotated[str | None, typer.Option("--at", help="an instant with zone")]


def _at(text: str | None) -> int | None:
    return parse_time(text) if text is not None else None


def trace(
    pod: Pod,
    bundles: Annotated[
        list[Path] | None, typer.Argument(metavar="BUNDLE...", help="bundles of the same cluster")
    ] = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """Identity, instances, images, logs in numbers, Rabbit, changes and findings of one pod."""
    from incident_kit.answers import trace as answer
    from incident_kit.present.formats import render_trace

    paths: list[Path | None] = list(bundles) if bundles else [None]
    evidences = [open_evidence(path, profile, start, end, pod=pod) for path in paths]
    story = answer(pod, *evidences)
    say(render_trace(story, output.value))
    import pandas as pd

    gaps = pd.concat([relevant_gaps("trace", evidence) for evidence in evidences], ignore_index=True)
    return finish(gaps, output)


def logs(
    pod: Pod,
    bundle: Bundle = None,
    level: Annotated[str | None, typer.Option(help="only this level or worse")] = None,
    grep: Annotated[str | None, typer.Option(help="only text that matches this regular expression")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="only from here; with --profile, start of the window")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="only up to here; with --profile, end of the window")] = None,
    profile: ProfileName = None,
    output: Format = Output.TABLE,
) -> int:
    """Both sides of a pod's log merged by time, each line with its verdict."""
    from incident_kit.answers import logs as answer

    evidence = open_evidence(bundle, profile, start, end, pod=pod)
    lower, upper = (_at(start), _at(end)) if bundle is not None else (None, None)
    if lower is not None and upper is not None:
        Window(start=lower, end=upper)  # refuses ends that are the wrong way round
    frame = answer(pod, evidence, level=level, grep=grep, start=lower, end=upper)
    return print_answer("logs", frame, evidence, output)


def console_only(
    bundle: Bundle = None,
    pod: Annotated[str | None, typer.Option("--pod", help="only this pod")] = None,
    verdicts: Annotated[bool, typer.Option("--verdicts", help="every entry and every document without entry")] = False,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """The entries that never reached Elasticsearch, and why."""
    from incident_kit.answers import console_only as answer

    evidence = open_evidence(bundle, profile, start, end, pod=pod)
    return print_answer("console-only", answer(evidence, pod=pod, verdicts=verdicts), evidence, output)


def rabbit(
    pod: Annotated[str, typer.Argument(metavar="POD|IP", help="pod name, namespace/pod, or an address")],
    bundle: Bundle = None,
    at: At = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """Which RabbitMQ node a pod uses, and used: one row a connection."""
    from incident_kit.answers import rabbit as answer

    evidence = open_evidence(bundle, profile, start, end, pod=pod)
    return print_answer("rabbit", answer(pod, evidence, at=_at(at)), evidence, output)


def rabbit_node(
    node: Annotated[str, typer.Argument(metavar="NODE", help="RabbitMQ node, e.g. rabbit@host")],
    bundle: Bundle = None,
    at: At = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """Which pods were connected to a RabbitMQ node."""
    from incident_kit.answers import rabbit_node as answer

    evidence = open_evidence(bundle, profile, start, end)
    return print_answer("rabbit-node", answer(node, evidence, at=_at(at)), evidence, output)


def whois(
    ip: Annotated[str, typer.Argument(metavar="IP", help="an IPv4 or IPv6 address")],
    bundle: Bundle = None,
    at: At = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """Who had an address: none, one pod, or several with the reason."""
    from incident_kit.answers import whois as answer

    evidence = open_evidence(bundle, profile, start, end)
    return print_answer("whois", answer(ip, evidence, at=_at(at)), evidence, output)


def restarts(
    bundle: Bundle = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """Every container instance that ended: when, why, with which image."""
    from incident_kit.answers import restarts as answer

    evidence = open_evidence(bundle, profile, start, end)
    return print_answer("restarts", answer(evidence), evidence, output)


def changes(
    bundle: Bundle = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """What changed, by whom, and what was undone."""
    from incident_kit.answers import changes as answer

    evidence = open_evidence(bundle, profile, start, end)
    return print_answer("changes", answer(evidence), evidence, output)


def findings(
    bundle: Bundle = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """What the rules conclude, each with evidence and what to do next."""
    from incident_kit.answers import findings as answer

    evidence = open_evidence(bundle, profile, start, end)
    return print_answer("findings", answer(evidence), evidence, output)


def diff(
    bundles: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE...", help="one bundle with --at twice, or two bundles")
    ],
    at: Annotated[list[str] | None, typer.Option("--at", help="two instants of one bundle")] = None,
    output: Format = Output.TABLE,
) -> int:
    """What was true at one time and is not at another."""
    from incident_kit.answers import diff as answer
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


def detect_fields(
    bundle: Bundle = None,
    profile: ProfileName = None,
    start: From = None,
    end: To = None,
    output: Format = Output.TABLE,
) -> int:
    """Which fields of the documents play which role, proved against known pod names."""
    from incident_kit.answers import detect_fields as answer

    evidence = open_evidence(bundle, profile, start or ("-15m" if profile else None), end)
    return print_answer("detect-fields", answer(evidence), evidence, output)


def register(app: typer.Typer) -> None:
    """Add the commands, in the order in which an investigation asks."""
    for function in (
        trace, logs, console_only, rabbit, rabbit_node, whois, restarts, changes, findings, diff, detect_fields,
    ):  # fmt: skip
        add_command(app, function, function.__name__.replace("_", "-"))
