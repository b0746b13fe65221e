// What the kernels are told to draw: plain values only, shared by the renderer and by every instruction set's code.
// No functions here: this file is compiled with several instruction sets, and inline code would be merged by the
// linker.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nora::kernel {

/// How a voxel is stored. Wider types than these are converted by the renderer before a volume view.
enum class Stored : std::uint8_t {
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float32,
  float64,
  rgb24,
  rgba32
};

/// One image frame. Positions are voxel coordinates; strides are in bytes.
struct Grid {
  const std::byte* voxels = nullptr;
  Stored stored = Stored::uint8;
  std::int64_t dims[3]{1, 1, 1};
  std::int64_t stride[3]{1, 1, 1};
  bool big = false;  // offsets do not fit 31 bits
  /// Which bytes these are (image/content_number.hpp), for whoever keeps a copy of them elsewhere.
  std::uint64_t content = 0;
};

enum class Look : std::uint8_t {
  ramp,       // value -> window -> table of 256, or 512 with `symmetric` (the second half for negative values)
  labels,     // whole number -> palette
  colour,     // red, green, blue are stored
  direction,  // three components -> colour
  sticks,     // three components -> a line in that colour
};

enum class Filter : std::uint8_t { nearest, linear, cubic };

/// What a slab shows of the samples across it.
enum class Slab : std::uint8_t { maximum, minimum, mean };

/// One stick stands in each cell of a lattice of `stride` * `stride` columns of voxels. Columns run along the voxel
/// axis `through`, which crosses the plane most steeply; u and v are the other two.
struct Sticks {
  int u = 0;
  int v = 1;
  int through = 2;
  float stride = 1;
  float pixelFromVoxel[4]{};       // right from u, right from v, down from u, down from v; within the plane
  float throughFromVoxel[2]{};     // from u and from v, within the plane
  float screenFromDirection[6]{};  // two rows: right and down of a direction in the world
  float halfLength = 0;            // pixels, of a direction that lies in the plane
  float halfWidth = 0;
};

struct SliceLayer {
  Grid grid;
  double origin[3]{};  // voxel position of the picture's top left corner
  double right[3]{};   // voxels per pixel
  double down[3]{};
  Look look = Look::ramp;
  Filter filter = Filter::linear;
  bool symmetric = false;
  bool exactLabels = false;  // stored whole numbers are the labels: no scaling through float
  float slope = 1;
  float inter = 0;
  float windowLow = 0;
  float indexPerValue = 255;  // 255 / (high - low)
  float gammaExponent = 1;    // 1 / gamma
  float thresholdLow = 0;
  float thresholdHigh = 0;
  float opacity = 1;
  const std::uint32_t* colours = nullptr;  // 0x00BBGGRR
  // Labels: the image's own table (render/scene/label_colours.hpp); 0 probes: none. Values that it does not have get a
  // colour of the palette.
  const std::uint32_t* labelKeys = nullptr;
  const std::uint32_t* labelColours = nullptr;  // 0xAABBGGRR
  int labelShift = 0;
  int labelProbes = 0;
  /// Pixels; only what is nearer than this to another label is drawn. 0: all.
  float outline = 0;
  // Slab: samples at these multiples of `across` from the plane, the nearest first; 0: the plane itself.
  const float* slabOffsets = nullptr;
  int slabCount = 0;
  Slab slab = Slab::maximum;
  float slabLow = 0;  // least and greatest offset
  float slabHigh = 0;
  double across[3]{};  // voxels per millimetre away from the viewer
  // Directions: `grid` is their first component.
  const std::byte* components[3]{};
  float worldFromVector[9]{};  // rows
  int modulator = -1;          // index in SlicePlan::layers; its place in its window darkens; -1: none
  Sticks sticks;
};

struct SlicePlan {
  int width = 0;
  int height = 0;
  const SliceLayer* layers = nullptr;  // drawn ones first, then those that only modulate
  int layerCount = 0;                  // drawn
  std::uint8_t* rgba = nullptr;
  int modulatorCount = 0;
};

constexpr int mostOutlinePixels = 16;

/// Levels along each side of the table of ray segments.
constexpr int segmentLevels = 256;

/// What a ray shows of a layer.
enum class RayKind : std::uint8_t {
  medium,      // coloured fog by the transfer function
  surface,     // where the value passes `isoValue`
  labels,      // where a label begins
  projection,  // one value of the whole ray
};

enum class RayMode : std::uint8_t { shaded, maximum, minimum, mean, isosurface };

