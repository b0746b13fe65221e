"""What nibabel says of a NIfTI file, as plain values: the independent answers that nora's reader is held against."""
import hashlib

import nibabel
import numpy

VECTOR_INTENTS = (1006, 1007, 2003, 2004)
PROBES = 10


def as_five_dimensions(image):
    """Values as x, y, z, time, component; complex as magnitude, colour as luminance, all in float64."""
    stored = numpy.asanyarray(image.dataobj)
    if stored.dtype.names:
        weights = {"R": 0.299, "G": 0.587, "B": 0.114}
        values = sum(stored[c].astype(float) * w for c, w in weights.items())
    elif numpy.iscomplexobj(stored):
        values = numpy.abs(stored.astype(numpy.complex128))
    else:
        values = image.get_fdata(dtype=numpy.float64)
    shape = list(values.shape) + [1] * (5 - values.ndim)
    shape = shape[:4] + [int(numpy.prod(shape[4:]))]
    if int(image.header["intent_code"]) in VECTOR_INTENTS and shape[4] == 1 and 2 <= shape[3] <= 4:
        shape[3], shape[4] = 1, shape[3]
    return values.reshape(shape, order="F")


def probes(values, seed):
    """Corners and some voxels between, the same for the same file name."""
    start = int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16)
    chooser = numpy.random.RandomState(start)
    places = [[0] * 5, [n - 1 for n in values.shape]]
    while len(places) < PROBES:
        places.append([int(chooser.randint(n)) for n in values.shape])
    return [{"voxel": place, "value": number(values[tuple(place)])} for place in places]


def number(value):
    """JSON has no NaN and no Inf."""
    value = float(value)
    return value if numpy.isfinite(value) else None


def answers(path, name):
    image = nibabel.load(path)
    values = as_five_dimensions(image)
    finite = values[numpy.isfinite(values)]
    return {
        "file": name,
        "shape": list(values.shape),
        "affine": [float(v) for v in image.affine.ravel()],
        "orientation": "".join(c or "?" for c in nibabel.aff2axcodes(image.affine)),
        "finite": int(finite.size),
        "min": number(finite.min()) if finite.size else 0,
        "max": number(finite.max()) if finite.size else 0,
        "mean": number(finite.mean(dtype=numpy.longdouble)) if finite.size else 0,
        "probes": probes(values, name),
    }
