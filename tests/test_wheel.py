"""The wheel and the sdist: what they hold, and the wheel in use."""

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import keras
import pytest
from packaging.requirements import Requirement

from tests.test_docs import blocks_of

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
# Of the checkout, and of no use without it.
CHECKOUT_ONLY = {".gitignore"}

pytest.importorskip("build", reason="the extra test is not installed")


def listed(*options):
    """Files of the checkout that exist, as Git tells."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", *options]
    output = subprocess.run(command, check=True, capture_output=True).stdout
    names = output.decode().rstrip("\0").split("\0")
    return {name for name in names if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the sdist and of the wheel that is made of it.

    They are built from a copy, in which earlier builds left nothing, without
    a download: setuptools is in the extra `test`.
    """
    if not (ROOT / ".git").exists():
        pytest.skip("needs a checkout")
    copy = tmp_path_factory.mktemp("checkout")
    left_over = (
        "saved_models/char_text/model.keras",
        "recipes/__pycache__/score.cpython-311.pyc",
        "web/node_modules/preact/index.js",
        "web/dist/page.js",
    )
    for name in listed("--cached", "--others", "--exclude-standard"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    for name in left_over:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("left over")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder],
        cwd=copy,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


def test_the_sdist_holds_the_checkout(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {it.name.partition("/")[2] for it in archive if not it.isdir()}
    assert listed("--cached") - names == CHECKOUT_ONLY
    new = names - listed("--cached", "--others", "--exclude-standard")
    assert {name for name in new if ".egg-info/" not in name} == {"PKG-INFO"}


def test_the_wheel_holds_the_library(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (about,) = {name for name in names if name.endswith("/METADATA")}
        text = archive.read(about).decode()
    ours = {name for name in names if name.startswith("keras_gatelstm/")}
    everything = listed("--cached", "--others", "--exclude-standard")
    assert ours == {it for it in everything if it.startswith("keras_gatelstm/")}
    assert "keras_gatelstm/py.typed" in ours
    folder = about.rpartition("/")[0]
    assert not {name for name in names - ours if not name.startswith(folder)}
    assert f"{folder}/licenses/LICENSE" in names
    assert "License-Expression: MIT" in text


def backend_extra():
    """The extra that brings the backend these tests run on."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        return backend
    for name in ("tensorflow-cpu", "tensorflow"):
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        return name


def needed(requirements, extras, found):
    """Add what pip would install for requirements, as it is installed here."""
    for requirement in map(Requirement, requirements):
        environments = [{"extra": extra} for extra in (*extras, "")]
        if requirement.marker and not any(
            requirement.marker.evaluate(it) for it in environments
        ):
            continue
        distribution = metadata.distribution(requirement.name)
        version = distribution.version
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement.name} {version} is not {requirement}"
        )
        key = (requirement.name, *sorted(requirement.extras))
        if key not in found:
            found[key] = distribution
            needed(distribution.requires or [], requirement.extras, found)


def link(distributions, folder):
    """Put installed packages into another folder of packages."""
    for distribution in distributions:
        for name in {path.parts[0] for path in distribution.files}:
            target = folder / name
            if name != ".." and target.suffix != ".pth" and not target.exists():
                target.symlink_to(distribution.locate_file(name))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Install the wheel into an empty environment.

    pip installs the wheel alone. The dependencies that the wheel asks for, and
    theirs, are linked from this environment: to download them again would take
    minutes. Nothing else is there: not this checkout, nor any other package.
    What the README installs beside the library is in a folder of its own.

    Returns:
        The environment's Python, and that folder.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python)]
    command += ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True)
    (site,) = home.glob("lib/python*/site-packages")
    (ours,) = metadata.distributions(path=[str(site)])
    dependencies = {}
    needed(ours.requires, [backend_extra()], dependencies)
    link(dependencies.values(), site)
    (extras,) = re.findall(r"keras-gatelstm\[(.*?)\] @ ", README.read_text())
    _, *extras = extras.split(",")  # The first is the backend.
    more = {}
    needed(ours.requires, extras, more)
    (home / "more").mkdir()
    link([more[it] for it in more.keys() - dependencies.keys()], home / "more")
    return python, home / "more"


# The library with a backend alone, by smoke.py; then the README's code, with
# what the README installs: in one process, as TensorFlow starts for seconds.
PROGRAM = """
import io, json, runpy, sys
from contextlib import redirect_stdout
import keras
smoke, more, blocks = json.load(sys.stdin)
with redirect_stdout(io.StringIO()) as output:
    runpy.run_path(smoke, run_name="__main__")
answers = [output.getvalue().splitlines()]
sys.path.append(more)
keras.backend.clear_session()  # Names are counted from one again.
names = {}
for block in blocks:
    with redirect_stdout(io.StringIO()) as output:
        exec(block, names)
    answers.append(output.getvalue().splitlines())
print(json.dumps(answers))
"""


def imported(block):
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def blocks():
    """The README's code that takes the library and nothing else."""
    own = {"keras", "keras_gatelstm", "numpy"}
    return [it for it in blocks_of(README) if own.issuperset(imported(it))]


@pytest.fixture(scope="module")
def printed(environment):
    """Return what smoke.py and the README's blocks print."""
    python, more = environment
    smoke = ROOT / "tests" / "smoke.py"
    output = subprocess.run(
        # Isolated: without PYTHONPATH and the working directory.
        [python, "-I", "-c", PROGRAM],
        cwd=python.parents[1],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        check=True,
        input=json.dumps([str(smoke), str(more), blocks()]),
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def test_the_library_needs_keras_numpy_and_a_backend(environment, printed):
    (where, *lines), *_ = printed
    assert Path(where).is_relative_to(environment[0].parents[1])
    for name in ("equations", "keras_layers", "recording"):
        assert f"{name}: ok" in lines
    assert "pictures: not tried, no matplotlib" in lines


def test_the_readme_runs_on_the_wheel(environment, printed):
    _, *answers = printed
    assert answers
    for block, lines in zip(blocks(), answers, strict=True):
        assert lines == re.findall(r"^# (.*)", block, re.MULTILINE)
    # Its first example is the page that looks inside.
    home = environment[0].parents[1]
    assert "forget_factor" in (home / "report.html").read_text("utf-8")
