#include "image/io/parrec_header.hpp"

#include "image/io/byte_reader.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

namespace nora {
namespace {

/// Where the numbers are in a line; -1: nowhere.
struct Columns {
  int bits, size, intercept, offCentre, thickness, orientation, spacing, echoTime, beginTime, bFactor;
  int bNumber, gradient, diffusion, label;
  std::size_t least;  // words in a line
};
constexpr Columns v3{-1, -1, 7, 15, -1, 19, 22, 24, 25, 27, -1, -1, -1, -1, 28};
constexpr Columns v4{7, 9, 11, 19, 22, 25, 28, 30, 31, 33, -1, -1, -1, -1, 34};
constexpr Columns v41{7, 9, 11, 19, 22, 25, 28, 30, 31, 33, 41, 42, 45, -1, 48};
constexpr Columns v42{7, 9, 11, 19, 22, 25, 28, 30, 31, 33, 41, 42, 45, 48, 49};

const Columns& columnsOf(int version) {
  return version < 40 ? v3 : version < 41 ? v4 : version < 42 ? v41 : v42;
}

/// What V3 says once for all slices.
struct Common {
  int bits = 0;
  std::array<std::int64_t, 2> size{};
  double thickness = 0, gap = 0;
};

class LineReader {
 public:
  explicit LineReader(std::string_view line) : words_(words(line, " \t\r", maxWords)) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] std::size_t size() const { return words_.size(); }

  double number(int column) {
    const auto at = static_cast<std::size_t>(column);
    const auto value = at < words_.size() ? numberFrom<double>(words_[at]) : std::nullopt;
    good_ = good_ && value && std::isfinite(*value);
    return good_ ? *value : 0;
  }
  std::int64_t whole(int column) {
    constexpr double largest = 1 << 30;
    const double value = number(column);
    good_ = good_ && std::abs(value) <= largest;
    return good_ ? static_cast<std::int64_t>(value) : 0;
  }
  int small(int column) { return static_cast<int>(whole(column)); }
  Vec3 triple(int column) { return {number(column), number(column + 1), number(column + 2)}; }

 private:
  static constexpr std::size_t maxWords = 64;
  std::vector<std::string_view> words_;
  bool good_ = true;
};

std::optional<ParSlice> sliceFrom(std::string_view line, int version, const Common& common) {
  const Columns& at = columnsOf(version);
  LineReader in(line);
  if (in.size() < at.least) return std::nullopt;
  ParSlice out;
  out.slice = in.small(0);
  out.echo = in.small(1);
  out.dynamic = in.small(2);
  out.phase = in.small(3);
  out.type = in.small(4);
  out.sequence = in.small(5);
  out.index = in.whole(6);
  out.bits = at.bits < 0 ? common.bits : in.small(at.bits);
  out.size = at.size < 0 ? common.size : std::array{in.whole(at.size), in.whole(at.size + 1)};
  out.intercept = in.number(at.intercept);
  out.slope = in.number(at.intercept + 1);
  out.scaleSlope = in.number(at.intercept + 2);
  out.offCentre = in.triple(at.offCentre);
  out.thickness = at.thickness < 0 ? common.thickness : in.number(at.thickness);
  out.gap = at.thickness < 0 ? common.gap : in.number(at.thickness + 1);
  out.orientation = in.small(at.orientation);
  out.spacing = {in.number(at.spacing), in.number(at.spacing + 1)};
  out.echoTime = in.number(at.echoTime);
  out.beginTime = in.number(at.beginTime);
  out.bFactor = in.number(at.bFactor);
  if (at.bNumber >= 0) out.bNumber = in.small(at.bNumber);
  if (at.gradient >= 0) out.gradient = in.small(at.gradient);
  if (at.diffusion >= 0) out.diffusion = in.triple(at.diffusion);
  if (at.label >= 0) out.label = in.small(at.label);
  return in.good() ? std::optional(out) : std::nullopt;
}

/// "# CLINICAL TRYOUT   Research image export tool   V4.2"; empty if the line is not that one.
std::optional<int> versionFrom(std::string_view line) {
  if (line.find("image export tool") == std::string_view::npos) return std::nullopt;
  const auto parts = words(line);
  std::string_view last = parts.back();
  if (last.front() != 'V' && last.front() != 'v') return std::nullopt;
  last.remove_prefix(1);
  const auto number = numberFrom<double>(last);
  constexpr double newest = 100;
  if (!number || !(*number > 0 && *number < newest)) return std::nullopt;
  return static_cast<int>(std::lround(*number * 10));
}

double firstNumber(std::string_view value) {
  const auto parts = words(value);
  const auto number = parts.empty() ? std::nullopt : numberFrom<double>(parts[0]);
  constexpr double largest = 1e9;
  return number && std::abs(*number) <= largest ? *number : 0;
}

std::optional<Vec3> tripleFrom(std::string_view value) {
  LineReader in(value);
  const Vec3 out = in.triple(0);
  return in.good() ? std::optional(out) : std::nullopt;
}

/// The general information; spellings differ between releases, beginnings do not.
class General {
 public:
  General(ParHeader& header, Common& common) : header_(header), common_(common) {}

