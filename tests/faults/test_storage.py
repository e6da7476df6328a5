"""Full and read-only disks, object stores that fail or refuse; text of others on the terminal."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pipeline.contracts.settings import load_settings
from pipeline.errors import SettingsError, StorageError, UsageError
from pipeline.printing import plain
from pipeline.store import Store, faults
from tests.test_store import DAY, LINEAGE, sales


@pytest.mark.parametrize(("number", "words"), [
    (errno.ENOSPC, "the disk is full. Next: free space"),
    (errno.EROFS, "the file system is read-only. Next: mount it writable"),
    (errno.EACCES, "permission is denied. Next: give this user the right"),
])  # fmt: skip
def test_a_disk_that_cannot_write_is_told_in_one_message_and_leaves_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    store = Store(tmp_path)
    store.publish(DAY, "sales", sales(3), LINEAGE)

    def full(_: int) -> None:
        raise OSError(number, "no")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StorageError, match=words) as caught:
            store.publish(DAY, "sales", sales(4), LINEAGE)
    assert caught.value.exit_code == 8
    assert store.read(DAY, "sales")["units"].tolist() == [1, 3]
    assert len(list(Path(store.path(DAY, "sales")).iterdir())) == 2, "no half file stays"


@pytest.mark.parametrize(("answer", "words", "attempts"), [
    ("AWS Error SERVICE_UNAVAILABLE during PutObject", "failing or overloaded", 3),
    ("AWS Error INTERNAL_FAILURE: HTTP status 500", "failing or overloaded", 3),
    ("AWS Error NETWORK_CONNECTION: curlCode: 7", "cannot be reached", 3),
    ("AWS Error ACCESS_DENIED: HTTP status 403", "refuses access", 1),
    ("AWS Error NO_SUCH_BUCKET during PutObject", "the bucket does not exist", 1),
])  # fmt: skip
def test_object_stores_are_tried_again_where_it_can_help_only(
    monkeypatch: pytest.MonkeyPatch, answer: str, words: str, attempts: int
) -> None:
    monkeypatch.setattr(faults, "PAUSES_S", (0.0, 0.0))
    calls = []

    def fail() -> None:
        calls.append(1)
        raise OSError(answer)

    with pytest.raises(StorageError, match=words):
        faults.attempt(fail, "cannot write", "plans/x")
    assert len(calls) == attempts


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="no address of an object store"):
        Store("foo://x")


@pytest.mark.parametrize(
    "content", [b"root:x:0:0\n\tsecret: [", b"secret: {a: b: c", b"\xff\xfe\x00s"]
)
def test_a_file_that_is_no_settings_file_is_never_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "passwd"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert "not YAML" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["[/red] closing tag", "[bold red]styled[/]", "a [link=x]b"])
def test_names_that_look_like_markup_are_printed_as_they_are(name: str) -> None:
    assert plain(name).plain == name
    assert plain(name).spans == []


def test_names_cannot_command_the_terminal() -> None:
    assert "\x1b" not in plain("\x1b[31mred\x1b[0m").plain
