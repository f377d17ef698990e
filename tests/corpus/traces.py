"""Exceptions, banners and last words in the grammar of each language."""

from __future__ import annotations

import random

MESSAGES = (
    "Connection refused (ledger-api:8443)",
    "Object reference not set to an instance of an object.",
    "deadlock detected while waiting for transaction 4711",
    "invalid literal: 'N/A'",
    "Timeout expired. The timeout period elapsed prior to completion",
)


def java(rng: random.Random) -> list[str]:
    """A Java stack trace, often with a cause and elided frames."""
    lines = [f"java.lang.IllegalStateException: {rng.choice(MESSAGES)}"]
    lines += [
        f"\tat com.example.bank.Layer{n}.call(Layer{n}.java:{rng.randrange(10, 400)})"
        for n in range(rng.randrange(2, 7))
    ]
    if rng.random() < 0.7:
        lines.append(f"Caused by: java.net.ConnectException: {rng.choice(MESSAGES)}")
        lines += [f"\tat java.base/sun.nio.ch.Net.pollConnect({rng.choice(('Native Method', 'Net.java:672'))})"]
        lines += [f"\t... {rng.randrange(3, 40)} common frames omitted"]
    if rng.random() < 0.3:
        lines[2:2] = [
            "\tSuppressed: java.io.IOException: close failed",
            "\t\tat com.example.bank.Pool.close(Pool.java:88)",
        ]
    return lines


def dotnet(rng: random.Random) -> list[str]:
    """A .NET exception, often with an inner one."""
    lines = [f"System.InvalidOperationException: {rng.choice(MESSAGES)}"]
    if rng.random() < 0.6:
        lines += [f" ---> System.Net.Sockets.SocketException (111): {rng.choice(MESSAGES)}"]
        lines += ["   at System.Net.Sockets.Socket.AwaitableSocketAsyncEventArgs.ThrowException(SocketError error)"]
        lines += ["   --- End of inner exception stack trace ---"]
    lines += [
        f"   at Shop.Orders.Step{n}.RunAsync(CancellationToken ct) in /src/Step{n}.cs:line {rng.randrange(10, 300)}"
        for n in range(rng.randrange(1, 5))
    ]
    if rng.random() < 0.4:
        lines += [
            "--- End of stack trace from previous location ---",
            "   at Shop.Program.Main(String[] args) in /src/Program.cs:line 12",
        ]
    return lines


def python(rng: random.Random) -> list[str]:
    """A Python traceback, often chained, with the caret lines of newer versions."""

    def one(kind: str) -> list[str]:
        lines = ["Traceback (most recent call last):"]
        for n in range(rng.randrange(1, 4)):
            lines += [
                f'  File "/app/shop/step{n}.py", line {rng.randrange(5, 300)}, in run',
                f"    return self.step{n}(order)",
            ]
            if rng.random() < 0.5:
                lines.append("           ^^^^^^^^^^^^^^^^^^")
        return [*lines, f"{kind}: {rng.choice(MESSAGES)}"]

    lines = one("ValueError")
    if rng.random() < 0.5:
        link = rng.choice(
            (
                "During handling of the above exception, another exception occurred:",
                "The above exception was the direct cause of the following exception:",
            )
        )
        lines += ["", link, "", *one("shop.errors.SettlementError")]
    return lines


def golang(rng: random.Random) -> list[str]:
    """Goroutine stack frames as zap and debug.Stack give them."""
    lines = []
    for n in range(rng.randrange(2, 5)):
        lines += [f"example.com/shop/internal/step{n}.Run", f"\t/src/internal/step{n}/run.go:{rng.randrange(10, 400)}"]
    return [*lines, "runtime.goexit", "\t/usr/local/go/src/runtime/asm_amd64.s:1700"]


def node(rng: random.Random) -> list[str]:
    """A JavaScript error's stack."""
    lines = [f"TypeError: {rng.choice(MESSAGES)}"]
    lines += [
        f"    at Step{n}.run (/app/src/step{n}.js:{rng.randrange(5, 300)}:{rng.randrange(1, 60)})"
        for n in range(rng.randrange(1, 5))
    ]
    return [*lines, "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"]


EXCEPTIONS = {"java": java, "dotnet": dotnet, "python": python, "go": golang, "node": node}


def last_words(language: str, rng: random.Random) -> str:
    """What a runtime prints by itself, past any logger, when an error is not handled."""
    if language == "java":
        first, *rest = java(rng)
        return "\n".join([f'Exception in thread "main" {first}', *rest])
    if language == "dotnet":
        first, *rest = dotnet(rng)
        return "\n".join([f"Unhandled exception. {first}", *rest])
    if language == "go":
        return "\n".join(
            [
                "panic: runtime error: invalid memory address or nil pointer dereference",
                "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47f2a1]",
                "",
                "goroutine 1 [running]:",
                "main.(*Server).settle(0x0, {0xc00001c0a8, 0x5})",
                "\t/src/cmd/shop/main.go:142 +0x21",
                "main.main()",
                "\t/src/cmd/shop/main.go:61 +0x1b4",
            ]
        )
    return "\n".join(EXCEPTIONS[language](rng))


BANNERS = {
    "java": (
        "Picked up JAVA_TOOL_OPTIONS: -XX:MaxRAMPercentage=75.0",
        "OpenJDK 64-Bit Server VM warning: Sharing is only supported for boot loader classes",
        "Starting with profile prod",
    ),
    "dotnet": (
        "Using launch settings from /app/Properties/launchSettings.json...",
        "Waiting for secrets",
        "Migrations: nothing to do",
    ),
    "python": (
        "+ exec gunicorn shop.wsgi",
        "Waiting for database ... ok",
        "/app/shop/__main__.py:3: DeprecationWarning: pkg is old",
    ),
    "go": (
        "maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined",
        "config: loaded /etc/shop/config.yaml",
        "build 7f3c1ab go1.26",
    ),
    "node": ("> shop@1.4.2 start", "> node dist/main.js", "(node:1) ExperimentalWarning: VM Modules is experimental"),
}
