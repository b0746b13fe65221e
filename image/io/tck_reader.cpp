#include "image/io/tck_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/gzip.hpp"
#include "image/io/tck_header.hpp"
#include "image/io/tck_points.hpp"
#include "image/io/tract_content.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace nora {
namespace {

constexpr std::size_t magicBytes = 32;

/// "SLF_R" of "a/SLF_R.tsf".
std::string stemOf(std::string_view name) {
  if (const auto slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
  return std::string(name.substr(0, name.rfind('.')));
}

/// A part beside the .tck, and where its numbers go.
struct Part {
  const InputFile* file = nullptr;
  std::size_t array = 0;
  TckHeader header;            // .tsf
  std::vector<float> numbers;  // .txt: one for each streamline
};

struct Tck {
  const InputFile* file = nullptr;
  TractContent content;
  TckHeader header;
  TckCounts counts;
  std::string timestamp;  // values made for these streamlines have the same

  [[nodiscard]] std::span<const std::byte> data() const { return content.bytes().subspan(header.dataOffset); }
};

std::string countOf(std::uint64_t n) {
  return std::to_string(n) + (n == 1 ? " streamline" : " streamlines");
}

Result<void> checkEnd(Tck& tck) {
  const TckCounts& counts = tck.counts;
  const auto claimed = tck.header.count;
  auto& warnings = tck.header.warnings;
  if (!counts.ended) {
    if (counts.unfinished || !claimed || *claimed != counts.streamlines) {
      return fail(ErrorCode::invalidInput,
                  "the file is cut short: its end mark is missing after " + countOf(counts.streamlines) +
                      (claimed ? " of " + std::to_string(*claimed) : ""),
                  tck.file->name);
    }
    warnings.emplace_back("the end mark of the file is missing; all of its " + countOf(counts.streamlines) +
                          " are there");
    return {};
  }
  if (counts.unfinished) warnings.emplace_back("the last streamline has no mark at its end; it may be cut short");
  if (claimed && *claimed != counts.streamlines) {
    warnings.push_back("the header claims " + countOf(*claimed) + ", the file holds " +
                       std::to_string(counts.streamlines));
  }
  return {};
}

/// Says which streamlines values are of; empty if there is none.
std::string timestampOf(const TckHeader& header) {
  for (const auto& [key, value] : header.fields) {
    if (key == "timestamp") return value;
  }
  return {};
}

Result<Tck> openTck(std::span<const InputFile> files) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [](const InputFile& f) { return hasTckMagic(beginningOf(f, magicBytes)); });
  if (found == files.end() && hasTsfMagic(files.front().bytes)) {
    return fail(ErrorCode::unsupported,
                "this file holds values for the points of streamlines; open the .tck file of the same name beside it",
                files.front().name);
  }
  Tck tck;
  tck.file = found == files.end() ? &files.front() : &*found;
  auto content = TractContent::of(*tck.file);
  if (!content) return tl::make_unexpected(content.error());
  tck.content = std::move(*content);
  auto header = parseTckHeader(tck.content.bytes(), tck.file->name);
  if (!header) return tl::make_unexpected(header.error());
  tck.header = std::move(*header);
  tck.timestamp = timestampOf(tck.header);
  if (tck.header.dataOffset > tck.content.bytes().size()) {
    return fail(ErrorCode::invalidInput, "the file is cut short: it ends before its streamlines begin", tck.file->name);
  }
  tck.counts = countTck(tck.header, tck.data());
  const auto whole = checkEnd(tck);
  if (!whole) return tl::make_unexpected(whole.error());
  return tck;
}

/// Plans an array for the values of a .tsf. Nothing if they cannot fit.
void planPointValues(const InputFile& file, const Tck& tck, ArrayPlan& plan, std::vector<Part>& parts,
                     std::vector<std::string>& warnings) {
  auto header = parseTckHeader(file.bytes, file.name);
  const std::uint64_t numbers = tck.counts.points;  // and marks between them
  const bool fits = header && header->dataOffset <= file.bytes.size() &&
                    (file.bytes.size() - header->dataOffset) / header->numberBytes() >= numbers;
  if (!fits) {
    warnings.push_back("the values of " + file.name + " were left out: they are not those of these streamlines");
    return;
  }
  const std::string own = timestampOf(*header), &wanted = tck.timestamp;
  if (!own.empty() && !wanted.empty() && own != wanted) {  // as MRtrix has it
    warnings.push_back("the values of " + file.name + " were left out: their timestamp (" + own +
                       ") is not that of these streamlines (" + wanted + "), so they were made for others");
    return;
  }
  const auto array = plan.add(VoxelType::float32, static_cast<std::int64_t>(tck.counts.points));
  parts.push_back({&file, array, std::move(*header), {}});
}

/// Numbers parted by white space or commas; lines that begin with # are comments (MRtrix writes its command there).
std::optional<std::vector<float>> numbersOf(const InputFile& file, std::uint64_t count) {
  if (count > file.bytes.size()) return std::nullopt;  // two bytes a number
  std::vector<float> numbers;
  numbers.reserve(count);
  for (ByteReader reader(file.bytes); reader.left() > 0;) {
    const auto line = trimmed(reader.line());
    if (line.starts_with('#')) continue;
    for (const auto word : words(line, " \t\r\v\f,;", std::numeric_limits<std::size_t>::max())) {
      const auto number = numberFrom<double>(word);
      if (!number || numbers.size() == count) return std::nullopt;
      numbers.push_back(static_cast<float>(*number));
    }
  }
  if (numbers.size() != count) return std::nullopt;
  return numbers;
}

