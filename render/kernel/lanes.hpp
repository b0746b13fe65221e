// Lanes: the same arithmetic on 1, 4, 8 or 16 values at once. The including file defines
//   NORA_LANES      the number of lanes: 16 (AVX-512), 8 (AVX2), 4 (SSE4), 1 (plain C++)
//   NORA_ISA        a namespace of its own, so that the linker never mixes code of two instruction sets.
// With one lane everything is a plain float and int: the reference, and what a GPU thread runs. A GPU's code also
// defines
//   NORA_PIXEL_THREADS  each call draws one pixel, and memory is read in words of its own type at their own alignment.
#pragma once

#include <cstddef>
#include <cstdint>

#if NORA_LANES > 1
#include <immintrin.h>
#endif

namespace nora::kernel::NORA_ISA {

constexpr int lanes = NORA_LANES;

#if NORA_LANES == 1
using Float = float;
using Int = std::int32_t;
using Mask = bool;
#else
typedef float Float __attribute__((vector_size(NORA_LANES * 4)));
typedef std::int32_t Int __attribute__((vector_size(NORA_LANES * 4)));
typedef std::uint32_t Unsigned __attribute__((vector_size(NORA_LANES * 4)));
#if NORA_LANES == 16
using Mask = __mmask16;
#else
using Mask = Int;  // 0 or -1
#endif
#endif

// --- making and taking apart ---

#if NORA_LANES == 1
inline Float splat(float v) {
  return v;
}
inline Int splat(std::int32_t v) {
  return v;
}
inline Int laneNumbers() {
  return 0;
}
inline float lane(Float v, int) {
  return v;
}
inline std::int32_t lane(Int v, int) {
  return v;
}
inline void setLane(Float& v, int, float x) {
  v = x;
}
inline void setLane(Int& v, int, std::int32_t x) {
  v = x;
}
inline Float toFloat(Int v) {
  return static_cast<float>(v);
}
inline Float toFloatUnsigned(Int v) {
  return static_cast<float>(static_cast<std::uint32_t>(v));
}
/// Towards zero. The value must fit.
inline Int toInt(Float v) {
  return static_cast<std::int32_t>(v);
}
inline Float asFloat(Int v) {
  return __builtin_bit_cast(float, v);
}
inline Int shiftRightUnsigned(Int v, int n) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(v) >> n);
}
inline Int shiftLeft(Int v, int n) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(v) << n);
}
inline Int multiplyWrapping(Int v, std::uint32_t by) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(v) * by);
}
#else
inline Float splat(float v) {
  return Float{} + v;
}
inline Int splat(std::int32_t v) {
  return Int{} + v;
}
inline Int laneNumbers() {
  Int out{};
  for (int i = 0; i < lanes; ++i) out[i] = i;
  return out;
}
inline float lane(Float v, int i) {
  return v[i];
}
inline std::int32_t lane(Int v, int i) {
  return v[i];
}
inline void setLane(Float& v, int i, float x) {
  v[i] = x;
}
inline void setLane(Int& v, int i, std::int32_t x) {
  v[i] = x;
}
inline Float toFloat(Int v) {
  return __builtin_convertvector(v, Float);
}
inline Float toFloatUnsigned(Int v) {
  return __builtin_convertvector((Unsigned)v, Float);
}
inline Int toInt(Float v) {
  return __builtin_convertvector(v, Int);
}
inline Float asFloat(Int v) {
  return (Float)v;
}
inline Int shiftRightUnsigned(Int v, int n) {
  return (Int)((Unsigned)v >> n);
}
inline Int shiftLeft(Int v, int n) {
  return (Int)((Unsigned)v << n);
}
inline Int multiplyWrapping(Int v, std::uint32_t by) {
  return (Int)((Unsigned)v * by);
}
#endif

/// The product as rounded by itself: the compiler must not fuse it with a following addition. Positions are made this
/// way, so that every instruction set picks the same voxel where two are equally near.
inline Float exactProduct(Float a, Float b) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(a, b);
#else
  Float product = a * b;
