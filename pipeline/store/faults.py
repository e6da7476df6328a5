"""What disks and object stores answer when they cannot: one message with the next step.

What may pass by itself (a busy or slow server, a lost connection) is tried again first.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import StorageError

Answer = TypeVar("Answer")
PAUSES_S = (0.5, 2.0)
"""Pauses before the second and third attempt; the client of the object store has its own, too."""

_BY_ERRNO = {
    errno.ENOSPC: ("the disk is full", "free space, then run the night again"),
    errno.EDQUOT: ("the disk quota is used up", "free space, then run the night again"),
    errno.EROFS: ("the file system is read-only", "mount it writable, or give another --out"),
    errno.EACCES: ("permission is denied", "give this user the right, or another --out"),
    errno.EPERM: ("permission is denied", "give this user the right, or another --out"),
    errno.ENOTDIR: ("a file lies where a folder is needed", "give another --out"),
    errno.EIO: ("the disk does not answer", "check the disk, then run the night again"),
}
# Words of the AWS client, in the order in which they are looked for.
_BY_WORDS = (
    (("NO_SUCH_BUCKET", "NoSuchBucket", "Bucket does not exist"),
     "the bucket does not exist", "create it, or correct the address"),
    (("ACCESS_DENIED", "AccessDenied", "HTTP status 403", "InvalidAccessKeyId", "SignatureDoesNot",
      "INVALID_ACCESS_KEY", "INVALID_CLIENT_TOKEN", "UNRECOGNIZED_CLIENT"),
     "the object store refuses access", "check its credentials and the bucket's policy"),
    (("SERVICE_UNAVAILABLE", "SLOW_DOWN", "INTERNAL_FAILURE", "HTTP status 50", "SlowDown"),
     "the object store is failing or overloaded", "run the night again when it has recovered"),
    (("NETWORK_CONNECTION", "REQUEST_TIMEOUT", "curlCode", "timed out", "Timeout"),
     "the object store cannot be reached", "check the network and the address"),
)  # fmt: skip
_PASSING = tuple(word for words, _, _ in _BY_WORDS[2:] for word in words)


def attempt(action: Callable[[], Answer], what: str, path: str) -> Answer:
    """What `action` returns; tried again where the fault may pass, else StorageError.

    what: the attempted deed, as in "cannot write"; path: where.
    """
    for pause_s in (*PAUSES_S, None):
        try:
            return action()
        except FileNotFoundError:
            raise
        except OSError as error:
            if pause_s is None or not _may_pass(error):
                raise StorageError(_message(error, what, path)) from error
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def _may_pass(error: OSError) -> bool:
    if _cause(error):
        return False
    return error.errno is None and any(word in str(error) for word in _PASSING)


def _cause(error: OSError) -> tuple[str, str] | None:
    known = _BY_ERRNO.get(error.errno) if error.errno else None
    if known:
        return known
    for words, cause, step in _BY_WORDS[:2]:  # what no second attempt can mend
        if any(word in str(error) for word in words):
            return cause, step
    return None


def _message(error: OSError, what: str, path: str) -> str:
    found = _cause(error)
    if found is None:
        for words, cause, step in _BY_WORDS[2:]:
            if any(word in str(error) for word in words):
                found = cause, step
                break
    cause, step = found or (error.strerror or _first_line(error), "check the place, then try again")
    return f"{what} {path}: {cause}. Next: {step}. What was published before is untouched."


def _first_line(error: OSError) -> str:
    return (str(error).splitlines() or ["no reason given"])[0][:200]
