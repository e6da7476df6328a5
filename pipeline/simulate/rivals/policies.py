"""The policies that are compared by name, and how another one is named: `module:Class`."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pipeline.errors import UsageError
from pipeline.simulate.rivals.plan import Echelon
from pipeline.simulate.rivals.rules import (
    BaseStock,
    Drp,
    MinMax,
    Newsvendor,
    SingleEchelon,
    WeeksOfSupply,
)
from pipeline.simulate.rivals.situation import Policy

POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        WeeksOfSupply(), Newsvendor(), SingleEchelon(), BaseStock(), Drp(), MinMax(), Echelon(),
        Echelon(name="echelon_unpriced", sees_capacity=False),
    )
}  # fmt: skip
_MEMBERS = ("name", "stages", "every_days", "reads", "decide")


def named_policies(
    names: Sequence[str], parameters: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Policy]:
    """Policies by name: a key of POLICIES, or `module:Class` of your own (docs/policies.md).

    parameters: fields to replace, by policy. Raises UsageError that names everything that is wrong.
    """
    found: dict[str, Policy] = {}
    wrong = [] if names else ["no policy is named"]
    for text in dict.fromkeys(names):
        try:
            policy = _plugged_in(text) if ":" in text else POLICIES[text]
            policy = _with(policy, (parameters or {}).get(policy.name, {}))
        except KeyError:
            wrong.append(f"unknown policies: {text}")
        except (ImportError, AttributeError, TypeError) as error:
            wrong.append(f"{text}: {error}")
        else:
            if policy.name in found:
                wrong.append(f"two policies are called {policy.name}")
            found[policy.name] = policy
    if wrong:
        raise UsageError(
            "\n".join(wrong) + f"\nNext: use some of {', '.join(POLICIES)}, or module:Class "
            "(docs/policies.md)."
        )
    return found


def _plugged_in(text: str) -> Policy:
    module, _, name = text.partition(":")
    kind = getattr(importlib.import_module(module), name)
    policy: Any = kind() if inspect.isclass(kind) else kind
    missing = [member for member in _MEMBERS if not hasattr(policy, member)]
    if missing:
        raise TypeError(f"a policy needs {', '.join(missing)}")
    if not str(policy.name).replace("_", "").isalnum():
        raise TypeError(f"its name {policy.name!r} may hold letters, digits and _ only")
    return policy


def _with(policy: Policy, parameters: Mapping[str, Any]) -> Policy:
    if not parameters:
        return policy
    known: set[str] = {field.name for field in fields(policy)} if is_dataclass(policy) else set()
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise TypeError(f"no parameter {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return replace(policy, **parameters)  # type: ignore[type-var]  # a dataclass, checked above
