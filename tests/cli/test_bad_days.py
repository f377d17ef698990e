"""The command line on a bad day: one clear line, the right exit code, nothing half written, nothing lost."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from incident_kit.capture.doctor import Check
from incident_kit.cli.main import app, main, told
from incident_kit.cli.terminal import say
from incident_kit.importing import import_folder
from incident_kit.present.files import write_whole
from tests.identity.bundles import bundle as identity_bundle
from tests.identity.bundles import pod
from tests.present.folder import POD, write_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("collected"))
    return import_folder(folder, tmp_path_factory.mktemp("bundles") / "incomplete.incident")


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the program in this process; its exit code, standard output and standard error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["incident-kit", *map(str, words)])
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return left.value.code or 0, captured.out, captured.err

    return call


def test_the_program_tells_its_version(run):
    code, out, _ = run("--version")
    assert code == 0
    assert re.fullmatch(r"incident-kit \d+\.\d+\.\d+\n", out)


def test_a_list_that_an_answer_does_not_read_leaves_no_gap_in_it(run, tmp_path):
    kinds = [
        "nodes",
        "replicasets",
        "deployments",
        "events",
        "jobs",
        "statefulsets",
        "daemonsets",
        "services",
        "endpointslices",
    ]
    none = {f"kubernetes/{kind}.json": [] for kind in kinds}
    evidence = identity_bundle(tmp_path, {**none, "kubernetes/pods.json": [pod("a", ip="10.1.0.5")]})
    for command in (("whois", "10.1.0.5"), ("restarts",)):
        assert run(command[0], *command[1:], evidence.path)[0] == 0
    assert run("changes", evidence.path)[0] == 3  # it would read ConfigMaps


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("findings", "nope.incident"), 1, "nope.incident does not exist"),
        (("findings", "{empty}"), 1, "it is not an incident bundle"),
        (("findings", "{empty}/collected"), 1, "incident-kit import {empty}/collected -o NAME.incident"),
        (
            ("findings", "{empty}/collected.tar.gz"),
            1,
            "is neither a folder nor a zip archive; it is not an incident bundle",
        ),
        (("findings", "{empty}/collected.zip"), 1, "incident-kit import {empty}/collected.zip -o NAME.incident"),
        (("findings", "{empty}/torn.zip"), 1, "torn.zip is not a whole zip archive"),
        (("import", "{empty}/nowhere", "-o", "x.incident"), 2, "nowhere does not exist. Give the folder"),
        (("trace", "orders-api", "{bundle}"), 1, f"Near: shop/{POD}"),
        (("trace", "order-api", "{bundle}"), 1, f"Near: shop/{POD}"),
        (("reach", POD, "{bundle}", "--to", "nope"), 1, "No Service 'nope' was captured"),
        (("timeline", "{bundle}", "-o", "x.gif"), 2, "should end in .pdf, .png or .svg"),
        (("whois", "10.1.2.3", "{bundle}", "--at", "2026-11-20T08:00:00"), 2, "has no zone"),
        (("whois", "10.1.2.3", "{bundle}", "--at", "yesterday"), 2, "is not a time"),
        (("import", "{empty}", "-o", "x.tar.gz"), 2, "should end in .incident (a folder) or .zip (one file)"),
        (("report", "{bundle}", "-o", "x.pdf"), 2, "should end in .html or .md"),
        (("findings", "{bundle}", "--from", "-2h"), 2, "a bundle has its own window"),
        (("note", "nope", "x"), 1, "nope does not exist"),
        (("tables", "nope"), 2, "There is no table 'nope'"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, bundle, tmp_path, words, code, says):
    (tmp_path / "collected" / "notes").mkdir(parents=True)
    (tmp_path / "torn.zip").write_bytes(b"PK\3\4 and no more")
    for kind in ("zip", "gztar"):
        shutil.make_archive(str(tmp_path / "collected"), kind, tmp_path / "collected")
    words = [word.format(bundle=bundle, empty=tmp_path) for word in words]
    left, out, err = run(*words)
    told_lines = [line for line in err.splitlines() if line.startswith("incident-kit: ")]
    assert (left, out) == (code, "")
    assert len(told_lines) == 1 and says.format(empty=tmp_path) in told_lines[0]
    assert "Traceback" not in err


@pytest.mark.parametrize("columns", [80, 120])
def test_what_the_tables_are_fits_the_terminal(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = run("tables")
    assert code == 0
    assert max(map(len, out.splitlines())) <= columns
    assert "console_entries: one row is one entry on a console" in out


def test_a_name_that_is_not_found_says_what_could_not_be_looked_at(run, bundle):
    code, _, err = run("trace", "billing-0", bundle)
    assert code == 1
    assert "incomplete.incident is incomplete" in err and "kubernetes/configmaps.json" in err
    assert err.splitlines()[-1].startswith("incident-kit: No source knows")
    assert "Pods known: " in err.splitlines()[-1]


def test_one_gap_is_one_gap(run, bundle):
    code, _, err = run("detect-fields", bundle)
    assert code in (0, 3)
    assert "1 gaps" not in err


@pytest.mark.parametrize("name", [command.name for command in app.registered_commands])
def test_every_help_ends_with_an_example_that_names_the_command(run, name):
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"incident-kit {name}" in out.partition("Example:")[2]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device. Free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "/x/y: Permission denied. Choose a folder"),
        (shutil.Error([("a", "/b", "[Errno 28] No space left on device: 'a'")]), "/b: No space left on device. Free"),
        (OSError("torn"), "torn. Check the path."),
    ],
)
def test_what_the_system_refuses_is_told_with_what_to_do(error, shown):
    assert told(error).startswith(shown)


def test_notebooks_that_are_there_stay_and_that_is_said(run, bundle, tmp_path, monkeypatch):
    """Who asks about another bundle must not look at the one before without knowing."""
    ran = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        subprocess, "run", lambda words, **_: ran.append(words) or subprocess.CompletedProcess(words, 0)
    )
    assert run("jupyter", bundle) == (0, "", "")
    before = {path.name: path.read_text() for path in (tmp_path / "incident-notebooks").iterdir()}
    code, _, err = run("jupyter", ROOT / "src/incident_kit/sample/sample.zip")
    assert code == 0 and "holds 6 notebooks from before; they stay as they are" in err
    assert {path.name: path.read_text() for path in (tmp_path / "incident-notebooks").iterdir()} == before
    assert ran[0][1:] == ["-m", "jupyter", "lab", "incident-notebooks"]


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path, monkeypatch):
    target = write_whole(tmp_path / "report.html", b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space") as refused:
        write_whole(target, b"new")
    assert told(refused.value).startswith(f"{target}: No space left on device. Free some space")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("words", "makes"), [(("report", "r.html"), "mkstemp"), (("import", "x.incident"), "mkdtemp")])
def test_what_cannot_be_written_is_told_by_the_name_that_was_given(run, bundle, tmp_path, monkeypatch, words, makes):
    real = getattr(tempfile, makes)

    def read_only(*args, **kwargs):
        if kwargs.get("dir") != tmp_path:
            return real(*args, **kwargs)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / ".x.4fj2"))

    monkeypatch.setattr(tempfile, makes, read_only)
    code, out, err = run(words[0], bundle, "-o", tmp_path / words[1])
    assert (code, out) == (1, "")
    assert err.startswith(f"incident-kit: {tmp_path / words[1]}: Read-only file system. Choose a folder")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_table_can_be_shown_on_any_terminal(monkeypatch, encoding):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace"))
    say("pod · größe ⚡\n────")
    sys.stdout.flush()
    shown = raw.getvalue().decode(encoding)
    assert shown.startswith("pod ")
    assert ("----" in shown) == (encoding != "utf-8")


def test_json_is_utf_8_whatever_the_locale(bundle):
    ran = subprocess.run(
        [sys.executable, "-m", "incident_kit", "logs", POD, str(bundle), "--output", "json"],
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False,
    )  # fmt: skip
    assert json.loads(ran.stdout.decode("utf-8"))["rows"]


#: The command line with an import that says when its raw files are copied, and waits there for the signal.
_PAUSED_IMPORT = """
import sys, time
from incident_kit.importing import build

