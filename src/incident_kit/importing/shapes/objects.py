"""Objects of Kubernetes and Argo CD, and RabbitMQ's lists, known by what they say wherever they were saved."""

from __future__ import annotations

import re

from incident_kit.importing.console_lines import ConsoleFiles
from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.prefixed import DUMP_MARK, dumped
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.normalise.rabbitmq.documents import is_list_name

#: A list of the management API by keys that only its items have.
_RABBIT_LISTS = (
    ("connections", ("peer_host", "peer_port", "client_properties")),
    ("channels", ("connection_details", "prefetch_count", "number")),
    ("consumers", ("consumer_tag", "channel_details", "queue")),
    ("queues", ("vhost", "durable", "auto_delete", "messages")),
    ("overview", ("management_version", "object_totals")),
    ("nodes", ("mem_used", "fd_used", "running")),
)


def _fits_objects(sample: Sample) -> bool:
    if sample.place in ("console", "elasticsearch"):
        return False
    if (
        sample.is_json
        and _fits_applications(sample)
        and not re.search(r'"kind"\s*:\s*"(?:List|Application\w*)"', sample.text)
    ):
        return False
    if sample.is_json:
        return sample.names("apiVersion", "kind") and (sample.names("metadata") or sample.names("items"))
    yaml = re.search(r"^(?:- |  )?apiVersion: \S", sample.text, re.MULTILINE) and re.search(
        r"^(?:- |  )?kind: [A-Z]\w+", sample.text, re.MULTILINE
    )
    return bool(yaml) and bool(re.match(r"(?:---|#|apiVersion:|items:|kind:|metadata:|- apiVersion:)", sample.body))


def _convert_objects(source: Source) -> Pieces:
    """The objects; what kubectl cluster-info dump prints among them of consoles becomes those."""
    ending = "json" if source.sample.is_json else "yaml"
    data = source.data()
    if DUMP_MARK.encode() in data:
        objects, consoles = _parted(data)
        yield from ConsoleFiles(source).pieces(dumped(consoles))
        data = objects
    yield f"kubernetes/{source.sample.stem}-{source.number}.{ending}", data


def _parted(data: bytes) -> tuple[bytes, list[str]]:
    """Lines outside of, and lines of, the marks that begin and end a console."""
    objects, consoles, inside = [], [], False
    for line in data.split(b"\n"):
        inside = inside or line.startswith(DUMP_MARK.encode())
        if inside:
            consoles.append(line.decode("utf-8", "replace").removesuffix("\r"))
        else:
            objects.append(line)
        inside = inside and not line.startswith(b"==== END logs for container ")
    return b"\n".join(objects), consoles


def _fits_applications(sample: Sample) -> bool:
    told = (
        sample.place in (None, "argocd")
        and sample.is_json
        and sample.names("metadata", "spec", "destination", "repoURL")
    )
    return told and not (sample.place is None and sample.names("kind", "items"))


def _convert_applications(source: Source) -> Pieces:
    yield f"argocd/{source.sample.stem}-{source.number}.json", source.data()


def rabbit_list(sample: Sample) -> str | None:
    """Which list of RabbitMQ's management API a file holds; None where it is none of them."""
    if not sample.is_json or sample.place in ("console", "elasticsearch", "kubernetes", "argocd"):
        return None
    return next((name for name, keys in _RABBIT_LISTS if sample.names(*keys)), None)


def _is_misnamed(sample: Sample) -> bool:
    """Whether a file of ``rabbitmq/`` has a name that nothing is read from, and is a list by what it holds."""
    return not is_list_name(sample.relative.rpartition("/")[2]) and rabbit_list(sample) is not None


def _convert_rabbit(source: Source) -> Pieces:
    yield f"rabbitmq/{rabbit_list(source.sample)}-{source.number}.json", source.data()


OBJECTS = Shape("objects of Kubernetes or Argo CD", _fits_objects, _convert_objects, "kubernetes")
RABBIT_API = Shape(
    "a list of RabbitMQ's management API", lambda sample: rabbit_list(sample) is not None, _convert_rabbit, "rabbitmq"
)
APPLICATIONS = Shape("Applications as argocd prints them", _fits_applications, _convert_applications, "argocd")
MISNAMED_API = Shape("a list of RabbitMQ's management API", _is_misnamed, _convert_rabbit, "rabbitmq")
