"""Answers of independent readers, for the table test of all formats.

A group of formats has one script, tests/formats/reference_<group>.py, that builds a list of answers with the functions
below and ends with write(). It is run by hand where the tools are; its answers are stored, with the tool that gave them.

    answers = [image("nrrd/FLAIR.nrrd", data, affine, "uint8", tool="nibabel 5.0.0"), ...]
    write("tests/data/formats/images_a.json", answers)            # files relative to tests/data
    write("tests/data/formats/images_a_shared.json", answers)     # files of the larger collection ../shared/data, where
                                                                  # there is one; the names are relative to it
"""
import hashlib
import json

import numpy as np


def _number(value):
    value = float(value)
    return value if np.isfinite(value) else None


def _picks(name, count, n):
    """n numbers below count, always the same for a name."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).integers(0, count, n).tolist() if count else []


def image(name, data, affine, dtype, tool, parts=(), note="", rgb=False, **more):
    """data: scaled values, array of shape (x, y, z), (x, y, z, t) or (x, y, z, t, c); rgb: last axis is the colour of
    (x, y, z, t, 3). affine: world RAS mm from voxel. dtype: how nora stores it ("int16", "float32", "rgb24")."""
    data = np.asarray(data)
    colour = data if rgb else None
    values = data[..., :3] @ np.array([0.299, 0.587, 0.114]) if rgb else data
    values = values.reshape(values.shape + (1,) * (5 - values.ndim))
    finite = values[np.isfinite(values)].astype(np.float64)
    voxels = []
    for pick in _picks(name, values.size, 10):
        x, y, z, t, c = (int(i) for i in np.unravel_index(pick, values.shape))
        voxel = {"voxel": [x, y, z], "time": t, "component": c, "value": _number(values[x, y, z, t, c])}
        if rgb:
            voxel["rgb"] = [int(v) for v in colour.reshape(values.shape[:4] + (-1,))[x, y, z, t, :3]]
        voxels.append(voxel)
    return {"file": name, "parts": list(parts), "kind": "image", "tool": tool, "note": note,
            "dims": list(values.shape), "affine": np.asarray(affine, float).tolist(), "type": dtype,
            "min": _number(finite.min()) if finite.size else None, "max": _number(finite.max()) if finite.size else None,
            "mean": _number(finite.mean()) if finite.size else None, "voxels": voxels, **more}


def _bounds(points):
    points = np.asarray(points, float)
    points = points[np.isfinite(points).all(axis=1)]
    return [points.min(axis=0).tolist(), points.max(axis=0).tolist()] if len(points) else None


def data(name, values, role="scalar", labels=None):
    """Values at vertices, points or streamlines: array (count,) or (count, components). labels: {key: (name, rgba)}."""
    values = np.asarray(values)
    values = values.reshape(len(values), -1)
    finite = values[np.isfinite(values)].astype(float)
    out = {"name": name, "role": role, "components": int(values.shape[1]),
           "min": _number(finite.min()) if finite.size else None, "max": _number(finite.max()) if finite.size else None,
           "values": [[int(i), int(i % values.shape[1]), _number(values[i, i % values.shape[1]])]
                      for i in _picks(name, len(values), 10)]}
    if labels is not None:
        out["labels"] = [[int(key), label, list(rgba)] for key, (label, rgba) in sorted(labels.items())][:20]
    return out


def surface(name, points, triangles, tool, attached=(), parts=(), note="", **more):
    """points: (n, 3) RAS mm or None without a mesh; triangles: (m, 3). attached: list of data()."""
    out = {"file": name, "parts": list(parts), "kind": "surface", "tool": tool, "note": note,
           "data": list(attached), **more}
    if points is not None:
        points = np.asarray(points, float)
        triangles = np.asarray(triangles)
        out |= {"vertices": len(points), "triangles": len(triangles), "bounds": _bounds(points),
                "points": [[int(i), points[i].tolist()] for i in _picks(name, len(points), 10)],
                "corners": [[int(i), triangles[i].tolist()] for i in _picks(name + "t", len(triangles), 10)]}
    return out


def tracts(name, streamlines, tool, per_point=(), per_streamline=(), groups=(), parts=(), note="", **more):
    """streamlines: list of (n, 3) arrays in RAS mm, in the file's order. groups: list of (name, count)."""
    streamlines = [np.asarray(s, float).reshape(-1, 3) for s in streamlines]
    points = np.concatenate(streamlines) if streamlines else np.zeros((0, 3))
    samples = []
    for s in _picks(name, len(streamlines), 10):
        if len(streamlines[s]):
            p = len(streamlines[s]) // 2
            samples.append([s, len(streamlines[s]), p, streamlines[s][p].tolist()])
    return {"file": name, "parts": list(parts), "kind": "tracts", "tool": tool, "note": note,
            "streamlines": len(streamlines), "points": len(points), "bounds": _bounds(points), "samples": samples,
            "perPoint": list(per_point), "perStreamline": list(per_streamline),
            "groups": [[g, int(n)] for g, n in groups], **more}


def refused(name, why, tool="", parts=()):
    """A file that must be refused: `why` is a word that the message contains."""
    return {"file": name, "parts": list(parts), "kind": "refused", "tool": tool, "why": why}


def write(path, answers):
    with open(path, "w", encoding="utf-8") as out:
        json.dump(sorted(answers, key=lambda a: a["file"]), out, indent=1, allow_nan=False)
        out.write("\n")
    print(f"{path}: {len(answers)} answers")