#if defined(__x86_64__) && !defined(__CUDACC__)
  asm("" : "+v"(product));
#endif
  return product;
#endif
}

inline Float loadFloats(const float* from) {
  Float out;
  __builtin_memcpy(&out, from, sizeof out);
  return out;
}
inline void store(float* to, Float v) {
  __builtin_memcpy(to, &v, sizeof v);
}
inline void store(std::uint32_t* to, Int v) {
  __builtin_memcpy(to, &v, sizeof v);
}
/// The first `count` (lanes at most, or a piece of a row) of four-byte pixels; `to` is a multiple of four.
inline void storePixels(std::uint8_t* to, const std::uint32_t* pixels, int count) {
#if defined(NORA_PIXEL_THREADS)
  static_cast<void>(count);  // 1
  *reinterpret_cast<std::uint32_t*>(to) = *pixels;
#else
  __builtin_memcpy(to, pixels, static_cast<std::size_t>(count) * 4);
#endif
}
inline Int loadInts(const float* from) {
  Int out;
  __builtin_memcpy(&out, from, sizeof out);
  return out;
}
inline void storeInts(float* to, Int v) {
  __builtin_memcpy(to, &v, sizeof v);
}

// --- comparing and choosing ---

#if NORA_LANES == 16
inline Mask less(Float a, Float b) {
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
}
inline Mask lessEqual(Float a, Float b) {
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LE_OQ);
}
inline Mask notEqual(Float a, Float b) {
  return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_NEQ_UQ);
}
inline Mask less(Int a, Int b) {
  return _mm512_cmplt_epi32_mask((__m512i)a, (__m512i)b);
}
inline Mask lessEqual(Int a, Int b) {
  return _mm512_cmple_epi32_mask((__m512i)a, (__m512i)b);
}
inline Mask equal(Int a, Int b) {
  return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
}
inline Float select(Mask m, Float yes, Float no) {
  return (Float)_mm512_mask_blend_ps(m, (__m512)no, (__m512)yes);
}
inline Int select(Mask m, Int yes, Int no) {
  return (Int)_mm512_mask_blend_epi32(m, (__m512i)no, (__m512i)yes);
}
inline Mask both(Mask a, Mask b) {
  return static_cast<Mask>(a & b);
}
inline Mask either(Mask a, Mask b) {
  return static_cast<Mask>(a | b);
}
inline Mask butNot(Mask a, Mask b) {
  return static_cast<Mask>(a & ~b);
}
inline bool any(Mask m) {
  return m != 0;
}
inline int countOf(Mask m) {
  return __builtin_popcount(m);
}
inline Float least(Float a, Float b) {
  return (Float)_mm512_min_ps((__m512)a, (__m512)b);
}
inline Float greatest(Float a, Float b) {
  return (Float)_mm512_max_ps((__m512)a, (__m512)b);
}
inline Int least(Int a, Int b) {
  return (Int)_mm512_min_epi32((__m512i)a, (__m512i)b);
}
inline Int greatest(Int a, Int b) {
  return (Int)_mm512_max_epi32((__m512i)a, (__m512i)b);
}
inline Float squareRoot(Float a) {
  return (Float)_mm512_sqrt_ps((__m512)a);
}
inline std::int32_t leastLane(Int v) {
  return _mm512_reduce_min_epi32((__m512i)v);
}
inline std::int32_t greatestLane(Int v) {
  return _mm512_reduce_max_epi32((__m512i)v);
}
#elif NORA_LANES == 1
inline Mask less(Float a, Float b) {
  return a < b;
}
inline Mask lessEqual(Float a, Float b) {
  return a <= b;
}
inline Mask notEqual(Float a, Float b) {
  return a != b;
}
inline Mask less(Int a, Int b) {
  return a < b;
}
inline Mask lessEqual(Int a, Int b) {
  return a <= b;
}
inline Mask equal(Int a, Int b) {
  return a == b;
}
inline Float select(Mask m, Float yes, Float no) {
  return m ? yes : no;
}
inline Int select(Mask m, Int yes, Int no) {
  return m ? yes : no;
}
inline Mask both(Mask a, Mask b) {
  return a && b;
}
inline Mask either(Mask a, Mask b) {
  return a || b;
}
inline Mask butNot(Mask a, Mask b) {
  return a && !b;
}
inline bool any(Mask m) {
  return m;
}
inline int countOf(Mask m) {
  return m ? 1 : 0;
}
inline Float least(Float a, Float b) {
  return a < b ? a : b;
}
inline Float greatest(Float a, Float b) {
  return a > b ? a : b;
}
inline Int least(Int a, Int b) {
  return a < b ? a : b;
}
inline Int greatest(Int a, Int b) {
  return a > b ? a : b;
}
inline Float squareRoot(Float a) {
  return __builtin_sqrtf(a);
}
inline std::int32_t leastLane(Int v) {
  return v;
}
inline std::int32_t greatestLane(Int v) {
  return v;
}
#else
inline Mask less(Float a, Float b) {
  return a < b;
}
inline Mask lessEqual(Float a, Float b) {
  return a <= b;
}
inline Mask notEqual(Float a, Float b) {
  return a != b;
}
inline Mask less(Int a, Int b) {
  return a < b;
}
inline Mask lessEqual(Int a, Int b) {
  return a <= b;
}
inline Mask equal(Int a, Int b) {
  return a == b;
}
inline Float select(Mask m, Float yes, Float no) {
  return m ? yes : no;
}
inline Int select(Mask m, Int yes, Int no) {
  return m ? yes : no;
}
inline Mask both(Mask a, Mask b) {
  return a & b;
}
inline Mask either(Mask a, Mask b) {
  return a | b;
}
inline Mask butNot(Mask a, Mask b) {
  return a & ~b;
}
#if NORA_LANES == 8
inline int bitsOf(Mask m) {
  return _mm256_movemask_ps((__m256)m);
}
inline Float least(Float a, Float b) {
  return (Float)_mm256_min_ps((__m256)a, (__m256)b);
}
inline Float greatest(Float a, Float b) {
  return (Float)_mm256_max_ps((__m256)a, (__m256)b);
}
inline Int least(Int a, Int b) {
  return (Int)_mm256_min_epi32((__m256i)a, (__m256i)b);
}
inline Int greatest(Int a, Int b) {
  return (Int)_mm256_max_epi32((__m256i)a, (__m256i)b);
}
inline Float squareRoot(Float a) {
  return (Float)_mm256_sqrt_ps((__m256)a);
}
#else
inline int bitsOf(Mask m) {
  return _mm_movemask_ps((__m128)m);
}
inline Float least(Float a, Float b) {
  return (Float)_mm_min_ps((__m128)a, (__m128)b);
}
inline Float greatest(Float a, Float b) {
  return (Float)_mm_max_ps((__m128)a, (__m128)b);
}
inline Int least(Int a, Int b) {
  return (Int)_mm_min_epi32((__m128i)a, (__m128i)b);
}
inline Int greatest(Int a, Int b) {
  return (Int)_mm_max_epi32((__m128i)a, (__m128i)b);
}
inline Float squareRoot(Float a) {
  return (Float)_mm_sqrt_ps((__m128)a);
}
#endif
inline bool any(Mask m) {
  return bitsOf(m) != 0;
}
inline int countOf(Mask m) {
  return __builtin_popcount(static_cast<unsigned>(bitsOf(m)));
}
inline std::int32_t leastLane(Int v) {
  std::int32_t out = v[0];
  for (int i = 1; i < lanes; ++i) out = v[i] < out ? v[i] : out;
  return out;
}
inline std::int32_t greatestLane(Int v) {
  std::int32_t out = v[0];
  for (int i = 1; i < lanes; ++i) out = v[i] > out ? v[i] : out;
  return out;
}
#endif