def paused(stage, context):
    assert any((stage / "raw").iterdir())
    print("copied", flush=True)
    time.sleep(120)

build.write_tables = paused
from incident_kit.__main__ import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupted_import_leaves_nothing(tmp_path):
    sample = ROOT / "src" / "incident_kit" / "sample" / "sample.zip"
    words = [sys.executable, "-c", _PAUSED_IMPORT, "import", str(sample), "-o", str(tmp_path / "x.incident")]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as started:
        assert started.stdout.readline() == "copied\n", started.stderr.read()
        started.send_signal(signal.SIGTERM)
        _, err = started.communicate(timeout=600)
    assert started.returncode == 128 + signal.SIGTERM, err
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in err


def test_doctor_calls_a_source_that_the_profile_does_not_name_not_configured(run, tmp_path, monkeypatch):
    (tmp_path / "incident-kit.toml").write_text(
        '[profiles.shop]\ncluster = "shop"\n[profiles.shop.argocd]\nenabled = false\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("INCIDENT_KIT_REDACTION_KEY", "ab" * 32)
    code, out, _ = run("doctor", "--profile", "shop")
    told = [line.split(":")[0].split() for line in out.splitlines() if not line.startswith("   ")]
    assert told == [["ok", "redaction"], ["FAILED", "kubernetes"], ["-", "elasticsearch"], ["-", "rabbitmq"]]
    assert "elasticsearch: not configured: elasticsearch.url is not set" in out
    assert code == 1  # for Kubernetes, which every capture reads


@pytest.mark.parametrize(("outcomes", "code"), [((True, None), 0), ((None, None), 0), ((True, False, None), 1)])
def test_doctor_fails_for_what_failed_alone(run, tmp_path, monkeypatch, outcomes, code):
    (tmp_path / "incident-kit.toml").write_text('[profiles.shop]\ncluster = "shop"\n')
    monkeypatch.chdir(tmp_path)
    checks = [Check(source="rabbitmq", what="reach it", passed=passed, reason="seen") for passed in outcomes]
    monkeypatch.setattr("incident_kit.capture.doctor.examine", lambda _: checks)
    assert run("doctor", "--profile", "shop")[0] == code
