"""What the libraries for Google's and Azure's stores raise, in this project's words; none of them need be installed."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from detectattn.errors import AccessDenied, ConnectionFailed, FetchError, ForbiddenAddress, HttpStatus, ObjectNotFound
from detectattn.storage import listing, parse_address, requests
from detectattn.storage.requests import read_range
from detectattn.storage.translate import translate_error


class AzureCode(str, Enum):  # noqa: UP042 - as Azure's, whose text is its name
    """As azure.storage.blob gives some codes; others it gives as plain text."""

    INVALID_RANGE = "InvalidRange"
    AUTHORIZATION_FAILURE = "AuthorizationFailure"


class HttpResponseError(Exception):
    """Azure's: a text that ends with the page of the answer."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"It is so.\nRequestId:12-34\nTime:2026-01-01\nErrorCode:{code}\nContent: <Error>x</Error>")
        self.error_code = code
        self.status_code = status


class ServiceRequestError(Exception):
    """Azure's, where no server answers."""


class HttpError(Exception):
    """gcsfs's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Backend Error, {code}")
        self.code = code


@pytest.mark.parametrize(
    ("url", "error", "kind", "told"),
    [
        ("az", HttpResponseError("AuthorizationPermissionMismatch", 403), AccessDenied, "no right to az://b/x"),
        ("az", HttpResponseError(AzureCode.AUTHORIZATION_FAILURE, 403), AccessDenied, r"\(AuthorizationFailure\)"),
        ("az", HttpResponseError("InvalidResourceName", 400), ForbiddenAddress, r"address \(It is so\)\. Check"),
        ("az", HttpResponseError("OddCode", 400), FetchError, r"cannot be read \(It is so\)\. See"),
        ("az", HttpResponseError("ContainerNotFound", 404), ObjectNotFound, "there is no bucket b"),
        ("az", ServiceRequestError("Cannot connect to host"), ConnectionFailed, "no connection for az://b/x"),
        (
            "az",
            ValueError("Must provide either a connection_string or account_name"),
            AccessDenied,
            "CONNECTION_STRING",
        ),
        ("gs", OSError("Forbidden: b/b/o\nnobody@x does not have access"), AccessDenied, "nobody@x does not have"),
        ("gs", HttpError(401), AccessDenied, r"credentials for gs://b/x are refused \(401\).*gcloud"),
        ("gs", HttpError(503), HttpStatus, "busy or failing"),
    ],
)
def test_errors_of_other_stores(url: str, error: Exception, kind: type[Exception], told: str) -> None:
    translated = translate_error(error, parse_address(f"{url}://b/x"))
    assert type(translated) is kind
    with pytest.raises(kind, match=told):
        raise translated


class FakeStore:
    """fsspec's view of a store without a listing by pages, with one bucket that holds nothing but an empty object."""

    asked = 0

    def __init__(self, may_look: bool = True) -> None:
        self._may_look = may_look

    def ls(self, path: str, detail: bool) -> Any:
        raise FileNotFoundError(path)

    def info(self, path: str) -> Any:
        if not self._may_look:
            raise OSError("Forbidden: b/there")
        if path != "there":
            raise FileNotFoundError(path)
        return {"type": "directory"}

    def cat_file(self, path: str, start: int, end: int) -> bytes:
        self.asked += 1
        raise HttpError(503) if path.endswith("busy") else HttpResponseError(AzureCode.INVALID_RANGE, 416)


def test_a_folder_that_is_not_there_is_empty_and_a_bucket_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "connect", lambda *_, **__: FakeStore())
    assert list(listing.iter_objects(parse_address("gs://there/x/"))) == []
    for url in ("gs://elsewhere/x/", "az://elsewhere"):
        with pytest.raises(ObjectNotFound, match="there is no bucket elsewhere"):
            list(listing.iter_objects(parse_address(url)))
    monkeypatch.setattr(requests, "connect", lambda *_, **__: FakeStore(may_look=False))
    assert list(listing.iter_objects(parse_address("gs://elsewhere/x/"))) == []  # nobody can tell


def test_an_empty_object_of_azure_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "connect", lambda *_, **__: FakeStore())
    assert read_range(parse_address("az://there/empty"), 0, 10) == b""


def test_a_store_whose_library_is_patient_itself_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store = FakeStore()
    monkeypatch.setattr(requests, "connect", lambda *_, **__: store)
    with pytest.raises(HttpStatus):
        read_range(parse_address("gs://there/busy"), 0, 10)
    assert store.asked == 1
