"""Lines that are redacted together come out byte for byte as each would alone."""

from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.redaction import Redactor, may_hold, scan
from incident_kit.redaction.may_hold import ANYTHING
from incident_kit.redaction.pem import PemState

REDACTOR = Redactor(b"0123456789abcdef" * 2)
#: What detectors look for, parts of it, and what stands around it.
PARTS = [
    "bob@example.com", "bob%40shop.example", "Bob.O+x@Example.CO.uk", "@", "rabbit@a.b", "user", "x@", "a@b.c@d.ef", "ü@ö.de",
    "amqp://shop:s3cr3t@rabbit.example:5672/", "://:p@h.de", "://", "https://u:p%40ss@Host.example", "s3cr3t@",
    "password=hunter2", "Password: ", "pwd=", "token", "Token: abc123def456ghi7", "secret: 'two words'", "api_key=\\\"x y", "sig=a",
    "cancellation_token=abc", 'key":', '"password":"', "=", ":", "passphrase = ", "cvv2:123", "maſter-key=x", "ToKen=1",
    "Bearer ", "bearer abc123.def456", "xBearer abcdefgh12", "Basic c2hvcDpz", "apikey\u00a0abcdefghijk1", "Bearer", "basic",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.dozjgNryP4J3", "eyJ", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE7", "ghp_0123456789abcdefghij",
    "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005", "orderId=4111111111111111", 'card: "4111111111111111', "4111",
    "٤١١١", "4111111111111111", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "XX12", "GB82WEST12345698765432",
    " ", "  ", "\t", ",", ";", '"', "'", "\\", "\\\"", "\\n", "\r", "/", ".", "-", "_", "x", "7", "é", "\udcff", "\u2003", "{", "}",
    '{"message":"mail to bob@example.com"}', '{"a":"\\u0040","b":"x@example.com"}', "redacted-secret-0123456789ab", "\x00", "\n,".strip(),
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _few_lines_are_asked_too() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(may_hold, "_FEW", 1)
        yield


lines = st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=7).map("".join), min_size=1, max_size=12)


def _block(texts: list[str], end: bool) -> bytes:
    block = "\n".join(texts).encode("utf-8", "surrogateescape")
    return block + b"\n" if end else block


def _pieces(block: bytes) -> list[bytes]:
    return [piece + b"\n" for piece in block.split(b"\n")[:-1]] + [block.rpartition(b"\n")[2]]


@settings(max_examples=400)
@given(lines, st.booleans())
def test_lines_of_a_log(texts: list[str], end: bool) -> None:
    block = _block(texts, end)
    asked = set(scan(block).suspicious.tolist())
    alone = [
        REDACTOR._log_line(piece, PemState()) if number in asked else piece
        for number, piece in enumerate(_pieces(block))
    ]
    assert REDACTOR.text_block(block) == b"".join(alone)


values = st.recursive(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join).map(lambda text: text.replace("\udcff", "?"))
    | st.sampled_from([4111111111111111, 1, None, True, 0.5]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "message",
                    "@timestamp",
                    "password",
                    "password_hash",
                    "env",
                    "name",
                    "value",
                    "cardNumber",
                    "a@b.cd",
                    "x",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=400)
@given(st.lists(st.dictionaries(st.sampled_from(["message", "_id", "args", "name"]), values, max_size=4), max_size=8))
def test_lines_of_json(documents: list[dict[str, object]]) -> None:
    block = b"".join(orjson.dumps(document) + b"\n" for document in documents)
    asked = set(scan(block).suspicious.tolist())
    alone = [
        REDACTOR._json_line(piece, ANYTHING) if number in asked else piece
        for number, piece in enumerate(_pieces(block)[:-1])
    ]
    assert REDACTOR.json_lines(block) == b"".join(alone)


@pytest.mark.parametrize(
    "line",
    [
        b'{"message" : "to bob@example.com"}',
        b'{"message":"to bob@example.com","n":1.50}',
        b'{"message":"to bob@example.com"}\r\n',
        b'{"args":["--db-password","x y"],"to":"bob@example.com"}\n',
        b'{"spec":{"env":[{"name":"N","value":"v"}]},"to":"bob@example.com"}\n',
        b'{"bob@example.com":"to bob@example.com"}\n',
        b"[" * 300 + b'"bob@example.com"' + b"]" * 300 + b"\n",
    ],
)
def test_json_of_which_more_is_done_than_to_replace_addresses(line: bytes) -> None:
    assert REDACTOR.json_lines(line) == REDACTOR._json_line(line, ANYTHING)
