"""The model of a group study, as ``ari group`` and ``ari power`` fit it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

if TYPE_CHECKING:
    from ari_estimator.cli._set_options import SetOptions
    from ari_estimator.cli._study import Study
    from ari_estimator.cli._test_options import TestOptions
    from ari_estimator.estimators._subject_calibration import SubjectCalibration
    from ari_estimator.second_level import ARISecondLevelModel

SmoothingOption = Annotated[
    float | None, Option(help="Smooth the maps first: full width at half maximum in mm.")
]


def group_model(
    study: Study,
    sets: SetOptions,
    test: TestOptions,
    *,
    smoothing_fwhm: float | None,
    calibration: SubjectCalibration | None,
    missing: str | None = None,
) -> ARISecondLevelModel:
    """Return the model of a study, fitted to its maps.

    Parameters
    ----------
    study : Study
        Maps and design.

    sets : SetOptions
        Which sets to test.

    test : TestOptions
        How to test them. --mask may be the folder of masks that the study was read with.

    smoothing_fwhm : float or None
        How much to smooth the maps, in mm.

    calibration : calibration or None
        The calibration of the bounds, not fitted.

    missing : str or None, default=None
        What to do with NaN in maps.

    Returns
    -------
    model : ARISecondLevelModel
        The fitted model, before any contrast.

    Raises
    ------
    ValueError
        If --mesh is given for volumes, or for the reasons of the model.
    """
    from ari_estimator.second_level import ARISecondLevelModel

    if study.folder_of_masks is not None:
        test = replace(test, mask=None)
    parameters = test.parameters(is_surface=study.is_surface)
    mask_img, mesh = parameters.pop("mask_img"), parameters.pop("mesh")
    if mesh is not None and not study.has_mesh:
        raise ValueError("--mesh is for surfaces and CIFTI files. Got volumes.")
    known: Any = missing  # the model checks it
    model = ARISecondLevelModel(
        mask_img=study.mask_img if mask_img is None else mask_img,
        smoothing_fwhm=smoothing_fwhm,
        transformer=sets.transformer({**parameters, "mesh": mesh}, test.mesh),
        calibration=calibration,
        variance_groups=study.variance_groups,
        missing=known,
    )
    return model.fit(study.images, design_matrix=study.records[0].design)
