#include "image/io/trx_reader.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/tract_content.hpp"
#include "image/io/trx_members.hpp"
#include "image/streamline_measure.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <new>

namespace nora {
namespace {

using nlohmann::json;

constexpr std::size_t mostArrays = 500;  // of values of points, and of streamlines
constexpr std::size_t mostGroups = 10000;
constexpr std::string_view dpgFolder = "dpg/";

struct Trx {
  const InputFile* file = nullptr;
  std::vector<ZipMember> zip;
  bool isFolder = false;  // unpacked: members have no checksum
  json header;
  std::optional<TrxMember> positions, offsets;
  std::vector<TrxMember> perPoint, perStreamline, groups, perGroup;
  std::uint64_t points = 0, streamlines = 0;
  std::vector<std::string> warnings;
};

tl::unexpected<Error> wrong(const Trx& trx, std::string what) {
  return fail(ErrorCode::invalidInput, std::move(what), trx.file->name);
}

Result<void> readHeader(Trx& trx) {
  constexpr std::size_t mostHeaderBytes = std::size_t{1} << 20;
  const auto found = std::find_if(trx.zip.begin(), trx.zip.end(), [](const ZipMember& member) {
    return member.name == "header.json" || member.name == "./header.json";
  });
  if (found == trx.zip.end()) return wrong(trx, "the archive has no header.json, so it is no TRX file");
  if (found->size > mostHeaderBytes) return wrong(trx, "header.json is larger than any header");
  std::vector<std::byte> text(found->size);
  const auto extracted = extractZipMember(*found, text, trx.file->name);
  if (!extracted) return extracted;
  const auto chars = asText(text);
  trx.header = json::parse(chars.begin(), chars.end(), nullptr, false);
  if (!trx.header.is_object()) return wrong(trx, "header.json is damaged: it is no JSON object");
  return {};
}

/// A count of the header; empty if it is not there.
Result<std::optional<std::uint64_t>> countOf(const Trx& trx, const char* key) {
  const auto found = trx.header.find(key);
  if (found == trx.header.end()) return std::optional<std::uint64_t>{};
  constexpr double most = 1e15;
  const double number = found->is_number() ? found->get<double>() : -1;
  if (!(number >= 0 && number <= most) || number != std::floor(number)) {
    return wrong(trx, std::string(key) + " in header.json is no count");
  }
  return std::optional(static_cast<std::uint64_t>(number));
}

void sortMembers(Trx& trx) {
  for (const ZipMember& zip : trx.zip) {
    auto member = trxMember(zip);
    if (!member) continue;
    if (member->folder.empty() && member->name == "positions")
      trx.positions = std::move(member);
    else if (member->folder.empty() && member->name == "offsets")
      trx.offsets = std::move(member);
    else if (member->folder == "dpv")
      trx.perPoint.push_back(std::move(*member));
    else if (member->folder == "dps")
      trx.perStreamline.push_back(std::move(*member));
    else if (member->folder == "groups")
      trx.groups.push_back(std::move(*member));
    else if (member->folder.starts_with(dpgFolder))
      trx.perGroup.push_back(std::move(*member));
  }
}

void cutTo(std::vector<TrxMember>& members, std::size_t most, const char* what, std::vector<std::string>& warnings) {
  if (members.size() <= most) return;
  warnings.push_back("of " + std::to_string(members.size()) + " " + what + " the first " + std::to_string(most) +
                     " were read");
  members.erase(members.begin() + static_cast<std::ptrdiff_t>(most), members.end());
}

Result<void> checkWhole(const Trx& trx, const TrxMember& member) {
  if (member.zip->size % bytesOf(member.type) == 0) return {};
  return wrong(trx, "\"" + member.zip->name + "\" is cut short: it holds no whole number of its numbers");
}

/// Holds the size of each array against the counts.
Result<void> checkSizes(Trx& trx) {
  for (const auto* list : {&trx.groups, &trx.perGroup}) {
    for (const TrxMember& member : *list) {
      if (auto whole = checkWhole(trx, member); !whole) return whole;
    }
  }
  for (const auto* member : {&trx.positions, &trx.offsets}) {
    if (auto whole = *member ? checkWhole(trx, **member) : Result<void>(); !whole) return whole;
  }
  const auto points = countOf(trx, "NB_VERTICES"), streamlines = countOf(trx, "NB_STREAMLINES");
  if (!points) return tl::make_unexpected(points.error());
  if (!streamlines) return tl::make_unexpected(streamlines.error());
  const bool empty = points->value_or(1) == 0 && !trx.positions;
  if (!empty && (!trx.positions || !trx.offsets)) return wrong(trx, "the archive has no positions or no offsets");
  if (trx.positions) {
    if (trx.positions->components != 3) return wrong(trx, "positions do not have three components");
    if (trx.positions->numbers() % 3 != 0) {
      return wrong(trx, "positions are cut short: they are no whole number of points");
    }
    trx.points = trx.positions->numbers() / 3;
  }
  if (*points && **points != trx.points) {
    return wrong(
        trx, "the header claims " + std::to_string(**points) + " points, the file holds " + std::to_string(trx.points));
  }
  const std::uint64_t offsets = trx.offsets ? trx.offsets->numbers() : 0;
  trx.streamlines = streamlines->value_or(offsets);
  if (offsets != trx.streamlines && offsets != trx.streamlines + 1) {
    return wrong(trx, "the header claims " + std::to_string(trx.streamlines) + " streamlines, the file holds " +
                          std::to_string(offsets) + " offsets");
  }
  return {};
}

Result<void> checkValues(const Trx& trx, std::vector<TrxMember>& members, std::uint64_t count) {
  for (TrxMember& member : members) {
    std::uint64_t numbers = 0;
    const bool overflow = __builtin_mul_overflow(count, member.components, &numbers);
    if (overflow || member.zip->size % bytesOf(member.type) != 0 || member.numbers() != numbers) {
      return wrong(trx, "\"" + member.zip->name + "\" holds " + std::to_string(member.numbers()) + " numbers; " +
                            std::to_string(count) + " x " + std::to_string(member.components) + " are wanted");
    }
  }
  return {};
}

constexpr std::string_view headerName = "header.json";

/// The header of an unpacked TRX: its own name and two keys that no other header.json has.
bool isFolderHeader(const InputFile& file) {
  constexpr std::size_t mostHeaderBytes = std::size_t{1} << 20;
  const auto base = std::string_view(file.name).substr(file.name.rfind('/') + 1);
  const auto text = asText(file.bytes);
  return base == headerName && text.size() <= mostHeaderBytes && text.find("\"VOXEL_TO_RASMM\"") != text.npos &&
         text.find("\"NB_STREAMLINES\"") != text.npos;
}

/// The files of a folder as the members of an archive that holds them as they are.
std::vector<ZipMember> membersOf(const InputFile& header, std::span<const InputFile> files) {
  const std::string folder = header.name.substr(0, header.name.size() - headerName.size());
  std::vector<ZipMember> members;
  for (const InputFile& file : files) {
    if (!file.name.starts_with(folder)) continue;
    ZipMember member;
    member.name = file.name.substr(folder.size());
    member.stored = file.bytes;
    member.size = file.bytes.size();
    members.push_back(std::move(member));
  }
  return members;
}

Result<Trx> openTrx(std::span<const InputFile> files) {
  const auto header = std::find_if(files.begin(), files.end(), isFolderHeader);
  const InputFile& file = header == files.end() ? files.front() : *header;
  if (file.bytes.empty()) return fail(ErrorCode::invalidInput, "the file is empty", file.name);
  Trx trx;
  trx.file = &file;
  trx.isFolder = header != files.end();
  if (trx.isFolder) {
    trx.zip = membersOf(file, files);
  } else {
    auto zip = readZipDirectory(file.bytes, file.name);
    if (!zip) return tl::make_unexpected(zip.error());
    trx.zip = std::move(*zip);
  }
  auto checked = readHeader(trx);
  if (!checked) return tl::make_unexpected(checked.error());
  sortMembers(trx);
  cutTo(trx.perPoint, mostArrays, "arrays of point values", trx.warnings);
  cutTo(trx.perStreamline, mostArrays, "arrays of streamline values", trx.warnings);
  cutTo(trx.groups, mostGroups, "groups", trx.warnings);
  checked = checkSizes(trx);
  if (checked) checked = checkValues(trx, trx.perPoint, trx.points);
  if (checked) checked = checkValues(trx, trx.perStreamline, trx.streamlines);
  if (!checked) return tl::make_unexpected(checked.error());
  return trx;
}

void describeReference(const json& header, TractogramInfo& info) {
  if (const auto matrix = header.find("VOXEL_TO_RASMM"); matrix != header.end() && matrix->is_array()) {
    Affine affine;
    bool good = matrix->size() == 4;
    for (std::size_t r = 0; good && r < 3; ++r) {
      const json& row = (*matrix)[r];
      good = row.is_array() && row.size() == 4;
      for (std::size_t c = 0; good && c < 4; ++c) {
        good = row[c].is_number();
        if (good) affine.m[4 * r + c] = row[c].get<double>();
      }
    }
    if (good && inverse(affine)) info.worldFromVoxel = affine;
  }
  if (const auto dims = header.find("DIMENSIONS"); dims != header.end() && dims->is_array() && dims->size() == 3) {
    std::array<std::int64_t, 3> out{};
    bool good = true;
    for (std::size_t i = 0; i < 3; ++i) {
      const double n = (*dims)[i].is_number() ? (*dims)[i].get<double>() : 0;
      good = good && n >= 1 && n <= 1e9;
      if (good) out[i] = static_cast<std::int64_t>(n);
    }
    if (good) info.dims = out;
  }
}

/// "color", "rgb", "commit_colors": three or four bytes under such a name are a colour.
bool isColour(const TrxMember& member) {
  const bool bytes = member.type == TrxType::uint8 && (member.components == 3 || member.components == 4);
  return bytes && (member.name.find("col") != std::string::npos || member.name.find("rgb") != std::string::npos);
}

void planValues(const std::vector<TrxMember>& members, std::uint64_t count, ArrayPlan& plan,
                std::vector<AttachedData>& attached) {
  for (const TrxMember& member : members) {
    const auto array =
        plan.add(keptAs(member.type), static_cast<std::int64_t>(count), static_cast<std::int64_t>(member.components));
    attached.push_back({.name = member.name,
                        .role = isColour(member) ? DataRole::colour : DataRole::scalar,
                        .array = array,
                        .intent = {},
                        .structure = {}});
  }
}

/// Copies the arrays one after the other; each is extracted, checked and forgotten.
class TrxFiller {
 public:
  TrxFiller(const Trx& trx, const ArrayPlan& plan, MemorySink& sink, std::span<std::byte> memory, TractogramInfo& info)
      : trx_(trx), plan_(plan), sink_(sink), memory_(memory), info_(info) {}

