"""Errors of AWS as sentences: what was asked, why it was refused, what to do next."""

import re
from typing import Any

from ebb.errors import EbbError

_DENIED = re.compile(r"not authorized to perform: ([a-zA-Z0-9-]+:[A-Za-z0-9*]+)(?: on resource: (\S+))?")
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)
_FORBIDDEN = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "ForbiddenException"}
)
_NONE = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "CredentialRetrievalError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
_EXPIRED_LOCALLY = frozenset({"UnauthorizedSSOTokenError", "TokenRetrievalError"})
_LONGEST = 400


class AwsRefused(EbbError):
    """AWS did not do what was asked.

    Attributes:
        code: of AWS's own; the name of the exception where no answer came.
        told: AWS's own words; empty where there are none.
    """

    def __init__(self, message: str, code: str = "", told: str = "") -> None:
        self.code, self.told = code, told
        super().__init__(message)


def sentence_of(error: Any, action: str, region: str) -> AwsRefused:
    """Return the error that tells people why AWS did not do something.

    Args:
        error: what botocore raised.
        action: as IAM names it, such as `cloudformation:DescribeStacks`.
        region: where it was asked for.
    """
    kind = type(error).__name__
    told = getattr(error, "response", {}).get("Error", {})
    code, words = str(told.get("Code") or kind), str(told.get("Message") or "").strip()[:_LONGEST]
    return AwsRefused(_sentence(code, words, action, region), code, words)


def _sentence(code: str, words: str, action: str, region: str) -> str:
    if code in _EXPIRED or code in _EXPIRED_LOCALLY:
        return (
            "the AWS credentials have expired: sign in again (`aws sso login`), then run the same command, it goes on"
        )
    if code in _NONE:
        return "there are no AWS credentials: sign in (`aws sso login`), and name the profile with AWS_PROFILE"
    if code in _UNKNOWN:
        return f"AWS does not know the credentials ({code}): sign in again, or name another profile with AWS_PROFILE"
    if code in _FORBIDDEN or "not authorized to perform" in words:
        found = _DENIED.search(words)
        what, where = (found[1], found[2] or "") if found else (action, "")
        on = f" on {where.rstrip('.')}" if where else ""
        return f"AWS denies {what}{on} in {region}: have it allowed to these credentials, or use others"
    if not words:
        return f"AWS cannot be asked for {action} in {region} ({code}): check the network and the region"
    return f"AWS refuses {action} in {region} ({code}): {words.rstrip('.')}"
