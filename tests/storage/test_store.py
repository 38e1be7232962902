from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from detectattn.errors import AccessDenied, ConnectionFailed, ForbiddenAddress, ObjectNotFound, Offline, WriteFailed
from detectattn.storage import Store, open_store
from tests.object_store import Bucket, FailingFront


@pytest.fixture(params=["local", "s3", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "s3":
        yield open_store(f"{request.getfixturevalue('s3').url}/runs/one/")
    elif request.param == "local":
        yield open_store(tmp_path / "runs")
    else:
        from fsspec.implementations.memory import MemoryFileSystem

        yield open_store("memory://runs/one")
        MemoryFileSystem.store.clear()


def test_what_is_put_is_there_under_its_name(store: Store, tmp_path: Path) -> None:
    store.put("a.txt", b"first")
    store.put("a.txt", b"second")
    (tmp_path / "file").write_bytes(b"from a file")
    store.put("deep/er/b.bin", tmp_path / "file")
    assert store.get("a.txt") == b"second"
    assert store.get("deep/er/b.bin") == b"from a file"
    assert store.exists("a.txt")
    assert not store.exists("deep")
    assert not store.exists("nothing/here")


def test_of_two_that_create_one_name_one_does(store: Store) -> None:
    assert store.create("deep/mark.json", b"first")
    assert not store.create("deep/mark.json", b"second")
    assert store.get("deep/mark.json") == b"first"
    assert list(store.iter_names()) == ["deep/mark.json"]
    store.delete("deep/mark.json")
    assert store.create("deep/mark.json", b"third")


def test_the_store_itself_refuses_what_is_there(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another one came between the look and the request."""
    store = open_store(s3.url)
    store.put("mark.json", b"first")
    monkeypatch.setattr("detectattn.storage.remote.look_at", lambda *_, **__: None)
    assert not store.create("mark.json", b"second")
    assert store.get("mark.json") == b"first"


@pytest.mark.parametrize("error", [TypeError("mode"), type("ParamValidationError", (Exception,), {})("mode")])
def test_a_library_that_knows_no_condition_writes_all_the_same(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    pipe = MemoryFileSystem.pipe_file

    def pipe_file(self: object, path: str, value: bytes, **options: object) -> None:
        if options:
            raise error
        pipe(self, path, value)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", pipe_file)
    store = open_store("memory://old-library")
    assert store.create("mark", b"first")
    assert not store.create("mark", b"second")
    assert store.get("mark") == b"first"
    store.delete("mark")


def test_names_come_in_one_order_everywhere(store: Store) -> None:
    names = ["a/b.txt", "a-b.txt", "a.txt", "a/é.txt", "a/b/c.txt", "Z.txt", "ab/d.txt"]
    for name in names:
        store.put(name, b"x")
    assert list(store.iter_names()) == sorted(names)
    assert list(store.iter_names("a/b")) == ["a/b.txt", "a/b/c.txt"]
    assert list(store.iter_names("nothing")) == []


def test_what_is_deleted_is_gone_and_may_be_gone_before(store: Store) -> None:
    store.put("a.txt", b"x")
    store.delete("a.txt")
    store.delete("a.txt")
    store.delete("no/such/folder.txt")
    assert list(store.iter_names()) == []
    with pytest.raises(ObjectNotFound, match=r"a\.txt does not exist"):
        store.get("a.txt")


def test_a_store_can_be_sent_to_another_process(store: Store) -> None:
    store.put("a.txt", b"x")
    copy: Store = pickle.loads(pickle.dumps(store))
    assert copy.get("a.txt") == b"x"
    assert copy.describe("a.txt") == store.describe("a.txt")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../out", "a/../../out", "a//b", "."])
def test_no_name_leads_out_of_the_store(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="relative"):
        store.put(name, b"x")


def test_what_cannot_be_put_whole_leaves_the_old_one(store: Store, tmp_path: Path) -> None:
    store.put("a.txt", b"old")
    with pytest.raises(WriteFailed):
        store.put("a.txt", tmp_path / "no such file")
    assert store.get("a.txt") == b"old"
    assert list(store.iter_names()) == ["a.txt"]
    assert not list(tmp_path.rglob("*.part"))


def test_a_bucket_that_is_not_there_is_named(s3: Bucket) -> None:
    store = open_store("s3://no-such-bucket-of-tests/x")
    with pytest.raises(ObjectNotFound, match=r"no bucket no-such-bucket-of-tests\..*AWS_ENDPOINT_URL"):
        list(store.iter_names())
    with pytest.raises(WriteFailed, match=r"x/a cannot be written: there is no bucket"):
        store.put("a", b"x")


def test_a_missing_right_is_named_with_the_rights_it_takes(front: FailingFront, s3: Bucket) -> None:
    store = open_store(f"{s3.url}/x")
    front.always = lambda asked: 403
    with pytest.raises(AccessDenied, match=r"no right to .*AccessDenied.*s3:ListBucket"):
        list(store.iter_names())
    with pytest.raises(WriteFailed, match=r"cannot be written: these credentials have no right.*s3:PutObject"):
        store.put("a", b"x")
    assert len(front.asked) == 2  # asking again would not help


def test_missing_credentials_are_named_and_none_are_shown(
    s3: Bucket, new_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(AccessDenied, match=r"no credentials .*AWS_ACCESS_KEY_ID") as caught:
        open_store(s3.url).get("a")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("fault", [503, 500, "gone", "half"])
def test_a_fault_that_passes_costs_another_try_and_nothing_else(
    front: FailingFront, s3: Bucket, fault: int | str
) -> None:
    s3.put("x/a.txt", b"content " * 1000)
    front.answers = [fault, fault]
    from detectattn.storage import parse_address
    from detectattn.storage.requests import read_range

    assert read_range(parse_address(f"{s3.url}/x/a.txt"), 0, 8000) == b"content " * 1000
    assert len(front.asked) == 3


def test_a_fault_that_stays_is_one_line(front: FailingFront, s3: Bucket) -> None:
    front.always = lambda asked: "gone"
    with pytest.raises(ConnectionFailed, match="no connection for s3://"):
        open_store(s3.url).get("a")


def test_an_endpoint_that_nobody_listens_on_is_named(
    front: FailingFront, new_session: None, refusing_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", refusing_url)
    with pytest.raises(ConnectionFailed, match=r"no connection for s3://.*127\.0\.0\.1.*AWS_ENDPOINT_URL"):
        open_store("s3://bucket/x").get("a")


def test_offline_asks_for_nothing(front: FailingFront, s3: Bucket) -> None:
    with pytest.raises(Offline, match="--offline"):
        open_store(s3.url, offline=True).get("a")
    assert front.asked == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://AKIA:se/cret@bucket/x", "holds credentials"),
        ("s3://key@bucket/x", "holds credentials"),
        ("s3://", "names no bucket"),
        ("ftp://host/x", "cannot be written to"),
        ("https://host/x", "cannot be written to"),
    ],
)
def test_addresses_that_are_refused(url: str, words: str) -> None:
    with pytest.raises(ForbiddenAddress, match=words) as caught:
        open_store(url)
    assert "cret" not in str(caught.value)
    assert "key@" not in str(caught.value)


def test_azure_may_name_its_account() -> None:
    assert open_store("abfs://container@account.dfs.core.windows.net/x/").describe("a").endswith("/x/a")


_WITHOUT_EXTRA = """
import sys
sys.modules["fsspec"] = sys.modules["s3fs"] = None
from detectattn.cli.app import main
sys.argv = ["detectattn", "predict", "s3://bucket/a.jpg", "-m", "demo-yolo"]
sys.exit(main())
"""


def test_without_the_extra_one_line_names_it(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", _WITHOUT_EXTRA], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 1
    (line,) = " ".join(ran.stderr.split()).split("error: ")[1:]
    assert "needs the package s3fs, which is not installed. Install it with pip install 'detectattn[storage]'" in line
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_it_is_imported_before_it_is_used(tmp_path: Path) -> None:
    check = (
        "import sys, detectattn.sources, detectattn.weights.locate, detectattn.cli.app;"
        "from detectattn.storage import open_store; open_store('s3://bucket/x');"
        "sys.exit(any(m.split('.')[0] in {'fsspec', 's3fs', 'botocore', 'aiohttp'} for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], cwd=tmp_path).returncode == 0