  /// After offsets(). Block by block: checksum, conversion and measuring find the points in the cache.
  Result<void> positions(const std::function<void(double)>& progress) {
    StreamlineMeasure measured(plan_.as<std::uint64_t>(memory_, info_.offsets));
    if (trx_.positions) {
      const auto copied = copyPositions(measured, progress);
      if (!copied) return copied;
    }
    measured.finish(info_);
    return {};
  }

  Result<void> offsets() {
    const auto out = plan_.as<std::uint64_t>(memory_, info_.offsets);
    if (trx_.offsets) {
      const auto done = extract(*trx_.offsets, info_.offsets, out.first(trx_.offsets->numbers()));
      if (!done) return done;
      if (trx_.offsets->numbers() == out.size() && out.back() != trx_.points) {
        return wrong(trx_,
                     "the offsets end at point " + std::to_string(out.back()) + " of " + std::to_string(trx_.points));
      }
    }
    out.back() = trx_.points;
    if (out.front() == 0 && std::is_sorted(out.begin(), out.end())) return {};
    return wrong(trx_, "the offsets of the streamlines do not ascend from zero");
  }

  Result<void> values(const std::vector<TrxMember>& members, const std::vector<AttachedData>& attached) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto done = extract(members[i], attached[i].array, std::span<std::byte>());
      if (!done) return done;
    }
    return {};
  }

