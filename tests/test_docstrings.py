"""The public names: what they are, and that they are documented, with an example.

That examples run is tested where they are, by pytest's ``--doctest-modules``.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from types import ModuleType

import pytest

PUBLIC_PACKAGES = (
    "ari_estimator",
    "ari_estimator.calibration",
    "ari_estimator.closed_testing",
    "ari_estimator.datasets",
    "ari_estimator.explorer",
    "ari_estimator.graphs",
    "ari_estimator.inference",
    "ari_estimator.interfaces",
    "ari_estimator.plotting",
    "ari_estimator.reporting",
    "ari_estimator.resampling",
)

# What numpydoc would have otherwise.
NOT_ASKED_FOR = {
    "ES01": "one line may say all",
    "GL01": "the summary stands beside the quotes, as PEP 257 has it and ruff checks",
    "SA01": "not everything has relatives",
    "EX01": "asked of each public name, and not of each of its methods",
    "RT02": "results are named, as those of numpy, scikit-learn and nilearn are",
}


def _public() -> dict[str, object]:
    """Return the public classes and functions by their full names, each once."""
    found: dict[int, str] = {}
    for package in PUBLIC_PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found.setdefault(id(value), f"{package}.{name}")
    return {name: _at(name) for name in found.values()}


def _at(name: str) -> object:
    package, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(package), attribute)


def _own_methods(name: str, value: object) -> list[str]:
    """Return the public methods and properties of a class that it documents first."""
    if not inspect.isclass(value):
        return []
    inherited = {m for base in value.__mro__[1:] for m in vars(base)}
    return [
        f"{name}.{method}"
        for method, member in vars(value).items()
        if not method.startswith("_")
        and method not in inherited
        and (inspect.isfunction(member) or isinstance(member, (property, classmethod)))
    ]


PUBLIC = _public()


@pytest.mark.parametrize("package", PUBLIC_PACKAGES)
def test_all_public_names_of_a_package_are_in_its_list(package):
    module = importlib.import_module(package)
    there = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert there == set(module.__all__) - {"__version__"}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_an_example(name):
    assert ">>> " in inspect.getdoc(PUBLIC[name]).partition("Examples\n--------\n")[2]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_documented_as_numpydoc_asks(name):
    validate = pytest.importorskip("numpydoc.validate").validate
    for each in (name, *_own_methods(name, PUBLIC[name])):
        result = validate(each)
        errors = {code: text for code, text in result["errors"] if code not in NOT_ASKED_FOR}
        if _fields_are_parameters(PUBLIC[name]) or getattr(PUBLIC[name], "_is_protocol", False):
            errors.pop("PR01", None)
        assert errors == {}, each


def _fields_are_parameters(value: object) -> bool:
    """Tell whether a class is made from its fields, which are documented as attributes."""
    if is_dataclass(value):
        fields = tuple(field.name for field in dataclass_fields(value))
    else:
        fields = getattr(value, "_fields", ())
    return bool(fields) and all(f"\n{field} : " in inspect.getdoc(value) for field in fields)


def test_public_names_are_found():
    assert len(PUBLIC) >= 50
    assert "ari_estimator.graphs.VoxelGrid.components" not in PUBLIC
    assert "ari_estimator.closed_testing.Hommel.value" in _own_methods(
        "ari_estimator.closed_testing.Hommel", PUBLIC["ari_estimator.closed_testing.Hommel"]
    )
