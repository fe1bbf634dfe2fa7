"""What AWS refuses is told as what to do about it."""

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)
from hypothesis import given
from hypothesis import strategies as st

from local.deploying.words import sentence_of

ACTION = "cloudformation:DescribeStacks"


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "there are no AWS credentials: sign in (`aws sso login`)"),
        (ProfileNotFound(profile="nobody"), "name the profile with AWS_PROFILE"),
        (UnauthorizedSSOTokenError(), "have expired: sign in again"),
        (refusal("ExpiredToken"), "have expired: sign in again (`aws sso login`), then run the same command"),
        (refusal("RequestExpired"), "have expired"),
        (refusal("InvalidClientTokenId"), "AWS does not know the credentials (InvalidClientTokenId)"),
        (refusal("AccessDenied", "Access Denied"), f"AWS denies {ACTION} in eu-west-1: have it allowed"),
        (
            refusal(
                "AccessDeniedException",
                "User: arn:aws:iam::1:user/me is not authorized to perform: rds-data:ExecuteStatement on resource: "
                "arn:aws:rds:x because no identity-based policy allows it",
            ),
            "AWS denies rds-data:ExecuteStatement on arn:aws:rds:x in eu-west-1",
        ),
        (
            refusal("ValidationError", "User: me is not authorized to perform: iam:PassRole"),
            "AWS denies iam:PassRole in eu-west-1",
        ),
        (refusal("Throttling", "Rate exceeded."), f"AWS refuses {ACTION} in eu-west-1 (Throttling): Rate exceeded"),
        (
            EndpointConnectionError(endpoint_url="https://nowhere"),
            f"AWS cannot be asked for {ACTION} in eu-west-1 (EndpointConnectionError): check the network",
        ),
    ],
)
def test_each_refusal_says_what_to_do(error: Exception, says: str) -> None:
    told = sentence_of(error, ACTION, "eu-west-1")
    assert says in str(told)
    assert "\n" not in str(told)


def test_the_code_and_the_words_stay_for_who_decides_by_them() -> None:
    told = sentence_of(refusal("ValidationError", "Stack with id x does not exist"), ACTION, "us-east-1")
    assert (told.code, told.told) == ("ValidationError", "Stack with id x does not exist")


@given(st.text(max_size=3_000), st.text(max_size=3_000))
def test_whatever_aws_says_becomes_one_sentence_of_bounded_length(code: str, message: str) -> None:
    assert len(str(sentence_of(refusal(code[:60], message), ACTION, "us-east-1"))) < 1_000