  Result<void> groups() {
    for (std::size_t i = 0; i < trx_.groups.size(); ++i) {
      StreamlineGroup& group = info_.groups[i];
      const auto out = plan_.as<std::uint32_t>(memory_, group.array);
      const auto done = extract(trx_.groups[i], group.array, out);
      if (!done) return done;
      const auto largest = out.empty() ? out.end() : std::max_element(out.begin(), out.end());
      if (largest != out.end() && *largest >= trx_.streamlines) {
        return wrong(trx_, "group \"" + group.name + "\" names a streamline that is not there");
      }
    }
    return {};
  }

  Result<void> groupValues() {
    constexpr std::size_t mostNumbers = 16, mostFields = 500;
    for (const TrxMember& member : trx_.perGroup) {
      const std::string name = member.folder.substr(dpgFolder.size());
      if (member.numbers() == 0 || member.numbers() > mostNumbers || info_.fields.size() >= mostFields) continue;
      const auto numbers = TrxNumbers::of(member, trx_.file->name);
      if (!numbers) return tl::make_unexpected(numbers.error());
      const auto group = std::find_if(info_.groups.begin(), info_.groups.end(),
                                      [&](const StreamlineGroup& g) { return g.name == name; });
      if (isColour(member) && group != info_.groups.end() && member.numbers() >= 3) {
        group->rgb.emplace();
        for (std::size_t i = 0; i < 3; ++i) (*group->rgb)[i] = static_cast<std::uint8_t>(numbers->at(i));
        continue;
      }
      std::string text;
      for (std::size_t i = 0; i < member.numbers(); ++i) {
        std::array<char, 32> number{};
        std::snprintf(number.data(), number.size(), "%.7g", numbers->at(i));
        text.append(i > 0 ? " " : "").append(number.data());
      }
      info_.fields.emplace_back(name + ": " + member.name, text);
    }
    return {};
  }

