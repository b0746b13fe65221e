// Colouring the samples of a layer and blending them over the layers before it.
#pragma once

#include "render/kernel/slice_samples.hpp"

namespace nora::kernel::NORA_ISA {

#if NORA_LANES == 1
inline Int asInt(Float v) {
  return __builtin_bit_cast(std::int32_t, v);
}
#else
inline Int asInt(Float v) {
  return (Int)v;
}
#endif

inline void blend(Piece& piece, int i, Float red, Float green, Float blue, Float alpha) {
  const Float r = loadFloats(piece.red + i);
  const Float g = loadFloats(piece.green + i);
  const Float b = loadFloats(piece.blue + i);
  store(piece.red + i, mix(r, red, alpha));
  store(piece.green + i, mix(g, green, alpha));
  store(piece.blue + i, mix(b, blue, alpha));
}

inline void blendPacked(Piece& piece, int i, Int colour, Float alpha) {
  blend(piece, i, toFloat(colour & 0xff), toFloat((colour >> 8) & 0xff), toFloat((colour >> 16) & 0xff), alpha);
}

inline Mask withinThresholds(const SliceLayer& layer, Float value) {
  return both(lessEqual(splat(layer.thresholdLow), value), lessEqual(value, splat(layer.thresholdHigh)));
}

/// log2 of a positive number, absolute error below 1e-6; exactly 0 at 1.
inline Float log2Positive(Float v) {
  const Int bits = asInt(v);
  const Float mantissa = asFloat((bits & 0x7fffff) | splat(0x3f800000));  // 1..2
  const Mask upper = less(splat(1.41421356F), mantissa);
  const Float m = select(upper, mantissa * 0.5F, mantissa);
  const Int exponent = shiftRightUnsigned(bits, 23) - 127;
  const Float whole = toFloat(select(upper, exponent + 1, exponent));
  const Float s = (m - 1.0F) / (m + 1.0F);
  const Float square = s * s;
  const Float series = ((square * 0.41219858F + 0.57707802F) * square + 0.96179669F) * square + 2.88539008F;
  return whole + s * series;
}

/// v^exponent for v in 0..1; 0 and 1 stay.
inline Float power(Float v, float exponent) {
  const Float least_ = splat(1e-30F);
  const Float raised = exp2Negative(clampTo(log2Positive(greatest(v, least_)) * exponent, splat(-126.0F), splat(0.0F)));
  return select(less(least_, v), raised, splat(0.0F));
}

/// The place of a value in the layer's window, 0..255.
inline Float placeInWindow(const SliceLayer& layer, Float value) {
  const Float place =
      clampTo((value - splat(layer.windowLow)) * splat(layer.indexPerValue), splat(0.0F), splat(255.0F));
  if (layer.gammaExponent == 1.0F) return place;
  return power(place * (1.0F / 255), layer.gammaExponent) * 255.0F;
}

inline void blendRamp(const SliceLayer& layer, const Samples& samples, int first, int count, Piece& piece) {
  const Float zero = splat(0.0F);
  for (int i = 0; i < count; i += lanes) {
    const Float value = loadFloats(samples.value + i);
    const Float shown = layer.symmetric ? greatest(value, -value) : value;
    const Mask visible = both(withinThresholds(layer, shown), isFinite(value));
    if (!any(visible)) continue;
    Int index = toInt(placeInWindow(layer, shown) + splat(0.5F));
    if (layer.symmetric) index = select(less(value, zero), index + 256, index);
    blendPacked(piece, first + i, gatherEntries(layer.colours, index), select(visible, splat(layer.opacity), zero));
  }
}

constexpr std::uint32_t goldenRatio = 2654435769U;  // as labelPaletteIndex and LabelColours

/// 0xAABBGGRR of labels.
inline Int labelColour(const SliceLayer& layer, Int label) {
  const Int hue = shiftRightUnsigned(multiplyWrapping(label, goldenRatio), 32 - labelHueBits);
  const Int index = shiftLeft(hue, labelToneBits) | (label & ((1 << labelToneBits) - 1));
  Int colour = gatherEntries(layer.colours, index) | splat(static_cast<std::int32_t>(0xff000000U));
  if (layer.labelProbes == 0) return colour;
  const Int slot = shiftRightUnsigned(multiplyWrapping(label, goldenRatio), layer.labelShift);
  for (int probe = 0; probe < layer.labelProbes; ++probe) {
    const Mask found = equal(gatherEntries(layer.labelKeys, slot + probe), label);
    if (any(found)) colour = select(found, gatherEntries(layer.labelColours, slot + probe), colour);
  }
  return colour;
}

inline void blendLabels(const SliceLayer& layer, const Samples& samples, int first, int count, Piece& piece) {
  for (int i = 0; i < count; i += lanes) {
    const Int label = loadInts(samples.value + i);
    const Float value = toFloat(label);
    const Mask visible =
        butNot(withinThresholds(layer, layer.symmetric ? greatest(value, -value) : value), equal(label, splat(0)));
    if (!any(visible)) continue;
    const Int colour = labelColour(layer, label);
    const Float opacity = toFloat(shiftRightUnsigned(colour, 24)) * splat(layer.opacity / 255.0F);
    blendPacked(piece, first + i, colour, select(visible, opacity, splat(0.0F)));
  }
}

inline void blendColours(const SliceLayer& layer, const Samples& samples, int first, int count, Piece& piece) {
  for (int i = 0; i < count; i += lanes) {
    const Float red = loadFloats(samples.value + i);
    const Float green = loadFloats(samples.green + i);
    const Float blue = loadFloats(samples.blue + i);
    const Float luminance = red * 0.299F + green * 0.587F + blue * 0.114F;
    const Float alpha = loadFloats(samples.alpha + i) * splat(layer.opacity);
    blend(piece, first + i, red, green, blue, select(withinThresholds(layer, luminance), alpha, splat(0.0F)));
  }
}

}  // namespace nora::kernel::NORA_ISA
