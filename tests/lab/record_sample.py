"""``make record-sample``: play the incident, capture it with the kit, ship it as the sample.

The bundle goes into the package as one zip of at most 5 MB, its truth into the tests.
``--keep`` records the incident that was played last; ``--from-folder`` imports a hand-made folder.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from incident_kit.evidence.archive import write_archive
from incident_kit.evidence.manifest import digest_tree
from tests.lab import handmade
from tests.lab.credentials import PROFILE, environment, instant
from tests.lab.scenario.incident import play
from tests.lab.scenario.lab import LAB, TRUTH, Lab
from tests.lab.truth import write_truth

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "src" / "incident_kit" / "sample" / "sample.zip"
SAMPLE_TRUTH = REPOSITORY / "tests" / "sample"
LIMIT = 5_000_000
TABLES = ("lines", "documents", "connections", "changes")


def kit(*arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run the installed command; gaps are allowed, failure is not."""
    program = Path(sys.executable).with_name("incident-kit")
    done = subprocess.run([program, *map(str, arguments)], env=env, cwd=cwd, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"incident-kit {arguments[0]} failed with exit {done.returncode}")


def capture(lab: Lab, bundle: Path) -> None:
    """Capture the incident's window with ordinary credentials."""
    window = json.loads((TRUTH / "window.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        env = environment(lab, Path(folder))
        span = ("--from", instant(window["from"]), "--to", instant(window["to"]))
        kit("capture", "--profile", PROFILE, *span, "-o", bundle, "--force", env=env, cwd=Path(folder))


def neutral(bundle: Path) -> None:
    """Replace this machine's path of the lab in the broker's own words, and seal the bundle anew.

    RabbitMQ names its data folder in its log and among a node's facts; no answer of the kit uses it.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(folder)
        for path in (folder / "raw").rglob("*"):
            if path.is_file():
                _replace(path, str(LAB).encode(), b"/var/lib/lab")
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"] = digest_tree(folder)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
        write_archive(folder, bundle)


def _replace(path: Path, old: bytes, new: bytes) -> None:
    packed = path.suffix == ".gz"
    content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    if old in content:
        content = content.replace(old, new)
        path.write_bytes(gzip.compress(content, mtime=0) if packed else content)


def ship(bundle: Path) -> None:
    """Put bundle and truth where they are shipped from, refusing what is too big."""
    size = bundle.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"the sample has {size / 1e6:.1f} MB, more than {LIMIT / 1e6:.0f} MB; it is kept at {bundle}")
    SAMPLE.parent.mkdir(parents=True, exist_ok=True)
    SAMPLE_TRUTH.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(bundle, SAMPLE)
    for name in TABLES:
        shutil.copyfile(TRUTH / f"{name}.jsonl.gz", SAMPLE_TRUTH / f"truth-{name}.jsonl.gz")
    shutil.copyfile(TRUTH / "window.json", SAMPLE_TRUTH / "truth-window.json")
    print(f"{SAMPLE.relative_to(REPOSITORY)}: {size / 1e6:.2f} MB")


def main() -> None:
    """Record."""
    parser = argparse.ArgumentParser(prog="tests.lab.record_sample", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="do not play again, record what the lab holds")
    parser.add_argument("--from-folder", type=Path, help="import this hand-made folder instead of capturing")
    options = parser.parse_args()
    target = TRUTH.parent / "sample.zip"
    target.unlink(missing_ok=True)
    if options.from_folder:
        kit("import", options.from_folder, "-o", target, "--force")
    else:
        lab = Lab.running()
        if not options.keep:
            play(lab)
        capture(lab, target)
        handmade.collect(lab, TRUTH.parent / "handmade")
        print(write_truth(lab))
    neutral(target)
    ship(target)


if __name__ == "__main__":
    os.umask(0o022)
    main()
