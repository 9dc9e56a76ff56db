"""The structure of the library, as docs/architecture.md says it is."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_gatelstm
from keras_gatelstm import GateGRUCell, GateLSTMCell, GateRNNCell

ROOT = Path(__file__).parents[1]
LIBRARY = sorted((ROOT / "keras_gatelstm").rglob("*.py"))
# From the rooms that are imported by others to those that import them.
ROOMS = [{"core"}, {"lstm", "gru", "rnn"}, {"convert", "inspect"}, {"export"}]


def name_of(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {name_of(path): path for path in LIBRARY}


def imports(path):
    """Modules of the library that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                name = full if full in MODULES else node.module
                if name in MODULES:
                    yield name


def types_only(path):
    """Modules that are imported for type checkers alone."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for inside in ast.walk(node):
                if isinstance(inside, ast.ImportFrom):
                    yield inside.module


def test_no_module_imports_itself_by_way_of_others():
    graph = {
        name: set(imports(path)) - set(types_only(path)) - {"keras_gatelstm"}
        for name, path in MODULES.items()
    }
    done, way = set(), []

    def visit(name):
        assert name not in way, " -> ".join([*way, name])
        if name in done:
            return
        way.append(name)
        for other in graph[name]:
            visit(other)
        way.pop()
        done.add(name)

    for name in graph:
        if name != "keras_gatelstm":
            visit(name)


def test_rooms_import_one_way():
    level = {room: at for at, rooms in enumerate(ROOMS) for room in rooms}
    for name, path in MODULES.items():
        room = level.get(name.split(".")[1]) if "." in name else None
        for other in imports(path):
            if room is None or other in set(types_only(path)):
                continue
            of_other = level.get(f"{other}.".split(".")[1], 0)
            assert of_other <= room, f"{name} imports {other}"


def test_layers_run_without_tensorflow():
    for name, path in MODULES.items():
        # Imported on the TensorFlow backend only.
        on_tensorflow = "keras_gatelstm.core.fast_loops.on_tensorflow"
        if ".export" in name or name == on_tensorflow:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Import):
                assert "tensorflow" not in node.names[0].name, name


def strings(path):
    """String constants of a file, without its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node.value


def test_names_of_quantities_stand_beside_the_equations_alone():
    cells = (GateLSTMCell, GateGRUCell, GateRNNCell)
    described = {
        name
        for cell in cells
        for name in (*cell.anatomy.names, *cell.anatomy.gates)
    }
    # That is a kind of quantity, too.
    described -= {"memory"}
    for name, path in MODULES.items():
        if name.split(".")[1:2] in (["lstm"], ["gru"], ["rnn"]):
            continue
        found = described & set(strings(path))
        # Words of the lesson's drawing.
        if name == "keras_gatelstm.inspect.plots.wiring":
            found -= {"kept", "learned"}
        assert not found, (name, found)


def docstrings(folder):
    """All docstrings of a folder's modules, with single blanks."""
    found = [
        ast.get_docstring(node) or ""
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef)
    ]
    return " ".join(" ".join(found).split())


@pytest.mark.parametrize("cell", [GateLSTMCell, GateGRUCell, GateRNNCell])
def test_every_quantity_says_what_it_is_with_its_equation(cell):
    room = cell.__module__.split(".")[1]
    equations = docstrings(ROOT / "keras_gatelstm" / room)
    for quantity in cell.anatomy.quantities:
        words, _, equation = quantity.meaning.partition(": ")
        left, _, right = equation.partition(" = ")
        assert words
        assert left in (quantity.symbol, quantity.name)
        # The lesson's, if the standard LSTM has another.
        assert right.partition(", or ")[0] in equations, quantity


def test_no_name_is_told_a_factor_by_its_end():
    script = (ROOT / "keras_gatelstm/inspect/page").glob("*.js")
    for path in [*LIBRARY, *script]:
        text = path.read_text("utf-8")
        assert not re.search(r"ends[wW]ith\(.*_?factor", text), path


def test_the_top_of_the_package_shows_names_and_loads_the_rest_late():
    program = """
import sys
import keras_gatelstm as kg
late = ("export", "inspect.plots", "inspect.report")
assert not {f"keras_gatelstm.{it}" for it in late} & set(sys.modules)
assert dir(kg) == sorted(kg.__all__)
assert not [name for name in dir(kg) if name.startswith("_")]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    names = {"convert", "interventions", "record_gates", "statistics"}
    assert names <= set(dir(keras_gatelstm))
    for name in set(dir(keras_gatelstm)) - {"callbacks", "export", "plots"}:
        assert getattr(keras_gatelstm, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'loops'"):
        keras_gatelstm.loops  # noqa: B018


def test_types_and_the_page_are_in_the_package():
    package = ROOT / "keras_gatelstm"
    data = configparser.ConfigParser()
    data.read(ROOT / "setup.cfg")
    patterns = data["options.package_data"]
    assert (package / patterns["keras_gatelstm"]).is_file()
    assert list((package / "inspect").glob(patterns["keras_gatelstm.inspect"]))


def test_private_names_of_keras_are_in_one_file():
    private = re.compile(r"keras\.src|\b(layer|model|generator|cell)\._[a-z]")
    for name, path in MODULES.items():
        if name != "keras_gatelstm.core.keras_internals":
            assert not private.search(path.read_text("utf-8")), name


def test_no_docstring_begins_with_what():
    for path in [*LIBRARY, *(ROOT / "recipes").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(
                node, ast.Module | ast.ClassDef | ast.FunctionDef
            ) and (text := ast.get_docstring(node)):
                assert text.split()[0] != "What", (path, text)


def annotations(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            given = node.args
            arguments = given.posonlyargs + given.args + given.kwonlyargs
            arguments += [it for it in (given.vararg, given.kwarg) if it]
            yield from (it.annotation for it in arguments if it.annotation)
            if node.returns:
                yield node.returns
        if isinstance(node, ast.AnnAssign):
            yield node.annotation


def test_few_annotations_are_any():
    bare = [
        f"{path}:{it.lineno}"
        for path in LIBRARY
        for it in annotations(path)
        if isinstance(it, ast.Name) and it.id == "Any"
    ]
    assert len(bare) <= 60, bare


def rows():
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    return re.findall(r"^\| (.*\?) \| `(.*?)`, .*?`([\w.]+)` \|$", text, re.M)


@pytest.mark.parametrize(("question", "path", "name"), rows())
def test_the_answers_are_where_they_are_said_to_be(question, path, name):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    for part in name.split("."):
        tree = next(
            node
            for node in ast.walk(tree)
            if getattr(node, "name", None) == part
            or (
                isinstance(node, ast.Assign)
                and getattr(node.targets[0], "id", None) == part
            )
        )


def test_there_are_fifteen_answers():
    assert len(rows()) == 15
