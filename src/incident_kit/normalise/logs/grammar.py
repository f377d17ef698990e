"""Grammars of traces: which lines without a prefix belong to the entry before.

A line is asked with its neighbours. When in doubt the answer is no: a line too many splits an entry, which head
matching repairs; a line too few hides an entry for good.
"""

from __future__ import annotations

import re

#: Beginnings that no logger writes: what a runtime says by itself.
RUNTIME_EXPRESSION = (
    r"^(?:Unhandled exception[.:]?|Exception in thread |panic: |fatal error: |Fatal error|runtime: |SIG[A-Z]+: |Traceback \(most recent call last\):"
    r"|Uncaught |node:internal|Error: Cannot find module|Segmentation fault|Killed$|Aborted|terminate called|Out of memory|java\.lang\.OutOfMemoryError"
    r"|Unhandled Exception:|\[signal SIG|goroutine \d+ \[|Process terminated|#\s+A fatal error has been detected"
    r"|thread '.*' (?:\(\d+\) )?panicked at |PHP (?:Fatal|Parse) error: )"
)
RUNTIME = re.compile(RUNTIME_EXPRESSION)
PYTHON_START = re.compile(r"^(?:Traceback \(most recent call last\):|Exception Group Traceback)")
_PYTHON_LINK = re.compile(
    r"^(?:During handling of the above exception, another exception occurred:|The above exception was the direct cause of the following exception:)$"
)
_PYTHON_END = re.compile(r"^[A-Za-z_][\w.]*(?:: .*|:)?$")
GO_START = re.compile(r"^(?:panic: |fatal error: |goroutine \d+ \[|SIG[A-Z]+: )")
_GO_LINE = re.compile(
    r"^(?:goroutine \d+ |\[signal |created by |exit status \d+|\[recovered\]|\s|panic: |\t|r[a-z0-9]{1,2} +0x|e?flags|[\w./\-*()$%@\[\]{}·,:~]+\(.*\)$|\[originating|runtime stack:)"
)
_GO_FRAME = re.compile(r"^[\w./\-*()$%@\[\]·~]+\.[\w.()*\[\]·]+(?:\(.*\))?$")
_GO_FILE = re.compile(r"^\t.+:\d+")
RUST_START = re.compile(r"^thread '.*' (?:\(\d+\) )?panicked at ")
_RUST_LINE = re.compile(r"^(?:stack backtrace:$|note: )")
#: Frames that stand unindented: Ruby's with path and method, PHP's with a number.
_RUBY_FRAME = re.compile(r"^(?:from )?\S+:\d+:in [`'‘\"]")
_RUBY_EXCEPTION = re.compile(r"\((?:[A-Z]\w*::)*[A-Z]\w*\)$")
_PHP_LINE = re.compile(
    r"^(?:#\d+ (?:[/\w\\:.-]+\(\d+\)|\{main\}|\[internal function\])|\[(?:stacktrace|previous exception)\]|Stack trace:$|Next [\w\\]+: )"
)
_PHP_OPENING = re.compile(r"^(?:\[stacktrace\]|Stack trace:)$")
#: What Erlang and Elixir say behind the frames of a process that ended.
_BEAM_INSIDE = re.compile(r"^(?:Last message|State|Initial Call|Ancestors|Function|Client #PID\S*)\b.*:?")
_BEAM_EXCEPTION = re.compile(r"^\*\* \((?:[\w.]+)\) ")
#: Node names the throwing line before it prints the exception, and its version behind.
NODE_START = re.compile(r"^(?:(?:file://)?/\S+\.[cm]?[jt]s|node:[\w/]+):\d+$")
_NODE_END = re.compile(r"^Node\.js v\d")
#: First line of an exception as Java, .NET, Python and Node print it.
EXCEPTION_EXPRESSION = r"^(?:[A-Za-z_$][\w$`+]*[.:/])*(?:[A-Za-z_$][\w$`+]*(?:Exception|Error|Throwable|Fault|Failure|Interrupt|Panic|Timeout|Exit|Group)|Error|Exception)(?:`\d+)?(?: \([^)]*\)| \[[^\]]*\])?(?::.*|)$"
EXCEPTION = re.compile(EXCEPTION_EXPRESSION)
_FRAME = re.compile(r"^\s+(?:at |--- |---> |\.\.\. \d+|File \")")
#: Boxes that Julia and Rust draw, and XML's closing tags: they open nothing that could go on elsewhere.
_DRAWN = re.compile(r"^(?:[│└├╰┃]|</[\w:.\-]+>$)")
#: Unindented lines inside Java and .NET traces.
INSIDE_EXPRESSION = r"^(?:Caused by: |Suppressed: |Wrapped by: |--- End of |---> |\.\.\. \d+ |Root cause|\(Inner Exception #\d+\)|<---|\[CIRCULAR REFERENCE)"
_INSIDE = re.compile(INSIDE_EXPRESSION)
_CLOSER = re.compile(r"^[\"']?[\]})]+[,;]?\s*$")