 private:
  void tellWrongChecksum(const TrxMember& member) {
    info_.warnings.push_back("the checksum of \"" + member.zip->name + "\" is wrong: it was changed or is damaged");
  }

  Result<void> copyPositions(StreamlineMeasure& measured, const std::function<void(double)>& progress) {
    const auto out = plan_.as<float>(memory_, info_.positions);
    const auto numbers = TrxNumbers::of(*trx_.positions, trx_.file->name);
    if (!numbers) return tl::make_unexpected(numbers.error());
    constexpr std::size_t blockNumbers = std::size_t{3} * 8192;
    std::vector<float> block(std::min(blockNumbers, out.size()));
    std::uint32_t checksum = 0;
    for (std::size_t begin = 0; begin < out.size(); begin += blockNumbers) {
      const std::span<float> part = std::span(block).first(std::min(blockNumbers, out.size() - begin));
      numbers->copyTo(part, begin);
      checksum = zipChecksum(checksum, numbers->bytes(begin, part.size()));
      measured.add(part);
      sink_.copyIn(std::as_bytes(part), std::as_writable_bytes(out.subspan(begin, part.size())));
      progress(0.1 + 0.8 * static_cast<double>(begin) / static_cast<double>(out.size()));
    }
    if (!trx_.isFolder && checksum != trx_.positions->zip->crc32) tellWrongChecksum(*trx_.positions);
    return {};
  }