/// Into low..high; NaN becomes low.
inline Float clampTo(Float v, Float low, Float high) {
  return least(greatest(v, low), high);
}

// --- gathering ---

#if NORA_LANES >= 8
/// Four bytes each at four offsets.
[[gnu::always_inline]] inline __m128i fourAt(const std::byte* base, const std::int32_t* offset) {
  std::int32_t words[4];
  for (int i = 0; i < 4; ++i) __builtin_memcpy(&words[i], base + offset[i], sizeof words[i]);
  return _mm_set_epi32(words[3], words[2], words[1], words[0]);
}
#endif

/// Byte offsets of the lanes, where loads one by one find them.
struct Offsets {
  alignas(64) std::int32_t at[lanes];
};
inline Offsets offsetsOf(Int offset) {
  Offsets out;
  __builtin_memcpy(out.at, &offset, sizeof out.at);
  return out;
}

/// Four bytes at a byte offset of each lane; no alignment needed. Loads one by one: gather instructions are microcode
/// on many processors and keep the next ones from starting, which made a mean over 512^3 voxels take about 1.5 times as
/// long. Inlined, because several loads share their offsets and calls would clear the wide registers.
[[gnu::always_inline]] inline Int gatherBytes(const void* base, const std::int32_t* at) {
  const auto* from = static_cast<const std::byte*>(base);
#if NORA_LANES >= 8
  const __m256i low = _mm256_set_m128i(fourAt(from, at + 4), fourAt(from, at));
#if NORA_LANES == 8
  return (Int)low;
#else
  const __m256i high = _mm256_set_m128i(fourAt(from, at + 12), fourAt(from, at + 8));
  return (Int)_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
#endif
#else
  Int out{};
  for (int i = 0; i < lanes; ++i) {
    std::int32_t word;
    __builtin_memcpy(&word, from + at[i], sizeof word);
    setLane(out, i, word);
  }
  return out;
#endif
}
inline Int gatherBytes(const void* base, Int offset) {
  return gatherBytes(base, offsetsOf(offset).at);
}

