"""The files around the code agree with each other."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import keras_gatelstm

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
PAGES = ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md")
FORMS = ("bug", "feature")


def read_yaml(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def metadata():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["metadata"]


def test_the_citation_is_of_this_version(metadata):
    citation = read_yaml("CITATION.cff")
    assert metadata["version"] == "attr: keras_gatelstm.__version__"
    assert citation["version"] == keras_gatelstm.__version__
    assert citation["repository-code"] == metadata["url"]
    assert citation["license"] == metadata["license_expression"]
    assert citation["authors"] == [{"name": metadata["author"]}]


def test_the_workflow_runs_the_gate_on_the_pythons_of_the_metadata(metadata):
    job = read_yaml(".github/workflows/ci.yml")["jobs"]["gate"]
    promised = re.findall(
        r"^Programming Language :: Python :: (3\.\d+)$",
        metadata["classifiers"],
        re.MULTILINE,
    )
    assert job["strategy"]["matrix"]["python"] == promised
    runs = [step for step in job["steps"] if step.get("run") == ".ci/run"]
    assert runs
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    # The variable that names the Python to the Makefile.
    assert runs[0]["env"]["PYTHON"] == "python"
    assert "\nPYTHON ?= " in (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_issues_have_what_github_requires(form):
    found = read_yaml(f".github/ISSUE_TEMPLATE/{form}.yml")
    assert {"name", "description", "body"} <= found.keys()
    asked = [it for it in found["body"] if it["type"] != "markdown"]
    assert len({it["id"] for it in asked}) == len(asked)
    for element in found["body"]:
        required = "value" if element["type"] == "markdown" else "label"
        assert element["attributes"][required]
        assert element["type"] in {"markdown", "textarea", "dropdown", "input"}


def test_vulnerabilities_are_not_reported_in_issues(metadata):
    (link,) = read_yaml(".github/ISSUE_TEMPLATE/config.yml")["contact_links"]
    assert link["url"].startswith(f"{metadata['url']}/security/")
    assert {"name", "url", "about"} == link.keys()


@pytest.mark.parametrize("page", PAGES)
def test_pages_link_to_what_there_is(page):
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / target).exists(), target


def test_commands_of_the_contributing_page_are_in_the_makefile():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    targets = re.findall(
        r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert {"test", "lint", "address"} <= named
    assert named <= set(targets)


@pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("perl")), reason="no git or perl"
)
def test_one_command_fills_in_the_address(tmp_path, metadata):
    placeholder = metadata["url"]
    names = ["setup.cfg", "CITATION.cff", ".github/ISSUE_TEMPLATE/config.yml"]
    colab = "https://colab.research.google.com/github/"
    for name in (*names, "Makefile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def make(address):
        command = ["make", "--silent", "address", f"ADDRESS={address}"]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True
        )

    page = tmp_path / "page.md"
    page.write_text(
        f"{placeholder} {placeholder.replace('https://github.com/', colab)}/a"
    )
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    for wrong in ("", "github.com/me/it", "https://github.com/me/it/"):
        assert make(wrong).returncode
    first, second = "https://github.com/me/it", "https://git.example/a@b/$HOME"
    for old, new in ((placeholder, first), (first, second)):
        assert make(new.replace("$", "$$")).stderr == ""
        path = new.split("/", 3)[3]
        assert page.read_text() == f"{new} {colab}{path}/a"
        for name in names:
            text = (tmp_path / name).read_text("utf-8")
            assert old not in text
            assert text.count(new) == (
                (ROOT / name).read_text("utf-8").count(placeholder)
            )
