// Surfaces and streamlines as the kernels get them: plain values only, as in plan.hpp.
#pragma once

#include "render/kernel/plan.hpp"

namespace nora::kernel {

/// A linear function of a place: of the world in millimetres, or of the picture (column, row, depth).
struct Linear {
  float x = 0;
  float y = 0;
  float z = 0;
  float at0 = 0;
};

/// From the world to the picture: column and row in pixels (centres at .5), depth along the rays in millimetres, of any
/// sign, growing away from the viewer.
struct ScreenMap {
  Linear column;
  Linear row;
  Linear depth;
};

constexpr int mostGeometryCuts = 14;  // a box, six planes, and a slab

/// What is left out of a shape: the positive side of a cut, a function of column, row and depth.
struct GeometryCuts {
  Linear cuts[mostGeometryCuts]{};
  int count = 0;
};

/// Triangles. Number `firstId` + i is triangle i.
struct MeshShape {
  const float* points = nullptr;             // x y z, RAS mm
  const std::uint32_t* triangles = nullptr;  // three corners each
  std::uint32_t triangleCount = 0;
  std::uint32_t firstId = 0;
  const GeometryCuts* cuts = nullptr;  // null: none
  /// Above 0: not the triangles are drawn but where they meet depth 0, as lines so wide.
  float edgePixels = 0;
  float bias = 0;  // added to the depth, after the cuts: what lies over what in a slice
};

/// Streamlines. Number `firstId` + i is the piece from point i to the next of its line.
struct LineShape {
  const float* points = nullptr;           // x y z, RAS mm
  const std::uint64_t* offsets = nullptr;  // first point of each line; one more than there are lines
  const std::uint32_t* order = nullptr;    // which lines, one after the other; null: all as they lie
  std::uint32_t firstId = 0;
  const GeometryCuts* cuts = nullptr;  // null: none
  float bias = 0;
  float widthPixels = 1;  // at least 1
  float radiusMm = 0;     // half the width; how far the middle of a line bulges towards the viewer. 0: flat
  bool dots = false;      // pieces that are seen end-on are dots; else nothing
};

/// A picture of what is nearest: for each pixel its depth, as an ordered number (orderedDepth), in the high 32 bits,
/// and the number of what is there in the low ones. All ones: nothing. Of two things at one depth the lower number
/// wins, so that the picture does not depend on the order of drawing.
struct Visibility {
  int width = 0;
  int height = 0;
  std::uint64_t* nearest = nullptr;
};
constexpr std::uint64_t nothingThere = ~std::uint64_t{0};

/// Numbers at the vertices of a mesh, at the points of streamlines or one for each streamline, and their colours.
struct GeometryValues {
  SliceLayer look;  // window, thresholds, colours, labels, opacity; ramp, labels, or colour
  const std::byte* values = nullptr;
  Stored stored = Stored::float32;  // no rgb24, rgba32
  int components = 1;               // numbers from one vertex to the next; look.look colour: 3 or 4, 0..255 each
};

constexpr int mostOverlays = 8;

struct MeshLook {
  MeshShape shape;
  std::uint32_t colour = 0xffffff;  // 0x00BBGGRR, under the overlays
  float opacity = 1;
  const float* normals = nullptr;  // one a vertex, any length; null: flat triangles
  GeometryValues overlays[mostOverlays];
  int overlayCount = 0;
};

enum class LineColour : std::uint8_t {
  direction,  // of each piece
  endToEnd,   // from the first point of the line to its last
  points,     // by values at points
  lines,      // by values of lines
  single,
};

struct LineLook {
  LineShape shape;
  std::uint64_t lineCount = 0;   // in the arrays
  std::uint64_t drawnCount = 0;  // of the shape's order
  LineColour by = LineColour::direction;
  std::uint32_t colour = 0xffffff;
  float opacity = 1;
  GeometryValues values;
};

/// All geometry of a view.
struct GeometryPlan {
  int width = 0;  // pixels of the picture
  int height = 0;
  int samples = 1;    // of the nearest along each side of a pixel: 1 or 2
  ScreenMap map;      // to pixels of the picture
  bool lit = true;    // false: the colours as they are
  float light[3]{};   // towards the lamp; unit, in the world
  float viewer[3]{};  // towards the viewer
  const MeshLook* meshes = nullptr;
  int meshCount = 0;
  const LineLook* lines = nullptr;
  int lineCount = 0;
  Visibility nearest;  // width * samples, height * samples
};

/// Fragments of all pixels, those of a pixel one after the other. Of what lets light through first the number and depth
/// (as in Visibility), later the Fragment, nearest first; the last of a pixel may be opaque.
struct FragmentLists {
  std::uint32_t* counts = nullptr;       // of each pixel; while filling: how many are there
  const std::uint32_t* first = nullptr;  // of each pixel
  std::uint64_t* entries = nullptr;
};

}  // namespace nora::kernel