/// One value at an address that is a multiple of its size.
template <class T>
inline T loadAligned(const std::byte* from) {
#if defined(__CUDA_ARCH__)
  return __ldg(reinterpret_cast<const T*>(from));
#else
  T out;
  __builtin_memcpy(&out, from, sizeof out);
  return out;
#endif
}

#if defined(NORA_PIXEL_THREADS)
inline Int gatherEntries(const std::uint32_t* table, Int index) {
  return static_cast<Int>(loadAligned<std::uint32_t>(reinterpret_cast<const std::byte*>(table + index)));
}
inline Float gatherEntries(const float* table, Int index) {
  return loadAligned<float>(reinterpret_cast<const std::byte*>(table + index));
}
inline Int gatherEntries(const std::uint8_t* table, Int index) {
  return loadAligned<std::uint8_t>(reinterpret_cast<const std::byte*>(table + index));
}
#else
inline Int gatherEntries(const std::uint32_t* table, Int index) {
  return gatherBytes(table, index * 4);
}
inline Float gatherEntries(const float* table, Int index) {
  return asFloat(gatherBytes(table, index * 4));
}
inline Int gatherEntries(const std::uint8_t* table, Int index) {
  return gatherBytes(table, index) & 0xff;
}
#endif

// --- functions ---

/// 2^x for -126 <= x <= 0, relative error below 1e-5; exactly 1 at 0.
inline Float exp2Negative(Float x) {
  const Int whole = toInt(x);
  const Float f = x - toFloat(whole);  // -1 < f <= 0
  Float p = f * 0.00094490085F + 0.00920579117F;
  p = p * f + 0.0552973524F;
  p = p * f + 0.240180135F;
  p = p * f + 0.693143725F;
  p = p * f + 1.0F;
  return p * asFloat(shiftLeft(whole + 127, 23));
}

}  // namespace nora::kernel::NORA_ISA