/// True if most words are no numbers: a text about the streamlines.
bool isProse(const InputFile& file) {
  constexpr std::size_t enough = 1000;  // words
  std::size_t all = 0, numbers = 0;
  for (ByteReader reader(file.bytes); reader.left() > 0 && all < enough;) {
    const auto line = trimmed(reader.line());
    if (line.starts_with('#')) continue;
    for (const auto word : words(line, " \t\r\v\f,;", enough)) {
      ++all;
      numbers += numberFrom<double>(word) ? 1 : 0;
    }
  }
  return 2 * numbers < all;
}

void planStreamlineValues(const InputFile& file, const Tck& tck, ArrayPlan& plan, std::vector<Part>& parts,
                          std::vector<std::string>& warnings) {
  auto numbers = numbersOf(file, tck.counts.streamlines);
  if (!numbers && isProse(file)) return;
  if (!numbers) {
    warnings.push_back("the numbers of " + file.name + " were left out: they are not one for each of the " +
                       std::to_string(tck.counts.streamlines) + " streamlines");
    return;
  }
  const auto array = plan.add(VoxelType::float32, static_cast<std::int64_t>(tck.counts.streamlines));
  parts.push_back({&file, array, {}, std::move(*numbers)});
}

TractogramInfo describe(Tck& tck) {
  TractogramInfo info;
  info.format = "TCK";
  info.streamlines = static_cast<std::int64_t>(tck.counts.streamlines);
  info.points = static_cast<std::int64_t>(tck.counts.points);
  info.space = "RAS mm";
  info.fields = std::move(tck.header.fields);
  info.warnings = std::move(tck.header.warnings);
  return info;
}

void fillParts(std::vector<Part>& parts, const ArrayPlan& plan, std::span<std::byte> memory,
               std::span<const std::uint64_t> offsets, TractogramInfo& info) {
  for (Part& part : parts) {
    const auto out = plan.as<float>(memory, part.array);
    AttachedData data{.name = stemOf(part.file->name), .array = part.array, .intent = {}, .structure = {}};
    if (!hasTsfMagic(part.file->bytes)) {
      std::copy(part.numbers.begin(), part.numbers.end(), out.begin());
      info.perStreamline.push_back(std::move(data));
    } else if (copyTsf(part.header, part.file->bytes.subspan(part.header.dataOffset), offsets, out)) {
      info.perPoint.push_back(std::move(data));
    } else {
      info.warnings.push_back("the values of " + part.file->name +
                              " were left out: they are not those of these streamlines");
    }
  }
}

Result<ReadTracts> readTck(std::span<const InputFile> files, const ReadOptions& options, MemorySink& sink) {
  auto tck = openTck(files);
  if (!tck) return tl::make_unexpected(tck.error());
  TractogramInfo info = describe(*tck);
  ArrayPlan plan;
  info.positions = plan.add(VoxelType::float32, info.points, 3);
  info.offsets = plan.add(VoxelType::uint64, info.streamlines + 1);
  std::vector<Part> parts;
  for (const InputFile& file : files) {
    if (&file == tck->file) continue;
    if (hasTsfMagic(file.bytes)) {
      planPointValues(file, *tck, plan, parts, info.warnings);
    } else {
      planStreamlineValues(file, *tck, plan, parts, info.warnings);
    }
  }
  const auto size = plan.totalBytes();
  if (!size) return tl::make_unexpected(size.error());
  auto memory = sink.allocate(*size);
  if (!memory) return tl::make_unexpected(memory.error());
  const auto positions = plan.as<float>(*memory, info.positions);
  const auto offsets = plan.as<std::uint64_t>(*memory, info.offsets);
  copyTck(tck->header, tck->data().first(tck->counts.bytesUsed), positions, offsets, options.progress);
  fillParts(parts, plan, *memory, offsets, info);
  return ReadTracts{std::move(info), plan.arrays()};
}

}  // namespace

bool TckReader::recognises(const InputFile& file) const {
  const auto first = beginningOf(file, magicBytes);
  return hasTckMagic(first) || hasTsfMagic(first) || nameEndsWith(file.name, ".tck");
}

Result<FileSummary> TckReader::peek(const InputFile& file) const {
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  const bool compressed = isGzip(file.bytes);
  constexpr std::size_t someBytes = std::size_t{64} << 10;
  const auto inflated = compressed ? inflatePrefix(file.bytes, someBytes) : std::vector<std::byte>{};
  const auto header = parseTckHeader(compressed ? std::span<const std::byte>(inflated) : file.bytes, file.name);
  if (!header) return tl::make_unexpected(header.error());
  if (!compressed && header->dataOffset > file.bytes.size()) {
    return fail(ErrorCode::invalidInput, "the file is cut short: it ends before its streamlines begin", file.name);
  }
  if (header->values) return FileSummary{"other", "TSF", nullptr};
  FileSummary summary{"tracts", "TCK", nullptr};
  if (!nameEndsWith(file.name, ".tck")) return summary;
  const std::string stem = stemOf(file.name);  // MRtrix's habit: values of the same name
  summary.parts = {stem + ".tsf", stem + ".txt"};
  return summary;
}

Result<ReadTracts> TckReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  try {
    return readTck(files, options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the streamlines", files.front().name);
  }
}

}  // namespace nora
