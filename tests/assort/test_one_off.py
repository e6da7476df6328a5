from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.assort.answer import Question, answer
from pipeline.assort.asked import read_choices
from pipeline.assort.products import read_products
from pipeline.assort.report import page
from pipeline.cli import app
from pipeline.errors import UsageError

PRODUCTS = """item,price_usd,unit_cost_usd,weight,listing_usd,cube_cuft
red,20,8,4,0,1
blue,22,9,3,0,1
green,30,14,2,0,2
grey,15,9,1,0,1
odd,12,11,0.2,30,1
"""
CHOICES = """occasion,item,chosen_units,left_units
1,red,40,20
1,blue,30,20
1,green,20,20
1,grey,10,20
1,odd,1,20
2,blue,60,30
2,green,22,30
2,grey,12,30
3,red,55,25
3,green,21,25
3,odd,2,25
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "products.csv").write_text(PRODUCTS)
    (tmp_path / "choices.csv").write_text(CHOICES)
    return tmp_path


def test_the_command_writes_tables_and_a_report_that_stands_alone(folder: Path) -> None:
    arguments = ["assort", str(folder / "products.csv"), "--customers", "60", "--choices",
                 str(folder / "choices.csv"), "--out", str(folder / "out")]  # fmt: skip
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    plan = pd.read_csv(folder / "out" / "assortment.csv")
    assert set(plan["item"]) == {"red", "blue", "green", "grey", "odd"}
    assert plan.set_index("item")["units"]["odd"] == 0  # does not earn its listing
    html = (folder / "out" / "report.html").read_text()
    assert "data:image/png;base64," in html
    assert "http" not in html
    curve = pd.read_csv(folder / "out" / "curve.csv")
    assert curve["items"].tolist() == sorted(curve["items"])


def test_limits_are_kept_and_cost_profit(folder: Path) -> None:
    products = read_products(folder / "products.csv")
    free = answer(products, None, Question(60.0))
    few = answer(products, None, Question(60.0, most_products=2))
    small = answer(products, None, Question(60.0, space_cuft=20.0))
    assert (few.plan["units"] > 0).sum() <= 2
    cubes = dict(zip(products.items, products.cube_cuft, strict=True))
    assert sum(cubes[row["item"]] * row["units"] for _, row in small.plan.iterrows()) <= 20.0
    assert free.profit_usd >= max(few.profit_usd, small.profit_usd) - 1e-9
    assert free.profit_usd <= free.bound.upper_usd
    assert free.profit_usd >= free.first_choice_usd - 1.0


def test_names_are_escaped_in_the_report(folder: Path) -> None:
    (folder / "products.csv").write_text(PRODUCTS.replace("red", "<script>x</script>"))
    found = answer(read_products(folder / "products.csv"), None, Question(20.0))
    html = page(found, {"curve": b"", "value": b""})
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_what_data_do_not_say_is_told_to_be_the_priors(folder: Path) -> None:
    products = read_products(folder / "products.csv")
    assumed = answer(products, None, Question(30.0))
    assert "assumed, not learned" in assumed.notes[0]
    assert not assumed.plan["share_from_data"].any()
    choices = read_choices(folder / "choices.csv", products.items)
    learned = answer(products, choices, Question(30.0))
    assert any("green" in note and "prior's" in note for note in learned.notes)  # never out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("red,20,8,1,0,1", "named twice"),
        ("loss,5,8,1,0,1", "margin is negative"),
        ("text,abc,8,1,0,1", "hold no number"),
        ("minus,9,8,-1,0,1", "weight is negative"),
    ],
)
def test_faults_of_the_products_are_told_all_at_once(folder: Path, line: str, said: str) -> None:
    (folder / "products.csv").write_text(PRODUCTS + line + "\nzero,0,0,1,0,1\n")
    with pytest.raises(UsageError) as error:
        read_products(folder / "products.csv")
    assert said in str(error.value)
    assert "price_usd is not above 0" in str(error.value)
    assert "Next:" in str(error.value)


def test_a_group_of_one_and_missing_columns_are_refused(folder: Path) -> None:
    (folder / "products.csv").write_text("item,price_usd,unit_cost_usd\nred,20,8\n")
    with pytest.raises(UsageError, match="group of one"):
        read_products(folder / "products.csv")
    (folder / "products.csv").write_text("item,price\nred,20\n")
    with pytest.raises(UsageError, match="lacks column"):
        read_products(folder / "products.csv")


def test_faults_of_the_choices_are_told_all_at_once(folder: Path) -> None:
    text = "occasion,item,is_offered,chosen_units\n1,red,0,2\n1,pink,1,1\n1,red,1,0\n"
    (folder / "choices.csv").write_text(text)
    with pytest.raises(UsageError) as error:
        read_choices(folder / "choices.csv", ["red", "blue"])
    for said in ("outside their offer", "pink: not among", "a second time"):
        assert said in str(error.value)


def test_choices_are_counted_by_offer(folder: Path) -> None:
    choices = read_choices(folder / "choices.csv", ["red", "blue", "green", "grey", "odd"])
    assert len(choices) == 3
    assert choices.left.sum() == 75.0
    assert np.array_equal(choices.chosen[choices.offered.all(axis=1)][0], [40, 30, 20, 10, 1])
