"""What the records write for a demand distribution, and the distribution that is meant.

Understood: `normal(50,8)`, `poisson(18)`, `uniform(0,b)` with b among the parameters,
`uniform{0..4}`, `normal(8,sqrt8)`, `lognormal(mu=3,sigma=0.5)`, `burr12(2,3,10)`, `N1,5`, `P3`,
`U0,6`, `U0-6`, `round(max(0,N(5,8^2)))`, a bare `poisson`
with a mean or rate among the parameters, and objects like {"type": "normal", "mean": 3, "sd": 1}.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.records.checks import NotSolvedError
from pipeline.core.inventory import demand as d

SHORT = {"n": "normal", "p": "poisson", "u": "uniform", "g": "geometric", "e": "exponential"}

MAKERS: dict[str, Callable[..., d.Demand]] = {
    "normal": d.normal,
    "gaussian": d.normal,
    "poisson": d.poisson,
    "geometric": d.geometric,
    "uniform": d.uniform,
    "uniform_continuous": d.uniform,
    "discrete_uniform": lambda low, high: d.discrete_uniform(int(low), int(high)),
    "uniform_discrete": lambda low, high: d.discrete_uniform(int(low), int(high)),
    "exponential": lambda mean: d.gamma(mean, mean),
    "gamma": lambda shape, scale: d.gamma(shape * scale, math.sqrt(shape) * scale),
    "lognormal": d.lognormal,
    "burr12": lambda c, k, scale=1.0: d.continuous(stats.burr12(c, k, scale=scale)),
    "weibull": lambda shape, scale: d.continuous(stats.weibull_min(shape, scale=scale)),
    "binomial": lambda n, p: d.discrete(stats.binom(int(n), p)),
    "negative_binomial": lambda r, p: d.discrete(stats.nbinom(r, p)),
    "nbinom": lambda r, p: d.discrete(stats.nbinom(r, p)),
    "deterministic": lambda value: d.Lattice(np.ones(1), float(value)),
    "constant": lambda value: d.Lattice(np.ones(1), float(value)),
}

# Names of the arguments, in order, where a specification gives them by name.
ARGUMENTS = {
    "normal": (("mean", "mu"), ("sd", "sigma", "std", "standard_deviation")),
    "poisson": (("rate", "mean", "lambda", "mu"),),
    "geometric": (("mean",),),
    "uniform": (("low", "lo", "min", "a"), ("high", "hi", "max", "b")),
    "discrete_uniform": (("low", "lo", "min", "a"), ("high", "hi", "max", "b")),
    "exponential": (("mean", "scale"),),
    "gamma": (("shape", "k"), ("scale", "theta")),
    "burr12": (("c", "shape1"), ("k", "d", "shape2"), ("scale",)),
    "weibull": (("shape", "k"), ("scale", "lambda")),
    "lognormal": (("log_mean", "mu", "mean"), ("log_sd", "sigma", "sd")),
    "binomial": (("n",), ("p",)),
    "negative_binomial": (("r", "n"), ("p",)),
    "deterministic": (("value", "mean"),),
}


def parse_demand(spec: Any, params: dict[str, Any], item: int | None = None) -> d.Demand:
    """The distribution for a specification; `item` picks from parameters that are lists."""
    if isinstance(spec, dict):
        return _named(str(spec.get("type", spec.get("distribution", ""))), spec, item)
    text = re.sub(r"\s+", "", str(spec)).lower().replace("**", "^")
    rounded = re.fullmatch(r"round\(max\(0,(?:n|normal)\((.+),(.+?)(\^2)?\)\)\)", text)
    if rounded:
        spread = _number(rounded[2], params, item)
        return d.rounded_normal(_number(rounded[1], params, item), spread)
    short = _short(text)
    if short is not None:
        return short
    call = re.fullmatch(r"([a-z_][a-z_0-9]*)\((.*)\)", text)
    if call and "=" in call[2]:
        named = dict(part.split("=", 1) for part in call[2].split(","))
        values = {name: _number(value, params, item) for name, value in named.items()}
        return _named(SHORT.get(call[1], call[1]), values, item)
    if call:
        return _make(call[1], [_number(part, params, item) for part in call[2].split(",")])
    return _named(text.removesuffix("process").rstrip("_"), params, item)


def _short(text: str) -> d.Demand | None:
    """A distribution written by a letter or a range, or None."""
    braces = re.fullmatch(r"(?:discrete_?)?uniform\{(-?\d+)(?:\.\.+|,\.\.\.,)(-?\d+)\}", text)
    if braces:
        return d.discrete_uniform(int(braces[1]), int(braces[2]))
    span = re.fullmatch(r"u(?:niform)?\[?([\d.]+?)(?:-|\.\.+)([\d.]+)\]?", text)
    if span:
        return _make("uniform", [float(span[1]), float(span[2])])
    letter = re.fullmatch(r"([npuge])(-?[\d.]+(?:,-?[\d.]+)*)", text)
    if letter:
        return _make(SHORT[letter[1]], [float(part) for part in letter[2].split(",")])
    return None


def integer_demand(spec: Any, params: dict[str, Any], item: int | None = None) -> d.Lattice:
    """As `parse_demand`, for models in whole units: normal demand is rounded and cut off at zero,
    uniform demand is on the integers."""
    found = parse_demand(spec, params, item)
    if isinstance(found, d.Lattice):
        return found
    frozen = getattr(found, "frozen", None)
    name = frozen.dist.name if frozen is not None else ""
    if name == "norm":
        return d.rounded_normal(found.mean, found.sd)
    if name == "uniform":
        low, high = frozen.support()
        return d.discrete_uniform(round(low), round(high))
    raise NotSolvedError(f"demand {spec!r} is not in whole units")


def _named(name: str, source: dict[str, Any], item: int | None) -> d.Demand:
    kind = name.lower()
    if kind in ("custom", "discrete", "custom_discrete", "empirical"):
        values = source.get("values", source.get("demand_list"))
        chances = source.get("probabilities", source.get("probs"))
        if values is None:
            raise NotSolvedError(f"demand {name!r} needs values and probabilities")
        chances = chances or [1 / len(values)] * len(values)
        mass = np.zeros(int(max(values)) + 1)
        np.add.at(mass, np.asarray(values, dtype=int), chances)
        return d.Lattice(mass / mass.sum())
    if kind not in ARGUMENTS:
        raise NotSolvedError(f"demand {name!r} is not known here")
    arguments = []
    for aliases in ARGUMENTS[kind]:
        present = [source[alias] for alias in aliases if alias in source]
        if not present:
            raise NotSolvedError(f"demand {name!r} needs a value for {aliases[0]!r}")
        value = present[0]
        arguments.append(
            float(value[item] if isinstance(value, list) and item is not None else value)
        )
    return _make(kind, arguments)


def _make(name: str, arguments: list[float]) -> d.Demand:
    maker = MAKERS.get(SHORT.get(name, name))
    if maker is None:
        raise NotSolvedError(f"demand {name!r} is not known here")
    try:
        return maker(*arguments)
    except TypeError as error:
        raise NotSolvedError(f"demand {name!r} cannot take {len(arguments)} arguments") from error


def _number(text: str, params: dict[str, Any], item: int | None) -> float:
    """A number, √ of one, a square, or the name of a parameter (a list gives one per item)."""
    root = re.fullmatch(r"sqrt\(?([\d.]+)\)?", text)
    if root:
        return math.sqrt(float(root[1]))
    power = re.fullmatch(r"([\d.]+)\^([\d.]+)", text)
    if power:
        return float(power[1]) ** float(power[2])
    if text in params:
        value = params[text]
        return float(value[item] if isinstance(value, list) and item is not None else value)
    try:
        return float(text)
    except ValueError:
        raise NotSolvedError(f"{text!r} is neither a number nor a parameter") from None
