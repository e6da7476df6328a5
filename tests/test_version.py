"""The command tells which release it is."""

from __future__ import annotations

from importlib.metadata import version

from typer.testing import CliRunner

from pipeline.cli import app


def test_the_command_tells_the_version_of_the_installed_package() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert told.exit_code == 0
    assert told.output == f"echelon {version('echelon')}\n"
