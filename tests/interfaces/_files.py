"""Files as FSL, SPM and AFNI write them, of the small study of these tests."""

from xml.sax.saxutils import escape

import numpy as np
from nibabel import Nifti1Image, save
from nibabel.nifti1 import Nifti1Extension
from scipy.io import savemat
from scipy.io.matlab import MatlabObject

AFFINE = np.array([[-3.0, 0, 0, 18], [0, 3, 0, -15], [0, 0, 3, -12], [0, 0, 0, 1]])

COLUMNS = ["Cluster Index", "Voxels", "P", "-log10(P)", "Z-MAX"] + [
    f"Z-{what} {axis} ({{unit}})" for what in ("MAX", "COG") for axis in "XYZ"
]


def _img(data):
    return Nifti1Image(np.asarray(data), AFFINE)


def table_rows(study, unit):
    """Return header and rows of a cluster table, the largest cluster first."""
    rows = []
    for index in range(study.clusters.max(), 0, -1):
        members = study.clusters == index
        peak = np.argwhere(members & (study.z == study.z[members].max()))[0]
        center = np.argwhere(members).mean(0)
        size = members.sum()
        rows.append(
            [str(index), str(size), "1.07e-05", "4.97", f"{study.z[members].max():.3g}"]
            + [str(k) for k in peak]
            + [f"{k:.3g}" for k in center]
        )
    return [column.format(unit=unit) for column in COLUMNS], rows


def text_table(study, unit="vox"):
    header, rows = table_rows(study, unit)
    return "\n".join("\t".join(row) for row in [header, *rows]) + "\n"


def html_table(study, unit="vox", closed=False):
    """Return a page as cluster2html writes it, which does not close cells; or one that does."""
    header, rows = table_rows(study, unit)
    th_end, td_end, tr_end = ("</th>", "</td>", "</tr>") if closed else ("", "", "")
    lines = ["<tr>" + "".join(f"<th>{name}{th_end}" for name in header) + tr_end]
    lines += [
        "<tr align=center>" + "".join(f"<td>{cell}{td_end}" for cell in row) + tr_end
        for row in rows
    ]
    body = "\n".join(lines)
    return (
        "<HTML><HEAD><link REL=stylesheet TYPE=text/css href=.files/fsl.css>\n"
        "<TITLE>FSL</TITLE></HEAD><BODY><CENTER>\n"
        "<hr>Co-ordinate information for thresh_zstat1 - <a href=report.html>back</a> to main "
        "FEAT report<hr>\n<b>Cluster List</b><p>\n"
        f"<TABLE CELLSPACING=3 BORDER=3>\n{body}\n</TABLE>\n<p><b>Local Maxima</b><p>\n"
        "<TABLE BORDER=3>\n<tr><th>Cluster Index<th>Z<th>x<th>y<th>z\n"
        "<tr align=center><td>1<td>4.2<td>3<td>4<td>5\n</TABLE>\n<p>\xe9</CENTER></BODY></HTML>\n"
    )


def write_feat(folder, study):
    """Write what FEAT does: maps, degrees of freedom, mask, cluster index and tables."""
    (folder / "stats").mkdir(parents=True)
    _img(study.z.astype("float32")).to_filename(folder / "stats" / "zstat1.nii.gz")
    _img(study.t.astype("float32")).to_filename(folder / "stats" / "tstat1.nii.gz")
    _img(study.z.astype("float32") ** 2).to_filename(folder / "stats" / "zfstat1.nii.gz")
    (folder / "stats" / "dof").write_text("29\n")
    _img(study.mask.astype("float32")).to_filename(folder / "mask.nii.gz")
    _img(study.clusters.astype("int32")).to_filename(folder / "cluster_mask_zstat1.nii.gz")
    for space, unit in (("", "vox"), ("_std", "mm")):
        (folder / f"cluster_zstat1{space}.txt").write_text(text_table(study, unit))
        page = html_table(study, unit)
        (folder / f"cluster_zstat1{space}.html").write_bytes(page.encode("latin-1"))


def write_spm_map(path, values, description):
    """Write a map as SPM does: single precision, NaN where nothing was tested."""
    img = Nifti1Image(values.astype("float32"), AFFINE)
    img.header["descrip"] = description.encode()
    save(img, path)


