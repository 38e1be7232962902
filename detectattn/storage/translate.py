"""From the errors of object storage libraries to this project's: what failed, why, what to do.

Those libraries are known by the names of their errors and the codes these carry, so that none of them is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from detectattn.errors import (
    AccessDenied,
    ConnectionFailed,
    FetchError,
    FetchTimedOut,
    ForbiddenAddress,
    HttpStatus,
    ObjectNotFound,
)
from detectattn.fetch import redact_url
from detectattn.storage.addresses import StorageAddress

_MAX_REASON = 300
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)

_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "ProfileNotFound",
        "TokenRetrievalError",
        "DefaultCredentialsError",
        "ClientAuthenticationError",
        "UnauthorizedSSOTokenError",
        "SSOTokenLoadError",
    }
)
_REFUSED_CODES = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "InvalidClientTokenId", "401"}
    | {"RequestTimeTooSkewed", "InvalidSecurity", "AuthenticationFailed", "NoAuthenticationInformation"}
)
_DENIED_CODES = frozenset(
    {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "AuthorizationFailure"}
    | {"AuthorizationPermissionMismatch", "AuthorizationResourceTypeMismatch", "AuthorizationSourceIPMismatch"}
    | {"InsufficientAccountPermissions", "PublicAccessNotPermitted", "KeyBasedAuthenticationNotPermitted"}
)
_REGION_CODES = frozenset({"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "301", "307"})
_UNUSABLE = frozenset(
    {"InvalidBucketName", "ParamValidationError", "InvalidRegionError", "KeyTooLongError"}
    | {"InvalidResourceName", "OutOfRangeInput"}
)
_WITHOUT_CREDENTIALS = ("Unable to locate credentials", "Must provide either a connection_string or account_name")
_BUSY_CODES = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "OperationAborted"})
_TIMEOUTS = ("ConnectTimeoutError", "ReadTimeoutError", "FSTimeoutError", "ServerTimeoutError", "TimeoutError")
_CONNECTION = (
    "Connect",
    "Payload",
    "IncompleteRead",
    "ServerDisconnected",
    "ClientOSError",
    "ServiceRe",
    "SSL",
    "Proxy",
)


class _Seen(NamedTuple):
    """What can be told of an error: the names of its kinds, the code a server sent, and words."""

    names: frozenset[str]
    code: str
    reason: str


def find_code(error: BaseException) -> str:
    """The code that a server answered with (``NoSuchBucket``, ``404``), or nothing."""
    for part in _chain(error):
        response = getattr(part, "response", None)
        if isinstance(response, dict) and isinstance(response.get("Error"), dict):
            return str(response["Error"].get("Code", ""))
        for attribute in ("error_code", "status_code", "status", "code"):
            value = getattr(part, attribute, None)
            if isinstance(value, int | str) and value:
                return str(getattr(value, "value", value))  # Azure's are text or members of an Enum
    return ""


def translate_error(error: Exception, address: StorageAddress) -> FetchError:
    """The error of this project for one of fsspec's, or of what fsspec builds on.

    Args:
        error: What was raised.
        address: What was asked for.
    """
    names = frozenset(kind.__name__ for part in _chain(error) for kind in type(part).__mro__)
    seen = _Seen(names, find_code(error), _to_reason(error))
    return _to_not_there(seen, address) or _to_refused(seen, address) or _to_unreached(seen, address)


def to_no_bucket(address: StorageAddress) -> ObjectNotFound:
    """The error of a bucket that does not exist."""
    hint = f"Check its name, and the endpoint and region that are used{_endpoint_hint(address)}"
    return ObjectNotFound(f"there is no bucket {address.bucket}", hint=hint)


def _to_not_there(seen: _Seen, address: StorageAddress) -> FetchError | None:
    shown = redact_url(address.url)
    if seen.code in {"NoSuchBucket", "ContainerNotFound"}:
        return to_no_bucket(address)
    if "FileNotFoundError" in seen.names or seen.code in {"NoSuchKey", "404", "BlobNotFound"}:
        return ObjectNotFound(f"{shown} does not exist", hint="Check the address; upper and lower case differ")
    if seen.names & _UNUSABLE or seen.code in _UNUSABLE:
        return ForbiddenAddress(f"{shown} is not a usable address ({seen.reason})", hint="Check its spelling")
    return None


def _to_refused(seen: _Seen, address: StorageAddress) -> FetchError | None:
    shown = redact_url(address.url)
    if seen.names & _NO_CREDENTIALS or any(words in seen.reason for words in _WITHOUT_CREDENTIALS):
        return AccessDenied(f"no credentials for {shown} ({seen.reason})", hint=_credentials_hint(address))
    if seen.code in _REFUSED_CODES:
        problem = f"the credentials for {shown} are refused ({seen.code})"
        return AccessDenied(problem, hint=f"Renew or correct them. {_credentials_hint(address)}")
    is_forbidden = seen.reason.startswith("Forbidden: ")  # gcsfs's words for Google's 403, in an error without a code
    if seen.code in _DENIED_CODES or is_forbidden or "PermissionError" in seen.names:
        problem = f"these credentials have no right to {shown} ({seen.code or seen.reason})"
        return AccessDenied(problem, hint=_rights_hint(address))
    return None


def _to_unreached(seen: _Seen, address: StorageAddress) -> FetchError:
    shown = redact_url(address.url)
    if seen.code in _REGION_CODES:
        problem = f"the bucket {address.bucket} lies in another region than was asked ({seen.reason})"
        return ConnectionFailed(problem, hint="Set AWS_DEFAULT_REGION to the bucket's own region")
    if seen.names & set(_TIMEOUTS):
        return FetchTimedOut(f"{shown} did not answer in time", hint=f"Try again later{_endpoint_hint(address)}")
    if any(part in name for part in _CONNECTION for name in seen.names):
        hint = f"Check the network and the endpoint{_endpoint_hint(address)}"
        return ConnectionFailed(f"no connection for {shown} ({seen.reason})", hint=hint)
    if seen.code in _BUSY_CODES or re.fullmatch(r"5\d\d|429", seen.code):
        return HttpStatus(f"the store of {shown} is busy or failing ({seen.code})", hint="Try again later")
    return FetchError(f"{shown} cannot be read ({seen.reason})", hint="See docs/storage.md")


def _to_reason(error: Exception) -> str:
    # What follows of Azure's is a number and a time, and the page of the answer.
    text = " ".join(str(error).split()).partition(" RequestId:")[0] or type(error).__name__
    text = _URL.sub(lambda found: redact_url(found[0]).partition("?")[0], text).rstrip(".")
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]} …"


def _chain(error: BaseException) -> Iterator[BaseException]:
    part: BaseException | None = error
    for _ in range(5):
        if part is None:
            return
        yield part
        part = part.__cause__


def _endpoint_hint(address: StorageAddress) -> str:
    return " (AWS_ENDPOINT_URL, AWS_DEFAULT_REGION)" if address.scheme.startswith("s3") else ""


def _credentials_hint(address: StorageAddress) -> str:
    if address.scheme.startswith("s3"):
        return (
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; FSSPEC_S3_ANON=true reads public buckets"
        )
    if address.scheme in {"gs", "gcs"}:
        return "Run `gcloud auth application-default login`; FSSPEC_GS_TOKEN=anon reads public buckets"
    return (
        "Set AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, "
        "or AZURE_STORAGE_CONNECTION_STRING"
    )


def _rights_hint(address: StorageAddress) -> str:
    if address.scheme.startswith("s3"):
        return "Reading takes s3:ListBucket and s3:GetObject, writing s3:PutObject and s3:DeleteObject"
    return "Ask the bucket's owner for the right to list and to read, and to write for outputs"