/// One image in a volume view.
struct RayLayer {
  Grid grid;
  double origin[3]{};  // voxel position of the picture's top left corner
  double right[3]{};
  double down[3]{};
  double step[3]{};  // voxels per ray step
  RayKind kind = RayKind::medium;
  SliceLayer look;  // values, thresholds, colours and opacity as in slices; its grid is not read
  // Medium: stored -> entry of the tables
  float entryPerStored = 1;
  float entryOffset = 0;
  int lastEntry = 1;
  float firstShown = 0;  // segments with both ends below this entry show nothing
  const float* extinction = nullptr;        // of one step, base 2
  const float* extinctionBefore = nullptr;  // running sum over the entries before each
  // What a segment of one step looks like whose values run from `front` to `back`: [front][back] of segmentLevels each.
  // 0xTTBBGGRR: its colour, and where along it its opacity has its centre, 0 front to 255 back.
  const std::uint32_t* segments = nullptr;
  // Surface
  float isoValue = 0;                 // of the size of the value if the look is symmetric
  std::uint32_t surfaceColours[2]{};  // 0x00BBGGRR of isoValue and of -isoValue
  // Shading: gradients are in entries per voxel; these take them to directions and lengths in space.
  float light[3]{};        // dot product with the gradient: component towards the light, entries per millimetre
  float viewer[3]{};       // the same, towards the viewer
  float metric[6]{};       // xx yy zz xy xz yz of the squared length
  float flatGradient = 0;  // squared length under which a surface has no direction of its own
  // Empty-space skipping: distance in bricks (Chebyshev) to the next brick that may be seen, 0 in one; null: no
  // skipping.
  const std::uint8_t* distance = nullptr;
  int bricks[3]{};
  // Projection: the most that a brick, and a cube of coarseBricks bricks a side, can add (RayPlan::mode: the value, its
  // negative for the minimum, its size if the look is symmetric).
  const float* bound = nullptr;
  const float* coarseBound = nullptr;
  int coarse[3]{};
  float enough = 0;  // more than this looks the same
};

/// A plane, in ray steps: at + right * x + down * y + perStep * step, positive on the side that is cut away.
struct RayCut {
  double at = 0;
  double right = 0;
  double down = 0;
  double perStep = 0;
};

/// An opaque slice inside a volume view.
struct RaySlice {
  RayCut plane;
  SlicePlan picture;  // of the whole view; the ray kernel draws it tile by tile
  // It is as large as the background: voxel positions in it.
  double origin[3]{};
  double right[3]{};
  double down[3]{};
  std::int64_t dims[3]{1, 1, 1};
};

constexpr int mostRayLayers = 8;
constexpr int mostRayCuts = 12;  // six sides of a box and six planes
constexpr int mostRaySlices = 3;

/// A thing at some depth of a pixel: of a surface or a streamline.
struct Fragment {
  float depth = 0;         // millimetres along the ray from the picture's plane
  std::uint32_t rgba = 0;  // 0xAABBGGRR, not multiplied by the opacity
};

/// What rays meet on their way: the fragments of pixel i are entries first[i] to first[i] + counts[i], the nearest
/// first. One that is opaque is the last of its pixel.
struct RayGeometry {
  const std::uint32_t* first = nullptr;  // null: no geometry
  const std::uint32_t* counts = nullptr;
  const Fragment* fragments = nullptr;
  std::uint64_t fragmentCount = 0;  // room for them in all
  double stepsPerMm = 1;
};

/// What the picture's fourth channel tells.
enum class RayAlpha : std::int32_t {
  opaque,   // 255
  opacity,  // of the ray, before it met a slice, whose colour is left out
};

struct RayPlan {
  int width = 0;
  int height = 0;
  std::uint8_t* rgba = nullptr;
  RayMode mode = RayMode::shaded;
  const RayLayer* layers = nullptr;
  int layerCount = 0;
  RayCut cuts[mostRayCuts]{};
  int cutCount = 0;
  RaySlice slices[mostRaySlices]{};
  int sliceCount = 0;
  RayAlpha alpha = RayAlpha::opaque;
  RayGeometry geometry;
};

/// What a ray kernel must be able to draw. The CPU's can do everything; a GPU has one for each, so that the usual ones
/// need few registers and hardly any stack.
enum class RayUse : std::uint8_t {
  everything,
  mediumAlone,  // one layer, of RayKind::medium
  projections,  // no other layers than of RayKind::projection
};

/// What drawing rays took.
struct RayCounts {
  std::uint64_t samples = 0;  // values along rays; gradients are not counted
  std::uint64_t skipped = 0;  // steps that were jumped over inside images
};

/// Label -> palette entry, as labelPaletteIndex of image/label_palette.hpp.
constexpr int labelHueBits = 10;
constexpr int labelToneBits = 2;

/// Voxels along the edge of a brick.
constexpr int brickEdge = 8;
/// Bricks along the edge of a coarse brick.
constexpr int coarseBricks = 4;

struct Tile {
  int x0 = 0;
  int y0 = 0;
  int x1 = 0;  // past the last
  int y1 = 0;
};

/// The kernels of one instruction set. All are pure: any number of threads may draw different tiles.
struct Kernels {
  const char* name = "";
  /// Returns the number of volume samples taken.
  std::uint64_t (*drawSlices)(const SlicePlan& plan, const Tile& tile) = nullptr;
  RayCounts (*drawRays)(const RayPlan& plan, const Tile& tile) = nullptr;
  /// Least and greatest stored value of every brick of one layer of bricks (z = `brickZ`), each with the voxels after
  /// its end that interpolation touches. NaN is left out; a brick without a number gets +inf, -inf. `row` holds 2 *
  /// dims[0] floats.
  void (*brickRanges)(const Grid& grid, int brickZ, float* row, float* low, float* high) = nullptr;
};

}  // namespace nora::kernel