def spm_struct(erdf=29.0, contrasts=(("faces", "T"), ("faces > houses", "T"), ("any effect", "F"))):
    """Return the parts of SPM.mat that matter, as nested structs, and some that do not."""
    x_con = np.zeros(
        len(contrasts), dtype=[(name, object) for name in ("name", "STAT", "c", "eidf", "Vspm")]
    )
    # SPM keeps an object of MATLAB, of how the image is mapped, within the struct of a volume.
    mapped = MatlabObject(np.array([("dat",)], dtype=[("dat", object)]), "nifti")
    for k, (name, stat) in enumerate(contrasts):
        volume = {"fname": f"spm{stat}_{k + 1:04d}.nii", "mat": AFFINE, "private": mapped}
        x_con[k] = (name, stat, np.eye(3)[:, :1], 2.0 if stat == "F" else 1.0, volume)
    return {
        "xY": {"P": np.array(["con_01.nii,1", "con_02.nii,1"], dtype=object)},
        "xX": {"X": np.ones((30, 1)), "erdf": erdf},
        "xCon": x_con,
        "VM": {"fname": "mask.nii", "dim": [12, 11, 10]},
        "swd": "C:\\study\\group",
    }


def write_spm(folder, study):
    """Write the folder of an analysis with two t contrasts and an F contrast."""
    folder.mkdir(parents=True, exist_ok=True)
    inside = np.where(study.mask, study.t, np.nan)
    write_spm_map(folder / "spmT_0001.nii", inside, "SPM{T_[29.0]} - contrast 1: faces")
    write_spm_map(folder / "spmT_0002.nii", -inside, "SPM{T_[29.0]} - contrast 2: faces > houses")
    write_spm_map(folder / "spmF_0003.nii", inside**2, "SPM{F_[2.0,29.0]} - contrast 3: any effect")
    save(Nifti1Image(study.mask.astype("uint8"), AFFINE), folder / "mask.nii")
    savemat(folder / "SPM.mat", {"SPM": spm_struct()})


# In AFNI's DICOM order, x to the left and y to the back: the origin and the steps of the axes.
ORIGIN, STEP = (-18.0, 15.0, -12.0), (3.0, -3.0, 3.0)


def attribute(kind, name, values):
    """Return an attribute of a HEAD file."""
    if kind == "string":
        text = "'" + values + "~"
        return f"type = string-attribute\nname = {name}\ncount = {len(values) + 1}\n{text}\n"
    text = " ".join(f"{value:g}" for value in values)
    return f"type = {kind}-attribute\nname = {name}\ncount = {len(values)}\n {text}\n"


def write_afni(stem, bricks, labels, aux):
    """Write a BRIK/HEAD dataset of single precision."""
    shape = bricks[0].shape
    to_dicom = [k for axis in range(3) for k in (*(STEP * np.eye(3)[axis]), ORIGIN[axis])]
    head = [
        attribute("string", "TYPESTRING", "3DIM_HEAD_FUNC"),
        attribute("integer", "SCENE_DATA", [2, 11, 1, -999, -999, -999, -999, -999]),
        attribute("integer", "ORIENT_SPECIFIC", [0, 2, 4]),
        attribute("float", "ORIGIN", ORIGIN),
        attribute("float", "DELTA", STEP),
        attribute("float", "IJK_TO_DICOM_REAL", to_dicom),
        attribute("integer", "DATASET_RANK", [3, len(bricks), 0, 0, 0, 0, 0, 0]),
        attribute("integer", "DATASET_DIMENSIONS", [*shape, 0, 0]),
        attribute("integer", "BRICK_TYPES", [3] * len(bricks)),
        attribute("float", "BRICK_FLOAT_FACS", [0] * len(bricks)),
        attribute("string", "BYTEORDER_STRING", "LSB_FIRST"),
        attribute("string", "BRICK_LABS", "~".join(labels)),
    ]
    if aux:
        head.append(attribute("float", "BRICK_STATAUX", aux))
    head_path = stem.with_name(stem.name + ".HEAD")
    head_path.write_text("\n" + "\n".join(head))
    content = b"".join(brick.astype("<f4").tobytes(order="F") for brick in bricks)
    stem.with_name(stem.name + ".BRIK").write_bytes(content)


def afni_extension(labels, aux):
    """Return the extension that AFNI puts into NIfTI headers."""
    return Nifti1Extension(
        4,
        (
            "<?xml version='1.0' ?>\n<AFNI_attributes\n"
            '  self_idcode="AFN_x"\n  ni_form="ni_group" >\n'
            '<AFNI_atr\n  ni_type="String"\n  ni_dimen="1"\n  atr_name="BRICK_LABS" >\n'
            f' "{escape("~".join(labels))}"\n</AFNI_atr>\n'
            f'<AFNI_atr\n  ni_type="float"\n  ni_dimen="{len(aux)}"\n'
            '  atr_name="BRICK_STATAUX" >\n '
            + "\n ".join(f"{value:g}" for value in aux)
            + "\n</AFNI_atr>\n</AFNI_attributes>\n\0"
        ).encode(),
    )