  void read(std::string_view line) {
    const auto colon = line.find(':', line.find('?') == std::string_view::npos ? 0 : line.find('?'));
    if (colon == std::string_view::npos) return;
    const std::string_view key = trimmed(line.substr(1, colon - 1));
    const std::string_view value = trimmed(line.substr(colon + 1));
    const auto is = [&](std::string_view beginning) { return key.starts_with(beginning); };
    const auto whole = [&] { return static_cast<int>(firstNumber(value)); };
    if (is("Protocol name")) header_.protocol = value;
    if (is("Examination name")) header_.examination = value;
    if (is("Series Type") || is("Series_data_type")) header_.seriesType = value;
    if (is("Technique")) header_.technique = value;
    if (is("Patient position") || is("Patient Position")) header_.patientPosition = value;
    if (is("Max. number of slices")) header_.maxSlices = whole();
    if (is("Max. number of echoes")) header_.maxEchoes = whole();
    if (is("Max. number of dynamics")) header_.maxDynamics = whole();
    if (is("Max. number of diffusion values")) header_.maxBValues = whole();
    if (is("Max. number of gradient orients")) header_.maxGradients = whole();
    if (is("Repetition time")) header_.repetitionTime = firstNumber(value);
    if (is("Diffusion ") && !is("Diffusion echo")) header_.diffusion = whole() != 0;
    if (is("Angulation midslice")) angulation_ = tripleFrom(value);
    if (is("Off Centre midslice")) offCentre_ = tripleFrom(value);
    if (is("Image pixel size")) common_.bits = whole();
    if (is("Slice thickness")) common_.thickness = firstNumber(value);
    if (is("Slice gap")) common_.gap = firstNumber(value);
    if (is("Recon resolution")) {
      LineReader in(value);
      common_.size = {in.whole(0), in.whole(1)};
    }
  }

  [[nodiscard]] bool finish() {
    if (!angulation_ || !offCentre_) return false;
    header_.angulation = *angulation_;
    header_.offCentre = *offCentre_;
    return true;
  }

 private:
  ParHeader& header_;
  Common& common_;
  std::optional<Vec3> angulation_, offCentre_;
};

}  // namespace

bool looksLikePar(std::span<const std::byte> bytes) {
  const std::string_view text = asText(bytes.first(std::min<std::size_t>(bytes.size(), 2048)));
  return trimmed(text).starts_with("# === DATA DESCRIPTION FILE") ||
         (trimmed(text).starts_with('#') && text.find("image export tool") != std::string_view::npos);
}

Result<ParHeader> parseParHeader(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", name);
  ParHeader header;
  Common common;
  General general(header, common);
  std::optional<int> version;
  ByteReader reader(bytes);
  for (std::size_t number = 1; reader.left() > 0; ++number) {
    const std::string_view line = trimmed(reader.line());
    if (line.empty()) continue;
    if (line.front() == '#') {
      if (!version) version = versionFrom(line);
      if (!header.slices.empty()) break;  // "# === END OF DATA DESCRIPTION FILE"
    } else if (line.front() == '.') {
      general.read(line);
    } else {
      header.version = version.value_or(0);
      if (header.version < 30) {
        return fail(ErrorCode::unsupported, "this PAR file has no version from V3 to V4.2 in its heading", name);
      }
      const auto slice = sliceFrom(line, header.version, common);
      if (!slice) {
        return fail(ErrorCode::invalidInput, "line " + std::to_string(number) + " of the PAR file is damaged or cut",
                    name);
      }
      header.slices.push_back(*slice);
    }
  }
  if (header.slices.empty())
    return fail(ErrorCode::invalidInput, "the PAR file lists no images; it is cut short", name);
  if (!general.finish()) {
    return fail(ErrorCode::invalidInput, "the PAR file has no angulation or no offset: the image has no place", name);
  }
  return header;
}

}  // namespace nora
