"""What must not leave does not leave, the same value shows the same everywhere, and the rest stays as it was."""

import base64
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.redaction import Redactor

REDACTOR = Redactor(b"0123456789abcdef" * 2)
HEADER = "eyJhbGciOiJIUzI1NiJ9"
JWT = f"{HEADER}.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("login with password=hunter2 failed", "hunter2"),
        ("Password: hunter2", "hunter2"),
        ('db_password: "two words"', "two words"),
        ("connecting to amqp://shop:s3cr3t@rabbit:5672/shop", "s3cr3t"),
        ("redis://:s3cr3t@cache:6379/0", "s3cr3t"),
        ("Authorization: Bearer abc123.def456", "abc123.def456"),
        ("Authorization: Basic c2hvcDpzM2NyM3Q=", "c2hvcDpzM2NyM3Q"),
        (f"token is {JWT} now", JWT),
        ("Server=db;User Id=sa;Password=hunter2;Timeout=30", "hunter2"),
        ("AccountKey=abcDEF123+/==;EndpointSuffix=core", "abcDEF123"),
        ("https://store.blob/x?sv=2020&sig=aB%2Bc&se=1", "aB%2Bc"),
        ("X-Api-Key: 9f8e7d6c5b4a", "9f8e7d6c5b4a"),
        ('{"client_secret":"hunter2","n":1}', "hunter2"),
        ('{"inner":"{\\"password\\":\\"hunter2\\"}"}', "hunter2"),
        ('{"password":"torn-off-at-the-e', "torn-off"),
        ("card 4111 1111 1111 1111 charged", "4111 1111 1111 1111"),
        ("card 4111-1111-1111-1111 charged", "4111-1111"),
        ("amex 378282246310005", "378282246310005"),
        ("to DE89 3704 0044 0532 0130 00 now", "3704 0044"),
        ("mail to bob.o+x@example.co.uk sent", "bob.o+x"),
        ("?user=bob%40example.com&x=1", "bob%40example"),
        ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
    ],
)
def test_a_secret_in_a_line_is_replaced_and_stays_replaced(text: str, secret: str) -> None:
    once = REDACTOR.text(text)
    assert secret not in once
    assert "redacted-" in once
    assert REDACTOR.text(once) == once
    assert REDACTOR.text_block(f"2026-11-20T08:00:00.000000001Z {text}\n".encode()).decode().endswith(f"{once}\n")


@pytest.mark.parametrize(
    "text",
    [
        "orderId=4111111111111111 accepted",
        '{"traceId":"4111111111111111","ts":4111111111111111}',
        "epoch 1732400000000 and 1732400000000000000",
        "node rabbit@rabbit-0.rabbit.shop.svc.cluster.local joined rabbit@host.example.com",
        "Unexpected token: end of input",
        "written by bob\n@example.com is where to ask",
        "Bearer authentication failed",
        "Login for {User} with password={Password}",
        "checksum/secret: 0a1b2c3d4e5f",
        "image shop/orders@sha256:0123456789abcdef0123456789abcdef",
        "latitude 0.4111111111111111",
        "design: done, compass: north",
        "number 4111111111111112 fails the check digit",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert REDACTOR.text(text) == text
    line = f"2026-11-20T08:00:00.000000001Z {text}\n".encode()
    assert REDACTOR.text_block(line) == line


def test_one_value_has_one_pseudonym_in_every_source() -> None:
    def digits(redacted: object) -> set[str]:
        return set(re.findall(r"redacted-\w+-([0-9a-f]{12})", str(redacted)))

    encoded = base64.b64encode(b"hunter2").decode()
    seen = [
        digits(REDACTOR.text("password=hunter2")),
        digits(REDACTOR.text("amqp://shop:hunter2@rabbit/")),
        digits(REDACTOR.value({"Password": "hunter2"})),
        digits(REDACTOR.document("secrets", {"kind": "Secret", "data": {"p": encoded}})),
        digits(REDACTOR.document("configmaps", {"kind": "ConfigMap", "data": {"p": "hunter2"}})),
        digits(REDACTOR.document("pods", {"spec": {"containers": [{"env": [{"name": "P", "value": "hunter2"}]}]}})),
        digits(REDACTOR.text_block(b'2026Z {"password":"hunt\\u0065r2"}\n').decode()),
    ]
    assert len(seen[0]) == 1
    assert seen == [seen[0]] * len(seen)


def test_another_key_gives_other_pseudonyms() -> None:
    other = Redactor(b"f" * 32)
    assert other.text("password=hunter2") != REDACTOR.text("password=hunter2")
    assert other.key_id != REDACTOR.key_id


def test_a_console_line_still_equals_the_message_of_its_document() -> None:
    message = 'user bob@example.com paid with 4111 1111 1111 1111, "token": "abc123def456"'
    document = orjson.loads(REDACTOR.json_lines(orjson.dumps({"_source": {"message": message}}) + b"\n"))
    console = REDACTOR.text_block(f"2026-11-20T08:00:00.000000001Z {message}\n".encode()).decode()
    assert console.partition(" ")[2].rstrip("\n") == document["_source"]["message"]


def test_a_key_printed_over_several_lines_and_blocks_is_replaced_line_by_line() -> None:
    body = ["MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo", "4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onL", "Zg=="]
    lines = ["-----BEGIN RSA PRIVATE KEY-----", *body, "-----END RSA PRIVATE KEY-----", "ready"]
    stream = REDACTOR.text_stream()
    printed = b"".join(stream(f"2026-11-20T08:00:00.00000000{n}Z {line}\n".encode()) for n, line in enumerate(lines))
    in_document = REDACTOR.text("\n".join(lines))
    assert not any(part in printed.decode() or part in in_document for part in body)
    assert [line.partition(" ")[2] for line in printed.decode().splitlines()] == in_document.splitlines()
    assert printed.endswith(b" ready\n")


def test_values_of_secrets_configmaps_and_environment_never_leave_but_changes_show() -> None:
    before = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "old", "b": "same"}}
    after = {**before, "data": {"a": "new", "b": "same"}}
    one, two = (REDACTOR.document("configmaps", document)["data"] for document in (before, after))
    assert one["a"] != two["a"]
    assert one["b"] == two["b"]
    assert not {"old", "new", "same"} & set(map(str, [*one.values(), *two.values()]))


