#!/usr/bin/python3
"""The rendering server of ParaViewWeb and trame, vtkWebApplication, as a source of pictures: stream_peer.py IMAGE MODE.

Shows a NIfTI image in 1280x720: MODE `slice` (axial, the next slice with each picture) or `volume` (shaded ray casting by
the CPU mapper, turned by a degree with each picture). For each byte on stdin one picture on stdout: u32 length,
f64 milliseconds of rendering and encoding, JPEG. Debian's python3-vtk9 is built without that class; python3-paraview has it
(and may not be installed beside python3-vtk9: it can be unpacked into a folder of its own). It draws on an X server (Xvfb).
"""
import struct
import sys
import time

import nibabel
import numpy
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPiecewiseFunction
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkRenderingCore import (vtkColorTransferFunction, vtkImageProperty, vtkImageSlice, vtkImageSliceMapper, vtkRenderer,
                                         vtkRenderWindow, vtkVolume, vtkVolumeProperty)
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper
from vtkmodules.vtkWebCore import vtkWebApplication
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 (registers the classes that draw)
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401

SIZE = (1280, 720)
QUALITY = 80  # of the JPEG, as nora's moving pictures
FILL = 1.8  # the volume then fills the height
RAW = 0  # vtkWebApplication: JPEG as it is, no Base64


def read(path):
    image = nibabel.load(path)
    voxels = numpy.asanyarray(image.dataobj).astype(numpy.int16)
    data = vtkImageData()
    data.SetDimensions(voxels.shape)
    data.SetSpacing([float(s) for s in image.header.get_zooms()[:3]])
    data.GetPointData().SetScalars(numpy_to_vtk(voxels.ravel(order="F"), deep=1))
    return data, numpy.percentile(voxels, (2, 98))


def slice_scene(renderer, data, window):
    mapper = vtkImageSliceMapper()
    mapper.SetInputData(data)
    mapper.SetOrientationToZ()
    look = vtkImageProperty()
    look.SetColorWindow(window[1] - window[0])
    look.SetColorLevel((window[0] + window[1]) / 2)
    look.SetInterpolationTypeToLinear()
    shown = vtkImageSlice()
    shown.SetMapper(mapper)
    shown.SetProperty(look)
    renderer.AddViewProp(shown)
    renderer.GetActiveCamera().ParallelProjectionOn()
    renderer.ResetCamera()
    renderer.GetActiveCamera().SetParallelScale(data.GetDimensions()[1] * data.GetSpacing()[1] / 2)  # it fills the height
    middle = data.GetDimensions()[2] // 2
    return lambda i: mapper.SetSliceNumber(middle + (i % 40 if i % 80 < 40 else 40 - i % 40) - 20)


def volume_scene(renderer, data, window):
    mapper = vtkFixedPointVolumeRayCastMapper()
    mapper.SetInputData(data)
    opacity, colour = vtkPiecewiseFunction(), vtkColorTransferFunction()
    low, high = window
    for at, value in ((low + (high - low) * 0.3, 0.0), (high, 0.6)):
        opacity.AddPoint(at, value)
    for at, value in ((low, 0.0), (high, 1.0)):
        colour.AddRGBPoint(at, value, value, value)
    look = vtkVolumeProperty()
    look.SetScalarOpacity(opacity)
    look.SetColor(colour)
    look.ShadeOn()
    look.SetInterpolationTypeToLinear()
    shown = vtkVolume()
    shown.SetMapper(mapper)
    shown.SetProperty(look)
    renderer.AddVolume(shown)
    renderer.ResetCamera()
    renderer.GetActiveCamera().Zoom(FILL)
    return lambda _: renderer.GetActiveCamera().Azimuth(1)


def main():
    path, mode = sys.argv[1:]
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(*SIZE)
    renderer = vtkRenderer()
    window.AddRenderer(renderer)
    data, levels = read(path)
    turn = (slice_scene if mode == "slice" else volume_scene)(renderer, data, levels)
    server = vtkWebApplication()
    server.SetImageEncoding(RAW)
    number = 0
    while sys.stdin.buffer.read(1):
        start = time.monotonic()
        turn(number)
        number += 1
        server.InvalidateCache(window)
        picture = server.InteractiveRender(window, QUALITY)
        while server.GetHasImagesBeingProcessed(window):  # the one before came, and this one is still being encoded
            picture = server.InteractiveRender(window, QUALITY)
        took = (time.monotonic() - start) * 1e3
        jpeg = memoryview(picture).tobytes()
        sys.stdout.buffer.write(struct.pack("<Id", len(jpeg), took) + jpeg)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
