from pathlib import Path

import pandas as pd
from typer.testing import CliRunner

from pipeline.cli import app

PRODUCTS = """item,price_usd,unit_cost_usd,weight,cube_cuft
red,20,8,4,1
blue,22,9,3,1
chair,30,14,2,40
"""
DULL = """item,price_usd,unit_cost_usd,weight
plain,10,6,1
square,10,6,1
"""
BETTER = """item,price_usd,unit_cost_usd,weight
silk,20,6,3
gold,22,6,3
"""


def run(*arguments: str) -> str:
    found = CliRunner().invoke(app, list(arguments))
    assert found.exit_code == 0, found.output
    return found.output


def near_units(folder: Path, *more: str) -> dict[str, int]:
    (folder / "products.csv").write_text(PRODUCTS)
    out = folder / "near.csv"
    run("assort-near", str(folder / "products.csv"), "--customers", "60", "--out", str(out), *more)
    units = pd.read_csv(out).set_index("item")["near_units"]
    return {str(item): int(n) for item, n in units.items()}


def test_a_site_holds_what_earns_its_space_and_leaves_bulk_to_the_network(tmp_path: Path) -> None:
    dear = near_units(tmp_path, "--patience", "0.7", "--network-usd", "3", "--space-usd", "0.5")
    assert dear["chair"] == 0  # 20 USD of space for a margin of 16
    assert dear["red"] > 0
    free = near_units(tmp_path, "--patience", "0.7", "--network-usd", "3")
    assert free["chair"] > 0


def test_customers_who_all_wait_at_no_cost_need_no_stock_in_dear_space(tmp_path: Path) -> None:
    assert set(near_units(tmp_path, "--patience", "1", "--space-usd", "0.1").values()) == {0}


def test_less_is_accepted_of_a_catalog_when_better_ones_are_to_come(tmp_path: Path) -> None:
    for name, text in (("now", DULL), ("past", BETTER)):
        (tmp_path / f"{name}.csv").write_text(text)
    out = tmp_path / "catalog.csv"
    run("assort-catalog", str(tmp_path / "now.csv"), "--customers", "60", "--past",
        str(tmp_path / "past.csv"), "--later-products", "3", "--out", str(out))  # fmt: skip
    plan = pd.read_csv(out)
    assert plan["units"].sum() < 0.6 * plan["alone_units"].sum()


def test_later_catalogs_need_past_ones(tmp_path: Path) -> None:
    (tmp_path / "now.csv").write_text(DULL)
    found = CliRunner().invoke(app, ["assort-catalog", str(tmp_path / "now.csv"), "--customers",
                                     "60", "--later-products", "3"])  # fmt: skip
    assert found.exit_code != 0
    assert "past catalogs" in str(found.exception or found.output)