#: Lines of one write are microseconds apart; a stalled reader may make it more.
SAME_WRITE_NS = 5_000_000
#: An exception's first line follows its message in the same write; a runtime's own traceback comes later.
EXCEPTION_NS = 1_000_000
#: Behind an entry that is no error, a trace is that of an exception which nobody caught, unless it came in the same write.
SAME_BREATH_NS = 200_000
SAME_TRACE_NS = 1_000_000_000


def opens(text: str) -> str:
    """The grammar that a line opens: ``python``, ``go``, ``rust-message``, ``node``, ``beam``, ``exception`` or nothing."""
    if PYTHON_START.match(text):
        return "python"
    if GO_START.match(text):
        return "go"
    if RUST_START.match(text):
        return "rust-message"
    if NODE_START.match(text):
        return "node"
    if _BEAM_EXCEPTION.match(text):
        return "beam"
    return "exception" if EXCEPTION.match(text) else ""


def inside(text: str, following: str | None, grammar: str, *, after_frames: bool) -> str | None:
    """Whether an unindented line continues an open trace; the grammar after it, or None when it does not.

    Args:
        text: the line.
        following: the line after it on the same stream, if any.
        grammar: what is open: ``python``, ``python-end`` (after its last line), ``go``, ``exception`` ... or ``""``.
        after_frames: whether the line before was indented.
    """
    if _INSIDE.match(text):
        return grammar or "exception"
    if grammar == "python":
        if not after_frames and not text:
            return "python"
        if _PYTHON_END.match(text) and after_frames:
            return "python-end"
    if grammar.startswith("python"):
        if _PYTHON_LINK.match(text):
            return "python-link"
        if PYTHON_START.match(text) and grammar == "python-link":
            return "python"
        if not text and (
            grammar == "python-link"
            or (following is not None and (_PYTHON_LINK.match(following) or PYTHON_START.match(following)))
        ):
            return grammar
    if grammar == "go" and (not text or _GO_LINE.match(text)):
        return "go"
    if _GO_FRAME.match(text) and following is not None and _GO_FILE.match(following):
        return "go-frames" if grammar != "go" else "go"
    if grammar and (after_frames or grammar == "php") and _CLOSER.match(text):
        return grammar
    return _unindented(text, following, grammar)


def _unindented(text: str, following: str | None, grammar: str) -> str | None:
    """The traces whose frames are not indented: Ruby, PHP, Rust, Node and the BEAM."""
    if _RUBY_FRAME.match(text) or (
        following is not None and _RUBY_EXCEPTION.search(text) and _RUBY_FRAME.match(following)
    ):
        return "ruby"
    if _PHP_OPENING.match(text) or (grammar == "php" and _PHP_LINE.match(text)):
        return "php"
    if _DRAWN.match(text):
        return grammar
    if grammar == "rust-message" or (grammar == "rust" and _RUST_LINE.match(text)):
        return "rust"
    if grammar == "node":
        if not text and following is not None and (EXCEPTION.match(following) or _NODE_END.match(following)):
            return "node"
        if EXCEPTION.match(text) or _NODE_END.match(text):
            return "node"
    return "beam" if grammar == "beam" and _BEAM_INSIDE.match(text) else None


def begins_frames(following: str | None) -> bool:
    """Whether the next line is a frame, so that this one heads a trace."""
    return following is not None and bool(_FRAME.match(following))


def is_frame(text: str) -> bool:
    """Whether an indented line is a frame of a Java, .NET or Node trace or of what surrounds it."""
    return bool(_FRAME.match(text) or _GO_FILE.match(text) or re.match(r"^\s+(?:Caused by: |Suppressed: )", text))


def begins_unindented(text: str, following: str | None) -> bool:
    """Whether a line begins a trace whose frames are not indented, so that it goes on with none before."""
    ruby = following is not None and _RUBY_EXCEPTION.search(text) and _RUBY_FRAME.match(following)
    return bool(ruby or _PHP_OPENING.match(text))


def names_exception(text: str) -> bool:
    """Whether a line names an exception, so that frames may follow it."""
    return bool(re.search(r"\b\w*(?:Exception|Error|Throwable)\b", text))


def is_closer(text: str) -> bool:
    """Whether the line only closes brackets."""
    return bool(_CLOSER.match(text))
