"""The container files, as far as they can be checked without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
    ],
)
def test_linters_find_nothing(command):
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_that_the_image_copies_exists_and_is_not_ignored():
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_does_not_run_as_root():
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1] != "0"


def test_base_images_are_pinned():
    images = re.findall(r"^FROM (\S+)|--from=(\S+/\S+)", DOCKERFILE, re.MULTILINE)
    images = [first or second for first, second in images]
    images += re.findall(r"image: (?!echelon)(\S+)", COMPOSE)
    assert images
    assert all(re.search(r":\d+\.\d+", image) for image in images)


def test_secrets_come_from_the_environment_only():
    for line in COMPOSE.splitlines():
        if (
            re.search(r"(KEY|SECRET|PASSWORD|SQL_ALCHEMY_CONN):", line)
            and "PASSWORDS_FILE" not in line
        ):
            assert re.search(r"\$\{[A-Z_]+:\?", line), line


def test_secrets_that_are_required_are_the_ones_that_make_secrets_prints():
    required = set(re.findall(r"\$\{([A-Z_]+):\?", COMPOSE))
    done = subprocess.run(
        [sys.executable, ROOT / "echelon_airflow" / "home.py"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    printed = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert set(printed) == required
    assert len(printed["JWT_SECRET"]) >= 64


def test_several_workers_are_a_profile_and_one_scheduler_the_default():
    services = yaml.safe_load(COMPOSE)["services"]
    assert services["worker"]["profiles"] == ["workers"]
    default = {name for name, service in services.items() if "profiles" not in service}
    assert default == {
        "postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer",
    }  # fmt: skip


def test_the_lock_file_fits_the_project():
    uv = shutil.which("uv") or shutil.which(str(ROOT / ".uv" / "bin" / "uv"))
    if uv is None:
        pytest.skip("needs uv")
    done = subprocess.run([uv, "lock", "--check"], cwd=ROOT, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