def test_an_object_keeps_its_structure_and_loses_its_last_applied_copy() -> None:
    reference = {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}}
    pod = {
        "kind": "Pod",
        "metadata": {
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "checksum/secret": "0a1b2c3d4e5f",
            },
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {"f:password": {}}}}],
        },
        "spec": {
            "volumes": [{"name": "v", "secret": {"secretName": "s"}}],
            "containers": [{"args": ["--db-password", "hunter2", "--level", "info"], "env": [reference]}],
        },
    }
    redacted = REDACTOR.document("pods", pod)
    assert redacted["metadata"]["annotations"] == {"checksum/secret": "0a1b2c3d4e5f"}
    assert redacted["metadata"]["managedFields"] == pod["metadata"]["managedFields"]  # type: ignore[index]
    assert redacted["spec"]["volumes"] == pod["spec"]["volumes"]  # type: ignore[index]
    container = redacted["spec"]["containers"][0]
    assert container["env"] == [reference]
    assert container["args"][1].startswith("redacted-")
    assert container["args"][2:] == ["--level", "info"]


def test_people_named_in_the_profile_stay_readable() -> None:
    redactor = Redactor(b"0" * 32, keep=("*@corp.example",))
    text = redactor.text("synced by alice@corp.example for bob@example.com")
    assert "alice@corp.example" in text
    assert "bob@" not in text


@given(st.lists(st.binary(max_size=80).map(lambda b: b.replace(b"\n", b" ")), max_size=20))
def test_redaction_keeps_the_number_of_lines_and_does_nothing_twice(lines: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in lines)
    once = REDACTOR.text_block(block)
    assert once.count(b"\n") == block.count(b"\n")
    assert REDACTOR.text_block(once) == once


@given(
    st.lists(
        st.sampled_from(["ready", "password=hunter2", "-----BEGIN X KEY-----", "QUJD", "x@example.com"]), max_size=12
    )
)
def test_cutting_the_stream_anywhere_gives_the_same_bytes(lines: list[str]) -> None:
    block = "".join(f"2026-11-20T08:00:00Z {line}\n" for line in lines).encode()
    stream = REDACTOR.text_stream()
    assert b"".join(stream(line) for line in block.splitlines(keepends=True)) == REDACTOR.text_stream()(block)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_a_document_redacted_twice_is_the_document_redacted_once(value: object) -> None:
    once = REDACTOR.value(value)
    assert REDACTOR.value(once) == once


def test_password_hashes_of_a_brokers_definitions_are_secrets() -> None:
    definitions = {"users": [{"name": "shop", "password_hash": "c2VjcmV0aGFzaA==", "hashing_algorithm": "sha256"}]}
    [user] = REDACTOR.value(definitions)["users"]
    assert user["password_hash"].startswith("redacted-")
    assert (user["name"], user["hashing_algorithm"]) == ("shop", "sha256")
