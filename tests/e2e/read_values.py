#!/usr/bin/python3
"""Values of a file at world points by nibabel and numpy alone: what the page has to show.

Standard input: {"file", "time", "points": [[x, y, z], ...]}. Output: a list of {"voxel", "at", "inner", "value", "trilinear"};
`inner`: between voxel centres on all sides.
"""
import json
import sys

import nibabel
import numpy


def trilinear(data, at):
    low = numpy.floor(at).astype(int)
    part = at - low
    total = 0.0
    for corner in numpy.ndindex(2, 2, 2):
        weight = numpy.prod([p if c else 1 - p for c, p in zip(corner, part)])
        index = numpy.clip(low + corner, 0, numpy.array(data.shape) - 1)  # the edge goes on
        total += weight * float(data[tuple(index)])
    return total


def main():
    question = json.load(sys.stdin)
    image = nibabel.load(question["file"])
    data = numpy.asanyarray(image.dataobj).astype(float)
    if data.ndim == 4:
        data = data[..., question.get("time", 0)]
    voxel_from_world = numpy.linalg.inv(image.affine)
    answers = []
    for point in question["points"]:
        at = (voxel_from_world @ [*point, 1])[:3]
        voxel = numpy.floor(at + 0.5).astype(int)
        if any(voxel < 0) or any(voxel >= data.shape):
            answers.append({"voxel": voxel.tolist(), "at": at.tolist(), "inner": False, "value": None,
                            "trilinear": None})
            continue
        inner = all(at >= 0) and all(at <= numpy.array(data.shape) - 1)
        answers.append({"voxel": voxel.tolist(), "at": at.tolist(), "inner": bool(inner), "value": float(data[tuple(voxel)]),
                        "trilinear": trilinear(data, at)})
    json.dump(answers, sys.stdout)


main()
