"""Errors a user can act on: each says what is wrong, where, and what to do next.

Nothing here imports anything: every layer may raise these.
"""

from __future__ import annotations

from collections.abc import Sequence


class EchelonError(Exception):
    """Base of all errors that are the user's to mend; printed without a trace."""

    exit_code = 1


class ContractError(EchelonError):
    """Tables that break their contract, all violations at once."""

    exit_code = 2

    def __init__(self, violations: Sequence[object], action: str = "") -> None:
        self.violations = list(violations)
        lines = [f"{len(self.violations)} violation(s) of the table contracts:"]
        lines += [f"  - {violation}" for violation in self.violations]
        if action:
            lines.append(f"Next: {action}")
        super().__init__("\n".join(lines))


class MissingPartitionError(EchelonError):
    """A table of a business date that a stage reads has not been published."""

    exit_code = 3


class CorruptPartitionError(EchelonError):
    """A published file does not match its manifest (truncated, altered, half-written)."""

    exit_code = 3


class OutdatedPartitionError(EchelonError):
    """A table that another version published, without columns that this one declares."""

    exit_code = 3


class SettingsError(EchelonError):
    """A settings file with unknown keys or values out of range."""

    exit_code = 4


class UsageError(EchelonError):
    """A command or parameter that does not make sense (dates out of order, unknown item)."""

    exit_code = 5


class RecordsError(EchelonError):
    """The database of overrides, approvals and releases does not answer; nothing was written."""

    exit_code = 6


class DeliveryError(EchelonError):
    """Released orders could not be delivered; they stay prepared, and a retry sends the same."""

    exit_code = 7


class StorageError(EchelonError):
    """A disk or object store that is full, read-only, missing, closed to us or failing."""

    exit_code = 8


class BusyError(EchelonError):
    """Another process is at work on the same business date of the same store."""

    exit_code = 9


class StaleInputError(EchelonError):
    """Published tables that stem from different runs: old and new would be mixed."""

    exit_code = 10
