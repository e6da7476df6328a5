"""The wheel, away from the checkout: it lays out a project and plans a night there.

The environment takes third-party packages from this one's site-packages by a .pth file (installing
them anew takes minutes); the checkout is on no path of it, which the first test makes sure of.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from itertools import chain
from pathlib import Path

import pytest
import yaml

from pipeline.contracts.docs import generated
from pipeline.store import code_version

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
QUICK = {
    "forecast": {"mean": {"trees": 20, "leaves": 8, "leaf_rows": 40},
                 "shape": {"trees": 10, "leaves": 6, "leaf_rows": 100}, "calibration_days": 28,
                 "explained_items": 2},
    "optimize": {"scenarios": 64, "rank_banks": 2, "exact_items": 0, "audit_items": 0},
}  # fmt: skip


class Installed:
    """An environment with the wheel in it."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin" / "python"
        self.wheel = zipfile.ZipFile(_built(folder / "dist"))
        venv.create(folder, with_pip=False)
        site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
        self.wheel.extractall(site)
        _keep_kernels(site)
        (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")

    def run(self, *arguments: str | Path, cwd: Path) -> str:
        """What a command prints; the environment's own interpreter, no variables of the project."""
        env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "COLUMNS": "200"}
        done = subprocess.run([self.python, *arguments], cwd=cwd, env=env, capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def echelon(self, *arguments: str | Path, cwd: Path) -> str:
        """What the command `echelon` prints."""
        return self.run("-c", "from pipeline.cli import main; main()", *arguments, cwd=cwd)


def _keep_kernels(site: Path) -> None:
    """Take over what numba compiled of the same sources, which else costs a minute."""
    for compiled in (ROOT / "pipeline").rglob("__pycache__/*.nb[ic]"):
        folder = site / compiled.parent.relative_to(ROOT)
        folder.mkdir(exist_ok=True)
        shutil.copy2(compiled, folder)
    for source in (site / "pipeline").rglob("*.py"):
        ours = ROOT / source.relative_to(site)
        if ours.exists():
            shutil.copystat(ours, source)


def _built(dist: Path) -> Path:
    dist.mkdir(parents=True)
    done = subprocess.run([sys.executable, "-c", BUILD, dist], cwd=ROOT, capture_output=True,
                          text=True, check=True)  # fmt: skip
    return dist / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def project(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("somewhere")
    assert "Next: cd mine" in installed.echelon("init", "mine", cwd=folder)
    return folder / "mine"


def test_the_installed_package_is_the_wheel_s_and_names_the_same_code(
    installed: Installed, tmp_path: Path
) -> None:
    assert installed.echelon("--version", cwd=tmp_path) == "echelon 0.1.0\n"
    told = installed.run(
        "-c", "import pipeline, sys; from pipeline.store import code_version as c;"
        "print(pipeline.__file__, c(), *sys.path)", cwd=tmp_path,
    ).split()  # fmt: skip
    assert Path(told[0]).is_relative_to(installed.python.parents[1])
    assert told[1] == code_version()
    assert str(ROOT) not in told[2:]


def test_a_project_has_settings_tables_dag_files_and_container_files(project: Path) -> None:
    for name in ("configs", "dags", "data/sample"):
        theirs, ours = (
            {file.relative_to(root).as_posix(): file.read_bytes()
             for file in (root / name).rglob("*")
             if file.is_file() and "__pycache__" not in file.parts}
            for root in (project, ROOT)
        )  # fmt: skip
        assert theirs == ours
    for name, text in generated().items():
        assert (project / name).read_text() == text
    assert (project / "constraints.txt").read_bytes() == (ROOT / "constraints.txt").read_bytes()
    assert yaml.safe_load((project / "settings.yaml").read_text()) == {}
    assert (project / "raw").is_dir()


def test_a_project_s_containers_get_every_file_and_secret_that_they_ask_for(project: Path) -> None:
    dockerfile = (project / "Dockerfile").read_text()
    allowed = {line[1:] for line in (project / ".dockerignore").read_text().split() if "!" in line}
    copied = re.findall(r"^COPY (?:--\S+ )*(.+) \S+$", dockerfile, re.MULTILINE)
    assert {source for line in copied for source in line.split()} == allowed
    assert all((project / source).exists() for source in allowed - {"wheels"})
    required = set(re.findall(r"\$\{([A-Z_]+):\?", (project / "docker-compose.yml").read_text()))
    hints = (project / ".env.example").read_text()
    assert required == set(re.findall(r"^([A-Z_]+)=", hints, re.MULTILINE))
    linted = subprocess.run([Path(sys.executable).parent / "hadolint", project / "Dockerfile"],
                            capture_output=True, text=True, check=False)  # fmt: skip
    assert linted.returncode == 0, linted.stdout


def test_a_second_project_writes_over_nothing(installed: Installed, project: Path) -> None:
    before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}
    with pytest.raises(AssertionError, match="nothing is written over"):
        installed.echelon("init", cwd=project)
    assert before == {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}


def test_an_installed_package_makes_a_world_and_plans_its_night(
    installed: Installed, project: Path
) -> None:
    (project / "settings.yaml").write_text(yaml.safe_dump(QUICK))
    installed.echelon("sample", "--items", "6", "--regions", "2", "--days", "90", "--out",
                      "raw", cwd=project)  # fmt: skip
    assert "Ready for a night" in installed.echelon("check", "--raw", "raw", cwd=project)
    told = installed.echelon("run", "--dataset", "raw", "--raw", "raw", "--as-of", "2025-06-29",
                             "--settings", "settings.yaml", cwd=project)  # fmt: skip
    assert "Plan of 2025-06-29" in told
    assert "not whole" not in told
    assert (project / "data/runs/2025-06-29/purchase_orders/manifest.json").is_file()


def test_the_dag_files_of_a_project_plan_that_project(installed: Installed, project: Path) -> None:
    pytest.importorskip("airflow")
    code = (
        "from echelon_airflow.home import environment; from pathlib import Path; import os;"
        "os.environ.update(environment(Path('.airflow').resolve(), 'sqlite://'));"
        "os.environ.pop('ECHELON_PROJECT'); os.chdir('/');"
        "import runpy, sys; sys.dont_write_bytecode = True;"
        "runpy.run_path(os.environ['AIRFLOW__CORE__DAGS_FOLDER'] + '/nightly_plan.py');"
        "from echelon_airflow.tasks import PLACES; print(PLACES['out_dir'])"
    )
    assert installed.run("-c", code, cwd=project).split()[-1] == str(project / "data" / "runs")


def test_constraints_are_the_versions_of_the_lock_file() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    locked = {(package["name"], package["version"]) for package in lock["package"]
              if package["name"] != "echelon"}  # fmt: skip
    lines = [line.split(" ; ")[0] for line in (ROOT / "constraints.txt").read_text().split("\n")
             if "==" in line]  # fmt: skip
    named = {tuple(line.split("==")) for line in lines}
    assert named <= locked
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    direct = {re.split(r"[\[><=]", text)[0] for text in wanted}
    assert direct <= {name for name, _ in named}


def test_constraints_are_what_uv_exports() -> None:
    uv = next((path for path in (ROOT / ".uv/bin/uv", Path("/usr/local/bin/uv")) if path.exists()),
              None)  # fmt: skip
    if uv is None:
        pytest.skip("needs uv")
    done = subprocess.run(
        [uv, "export", "--frozen", "--no-emit-project", "--no-hashes", "--no-default-groups",
         "--all-extras", "--no-annotate", "--quiet", "--offline"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    exported, ours = (
        {line.split(";")[0].strip() for line in text.splitlines() if "==" in line}
        for text in (done.stdout, (ROOT / "constraints.txt").read_text())
    )
    assert exported == ours
