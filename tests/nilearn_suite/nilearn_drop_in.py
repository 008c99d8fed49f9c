"""A pytest plugin that puts ours in the place of nilearn's while nilearn's own tests run.

To be loaded with ``-p nilearn_drop_in --drop-in NAME``. Nothing is replaced on import.
"""

import importlib

import pytest

# What takes the place of what: the modules that nilearn's tests import it from.
DROP_INS = {
    "SecondLevelModel": (
        "ARISecondLevelModel",
        ["nilearn.glm.second_level", "nilearn.glm.second_level.second_level"],
    ),
    "cluster_level_inference": ("cluster_level_inference", ["nilearn.glm"]),
}

_NO_ANNOUNCEMENT = "the default that nilearn announces is ours already: nothing is announced"

_IGNORED_CONFOUNDS = "gives confounds beside a design, which have no effect and are refused here"

# Tests of nilearn's that must fail on ours, by a part of their name, and why.
DIFFERENCES = {
    "SecondLevelModel": {
        "check_doc_link": "checks a link into nilearn's documentation, where our class is not",
        "check_img_estimator_pipeline_consistency": (
            "names the step of a pipeline after nilearn's class, not ours"
        ),
        **{
            f"test_fmri_inputs_{kind}[confounds1]": _IGNORED_CONFOUNDS
            for kind in ("flms", "images", "dataframes_as_input")
        },
        "test_second_level_contrast_computation_errors": (
            "wants a message about 'stat_type', where ours names the argument that was given"
        ),
    },
    "cluster_level_inference": {
        "test_cluster_level_inference_surface_realistic_data": (
            "counts values of runs of vertex numbers, where clusters here are those of the mesh"
        ),
        "test_deprecation_threshold_cluster_level_inference[3]": _NO_ANNOUNCEMENT,
        "test_deprecation_threshold_cluster_level_inference[3.0]": _NO_ANNOUNCEMENT,
    },
}


def pytest_addoption(parser):
    parser.addoption("--drop-in", choices=sorted(DROP_INS), required=True)


def pytest_configure(config):
    import ari_estimator

    replaced = config.getoption("--drop-in")
    name, modules = DROP_INS[replaced]
    for module in modules:
        setattr(importlib.import_module(module), replaced, getattr(ari_estimator, name))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Keep the tests of what is replaced, and mark those that must fail."""
    import ari_estimator

    replaced = config.getoption("--drop-in")
    ours = getattr(ari_estimator, DROP_INS[replaced][0])
    for module in {item.module for item in items}:
        if getattr(module, replaced, None) is not ours:
            raise pytest.UsageError(f"{module.__name__} does not test {ours!r}")
    if replaced == "cluster_level_inference":
        others = [i for i in items if replaced not in i.function.__code__.co_names]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    for name, reason in DIFFERENCES[replaced].items():
        different = [item for item in items if name in item.name]
        if not different:
            raise pytest.UsageError(f"nilearn has no test any more that is named {name!r}")
        for item in different:
            # Strict: a test that passes after all is an error.
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
