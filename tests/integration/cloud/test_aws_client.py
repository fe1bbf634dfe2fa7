"""The client of AWS: what it signs, how often it asks, and when it gives up."""

import logging
import re
import time
from collections.abc import Callable

import pytest

from ebb.aws.client import Answer, Ask, AwsClient
from ebb.aws.credentials import Credentials
from ebb.aws.endpoint import Endpoint
from ebb.errors import Misuse, Unavailable
from ebb.s3.bucket import Bucket
from tests.fakes.answering import Answering, answering
from tests.fakes.aws_door import KEYS

WHO = Credentials("AKIDEXAMPLE", "canary-secret", "canary-token")
OK, BUSY = (200, b"fine", ""), (503, b"<Error><Code>SlowDown</Code></Error>", "")


def at(server: Answering, service: str = "s3") -> Endpoint:
    return Endpoint(service, "us-east-1", server.url, own=False)


def get(server: Answering, seconds: float = 10.0, client: AwsClient | None = None) -> Answer:
    return (client or AwsClient(lambda: WHO)).send(at(server), Ask("GET", f"{server.url}/b/k"), seconds)


def test_one_connection_serves_many_requests() -> None:
    client = AwsClient(lambda: WHO)
    with answering(OK) as server:
        assert {get(server, client=client).body for _ in range(5)} == {b"fine"}
        assert len({port for _, _, port in server.asked}) == 1
        client.close()
        get(server, client=client)
        assert len({port for _, _, port in server.asked}) == 2


def test_a_connection_that_the_server_closed_meanwhile_costs_nothing() -> None:
    client = AwsClient(lambda: WHO)
    with answering((200, b"fine", "close")) as server:
        assert [get(server, client=client).body for _ in range(5)] == [b"fine"] * 5


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 409])
def test_what_may_pass_is_asked_again(status: int) -> None:
    with answering((status, b"", ""), (status, b"", ""), OK) as server:
        answer = get(server)
    assert (answer.status, answer.repeated, len(server.asked)) == (200, status >= 500, 3)


@pytest.mark.parametrize("status", [400, 403, 404, 412, 301])
def test_what_will_not_pass_is_not(status: int) -> None:
    with answering((status, b"no", "")) as server:
        assert get(server).status == status
    assert len(server.asked) == 1


@pytest.mark.parametrize("word", [b'{"__type":"ThrottlingException"}', b"<Code>RequestTimeout</Code>"])
def test_a_throttle_in_the_words_of_a_bad_request_is_one(word: bytes) -> None:
    with answering((400, word, ""), OK) as server:
        assert get(server).status == 200


def test_pauses_grow_and_end_with_the_time() -> None:
    clock, pauses = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    client = AwsClient(lambda: WHO, lambda: clock[0], sleep)
    with answering(BUSY) as server, pytest.raises(Unavailable, match="S3 is too busy"):
        get(server, 5.0, client)
    assert sum(pauses) < 5.0
    assert all(pause <= min(2.0, 0.025 * 2**attempt) for attempt, pause in enumerate(pauses))
    assert 4 <= len(server.asked) < 60


def test_an_answer_that_trickles_is_given_up() -> None:
    began = time.monotonic()
    with answering((200, b"x" * 10_000, "trickle")) as server, pytest.raises(Unavailable, match="timeout"):
        get(server, 0.5)
    assert time.monotonic() - began < 60


def test_new_credentials_count_at_once_and_none_are_told() -> None:
    environment = dict(KEYS)
    client = AwsClient(lambda: Credentials.in_environment(environment))
    with answering(OK) as server:
        get(server, client=client)
        environment.update(AWS_ACCESS_KEY_ID="AKIDOTHER", AWS_SESSION_TOKEN="")
        get(server, client=client)
        del environment["AWS_SECRET_ACCESS_KEY"]
        with pytest.raises(Misuse, match="AWS_SECRET_ACCESS_KEY is not set"):
            get(server, client=client)
    first, second = server.heads
    assert "Credential=AKIDEXAMPLE/" in first["authorization"]
    assert first["x-amz-security-token"] == "canary-token"
    assert "Credential=AKIDOTHER/" in second["authorization"]
    assert "x-amz-security-token" not in second


def test_signatures_are_aws_s_own(signature: Callable[[dict[str, str], str], str]) -> None:
    """The oracle follows AWS's description, and nothing of botocore's."""
    with answering(OK) as server:
        ask = Ask("PUT", f"{server.url}/b/k?a=1&b=x%2Fy", {"If-Match": '"e"'}, b"body")
        AwsClient(lambda: WHO).send(at(server), ask, 5.0)
        sent = server.heads[0]
    told = re.search(r"Signature=([0-9a-f]{64})", sent["authorization"])
    assert told is not None
    assert told[1] == signature(sent, "PUT\n/b/k\na=1&b=x%2Fy\n")


def test_nothing_of_a_credential_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), answering(OK) as server:
        get(server)
    assert "canary" not in caplog.text
    assert "canary" not in repr(WHO)


def test_lists_go_on_where_a_page_ends() -> None:
    def page(keys: list[str], token: str) -> tuple[int, bytes, str]:
        listed = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
        more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
        space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
        return 200, f"<ListBucketResult {space}>{listed}{more}</ListBucketResult>".encode(), ""

    with answering(page(["a", "b"], "t/1="), page([], "t2"), page(["c&amp;d"], "")) as server:
        bucket = Bucket(AwsClient(lambda: WHO), at(server), "b", 5.0)
        assert list(bucket.keys("p/", "p/x")) == ["a", "b", "c&d"]
    assert [path.partition("?")[2] for _, path, _ in server.asked] == [
        "list-type=2&prefix=p%2F&start-after=p%2Fx",
        "continuation-token=t%2F1%3D&list-type=2&prefix=p%2F&start-after=p%2Fx",
        "continuation-token=t2&list-type=2&prefix=p%2F&start-after=p%2Fx",
    ]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            (403, b"<Error><Code>AccessDenied</Code></Error>", ""),
            r"\(AccessDenied\): give the function's role s3:GetObj",
        ),
        ((403, b"", ""), r"\(AccessDenied\)"),
        ((400, b"<Error><Code>ExpiredToken</Code></Error>", ""), "the credentials have expired"),
        ((301, b"<Error><Code>PermanentRedirect</Code></Error>", ""), "another region"),
        ((418, b"\xff", ""), r"\(418\): ask again later"),
    ],
)
def test_a_refusal_is_a_sentence(answer: tuple[int, bytes, str], sentence: str) -> None:
    with answering(answer) as server, pytest.raises(Unavailable, match=rf"S3 refuses GET of s3://b/k.*{sentence}"):
        Bucket(AwsClient(lambda: WHO), at(server), "b", 5.0).get("k")


def test_what_is_no_list_is_told() -> None:
    with answering((200, b"<html", "")) as server, pytest.raises(Unavailable, match="words that are none"):
        list(Bucket(AwsClient(lambda: WHO), at(server), "b", 5.0).keys("p"))


@pytest.mark.parametrize(
    ("name", "url"),
    [("ebb-x", "https://ebb-x.s3.eu-west-1.amazonaws.com/"), ("a.b", "https://s3.eu-west-1.amazonaws.com/a.b/")],
)
def test_a_bucket_of_aws_has_a_host_unless_its_certificate_could_not(name: str, url: str) -> None:
    there = Endpoint("s3", "eu-west-1", "https://s3.eu-west-1.amazonaws.com", own=True)
    assert Bucket(AwsClient(lambda: WHO), there, name, 1.0)._url == url