  /// Straight into the array where its type stays as it is, else converted into `out`.
  template <class T>
  Result<void> extract(const TrxMember& member, std::size_t array, std::span<T> out) {
    if (!trx_.isFolder && !member.zip->deflated && !hasZipChecksum(*member.zip, member.zip->stored)) {
      tellWrongChecksum(member);
    }
    const ArrayInfo& info = plan_.arrays()[array];
    const auto all =
        memory_.subspan(info.offset, static_cast<std::size_t>(info.count * info.components) * bytesPerVoxel(info.type));
    if (keptAs(member.type) == info.type && member.type != TrxType::float16) {
      if (!member.zip->deflated && member.zip->stored.size() == member.zip->size) {
        sink_.copyIn(member.zip->stored, all.first(member.zip->size));
        return {};
      }
      return extractZipMember(*member.zip, all.first(member.zip->size), trx_.file->name);
    }
    const auto numbers = TrxNumbers::of(member, trx_.file->name);
    if (!numbers) return tl::make_unexpected(numbers.error());
    if constexpr (std::is_same_v<T, std::byte>) {
      numbers->copyBytesTo(all);
    } else {
      numbers->copyTo(out);
    }
    return {};
  }

  const Trx& trx_;
  const ArrayPlan& plan_;
  MemorySink& sink_;
  std::span<std::byte> memory_;
  TractogramInfo& info_;
};

ArrayPlan planArrays(const Trx& trx, TractogramInfo& info) {
  ArrayPlan plan;
  info.positions = plan.add(VoxelType::float32, info.points, 3);
  info.offsets = plan.add(VoxelType::uint64, info.streamlines + 1);
  planValues(trx.perPoint, trx.points, plan, info.perPoint);
  planValues(trx.perStreamline, trx.streamlines, plan, info.perStreamline);
  for (const TrxMember& member : trx.groups) {
    const auto count = static_cast<std::int64_t>(member.numbers());
    info.groups.push_back({.name = member.name, .array = plan.add(VoxelType::uint32, count), .count = count});
  }
  return plan;
}

Result<ReadTracts> readTrx(std::span<const InputFile> files, const ReadOptions& options, MemorySink& sink) {
  auto trx = openTrx(files);
  if (!trx) return tl::make_unexpected(trx.error());
  TractogramInfo info;
  info.format = "TRX";
  info.streamlines = static_cast<std::int64_t>(trx->streamlines);
  info.points = static_cast<std::int64_t>(trx->points);
  info.space = "RAS mm";
  info.warnings = trx->warnings;
  describeReference(trx->header, info);
  const ArrayPlan plan = planArrays(*trx, info);
  const auto size = plan.totalBytes();
  if (!size) return tl::make_unexpected(size.error());
  auto memory = sink.allocate(*size);
  if (!memory) return tl::make_unexpected(memory.error());
  TrxFiller filler(*trx, plan, sink, *memory, info);
  auto done = filler.offsets();
  if (done) done = filler.positions(options.progress);
  if (done) done = filler.values(trx->perPoint, info.perPoint);
  if (done) done = filler.values(trx->perStreamline, info.perStreamline);
  if (done) done = filler.groups();
  if (done) done = filler.groupValues();
  if (!done) return tl::make_unexpected(done.error());
  return ReadTracts{std::move(info), plan.arrays(), true};
}

}  // namespace

bool TrxReader::recognises(const InputFile& file) const {
  return nameEndsWith(file.name, ".trx") || isFolderHeader(file);
}

Result<FileSummary> TrxReader::peek(const InputFile& file) const {
  if (isFolderHeader(file)) return FileSummary{"tracts", trxFolderFormat, nullptr};
  const auto trx = openTrx(std::span(&file, 1));
  if (!trx) return tl::make_unexpected(trx.error());
  return FileSummary{"tracts", "TRX", nullptr};
}

Result<ReadTracts> TrxReader::read(std::span<const InputFile> files, const ReadOptions& options,
                                   MemorySink& sink) const {
  if (files.empty()) return fail(ErrorCode::invalidInput, "no file was given");
  try {
    return readTrx(files, options, sink);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::limitExceeded, "out of memory while reading the streamlines", files.front().name);
  }
}

}  // namespace nora
