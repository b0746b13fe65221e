#include "app/local_images.hpp"

#include "app/dicom_collector.hpp"
#include "app/file_set.hpp"
#include "archive/files/served_root.hpp"
#include "archive/files/tree_walker.hpp"
#include "image/io/dicom_header.hpp"
#include "image/io/dicom_rtstruct.hpp"
#include "image/io/trx_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fcntl.h>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::size_t filesPerRequest = 128;

Result<LocalImage> openFile(ReaderPool& pool, const std::string& path) {
  const auto open = [](const std::string& name) { return openRegularFile(name, name); };
  const auto list = [](const std::string& folder) {
    const UniqueFd fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return fd ? namesIn(fd.get()) : std::vector<std::string>{};
  };
  auto files = openFileSet(pool, path, {open, list}, {});
  if (!files) return tl::make_unexpected(files.error());
  LocalImage image;
  image.file = path;
  image.files = std::move(*files);
  return image;
}

/// The headers of one file: one if it is DICOM.
std::vector<DicomHeader> dicomHeaders(ReaderPool& pool, const OpenedFile& file) {
  const auto summaries = pool.peek(std::span(&file, 1), {});
  if (summaries.empty() || !summaries.front() || summaries.front()->kind != "dicom") return {};
  auto header = dicomHeaderFromJson(summaries.front()->header);
  if (!header) return {};
  return {std::move(*header)};
}

/// One image for each stack of a DICOM file, if it has several.
Result<std::vector<LocalImage>> openFileImages(ReaderPool& pool, const std::string& path) {
  auto whole = openFile(pool, path);
  if (!whole) return tl::make_unexpected(whole.error());
  const auto stacks = groupDicom(dicomHeaders(pool, whole->files.front())).stacks;
  std::vector<LocalImage> images;
  for (std::size_t n = 0; n < stacks.size() && stacks.size() > 1; ++n) {
    auto image = n == 0 ? std::move(whole) : openFile(pool, path);
    if (!image) return tl::make_unexpected(image.error());
    image->key = image->series = stacks[n].series();
    image->name = stacks[n].label;
    image->warnings = stacks[n].warnings;
    images.push_back(std::move(*image));
  }
  if (images.empty()) images.push_back(std::move(*whole));
  return images;
}

struct DicomFiles {
  std::vector<std::string> paths;  // relative to the folder
  std::vector<DicomHeader> headers;
};

Result<DicomFiles> dicomBelow(ReaderPool& pool, const ServedRoot& root) {
  DicomFiles found;
  const auto take = [&](const std::vector<FoundFile>& files) {
    std::vector<OpenedFile> opened;
    for (const auto& file : files) {
      if (kindBySuffix(file.path) != "image?") continue;
      if (auto fd = root.openFile(file.path)) opened.push_back({file.path, std::move(*fd)});
    }
    const auto summaries = pool.peek(opened, {});
    for (std::size_t i = 0; i < summaries.size(); ++i) {
      if (!summaries[i] || summaries[i]->kind != "dicom") continue;
      auto header = dicomHeaderFromJson(summaries[i]->header);
      if (!header) continue;
      found.paths.push_back(opened[i].name);
      found.headers.push_back(std::move(*header));
    }
  };
  walkTree(root, filesPerRequest, take, [](const WalkProblem&) {}, {});
  return found;
}

/// A structure set is drawn on the images of its source series: they go with it.
Result<void> addSource(const ServedRoot& root, const DicomFiles& found, const DicomGrouping& grouping,
                       const DicomStack& overlay, LocalImage& image) {
  const DicomHeader& header = found.headers[overlay.instances.front()];
  if (header.sopClassUid != rtStructureSetClassUid || header.sourceSeriesUid.empty()) return {};
  for (const auto& stack : grouping.stacks) {
    if (stack.seriesUid != header.sourceSeriesUid) continue;
    for (const std::size_t i : stack.instances) {
      auto fd = root.openFile(found.paths[i]);
      if (!fd) return tl::make_unexpected(fd.error());
      image.files.push_back({found.paths[i], std::move(*fd)});
    }
  }
  return {};
}

/// Damaged files that were left out, one line a reason; what is no image at all is not missed.
std::vector<std::string> leftOut(const DicomFiles& found, const DicomGrouping& grouping) {
  std::map<std::string, std::vector<std::size_t>> byReason;
  for (const auto& [index, error] : grouping.refused) {
    if (error.code == ErrorCode::invalidInput) byReason[error.what].push_back(index);
  }
  std::vector<std::string> lines;
  for (const auto& [reason, files] : byReason) {
    const std::string more = files.size() > 1 ? " and " + std::to_string(files.size() - 1) + " more files" : "";
    lines.push_back(found.paths[files.front()] + more + " left out: " + reason);
  }
  return lines;
}

/// Series UIDs should be unique, but copies with changed names and careless anonymisers make the same twice. `images`
/// are in the order of the stacks.
void partEqualKeys(const DicomFiles& found, const DicomGrouping& grouping, std::vector<LocalImage>& images) {
  std::map<std::string, int> uses;
  for (const auto& image : images) ++uses[image.series];
  for (std::size_t n = 0; n < images.size(); ++n) {
    if (uses[images[n].series] < 2) continue;
    const DicomHeader& header = found.headers[grouping.stacks[n].instances.front()];
    images[n].key += "~" + seriesMark(dicomSeriesKey(header));
  }
}

Result<std::vector<LocalImage>> openFolder(ReaderPool& pool, const std::string& path) {
  auto root = ServedRoot::open(path);
  if (!root) return tl::make_unexpected(root.error());
  const auto found = dicomBelow(pool, *root);
  if (!found) return tl::make_unexpected(found.error());
  const DicomGrouping grouping = groupDicom(found->headers);
  std::vector<LocalImage> images;
  for (const auto& stack : grouping.stacks) {
    LocalImage image;
    image.file = path;
    image.key = image.series = stack.series();
    image.name = stack.label;
    image.warnings = stack.warnings;
    for (const std::size_t i : stack.instances) {
      auto fd = root->openFile(found->paths[i]);
      if (!fd) return tl::make_unexpected(fd.error());
      image.files.push_back({found->paths[i], std::move(*fd)});
    }
    if (auto r = addSource(*root, *found, grouping, stack, image); !r) return tl::make_unexpected(r.error());
    images.push_back(std::move(image));
  }
  partEqualKeys(*found, grouping, images);
  if (images.empty() && !grouping.refused.empty()) {
    Error error = grouping.refused.front().second;
    error.where = path + "/" + found->paths[grouping.refused.front().first];
    return tl::make_unexpected(std::move(error));
  }
  if (images.empty()) return fail(ErrorCode::unsupported, "the folder holds no DICOM images", path);
  auto& warnings = images.front().warnings;
  for (auto& line : leftOut(*found, grouping)) warnings.push_back(std::move(line));
  return images;
}

bool isTrxFolder(ReaderPool& pool, const std::string& header) {
  std::vector<OpenedFile> files;
  if (auto file = openRegularFile(header, header)) files.push_back(std::move(*file));
  const auto summaries = pool.peek(files, {});
  return !summaries.empty() && summaries.front() && summaries.front()->format == trxFolderFormat;
}

/// A folder with the arrays of a TRX whose header is missing or damaged.
Result<void> checkTrxFolder(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto names = fd ? namesIn(fd.get()) : std::vector<std::string>{};
  const auto has = [&](std::string_view start) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(start); });
  };
  if (!has("positions.") || !has("offsets.")) return {};
  return fail(ErrorCode::invalidInput,
              has("header.json") ? "an unpacked TRX whose header.json is damaged: it does not say VOXEL_TO_RASMM and "
                                   "NB_STREAMLINES"
                                 : "an unpacked TRX without its header.json; copy it again",
              path);
}

}  // namespace

Result<std::vector<LocalImage>> openLocal(ReaderPool& pool, const std::string& path) {
  std::error_code ignored;
  const bool isFolder = std::filesystem::is_directory(path, ignored);
  const std::string trxHeader = (std::filesystem::path(path) / "header.json").string();
  const bool isTrx = isFolder && isTrxFolder(pool, trxHeader);
  if (isFolder && !isTrx) {
    if (auto good = checkTrxFolder(path); !good) return tl::make_unexpected(good.error());
    return openFolder(pool, path);
  }
  return openFileImages(pool, isTrx ? trxHeader : path);
}

Result<LocalImage> openSource(ReaderPool& pool, const std::string& folder, const Source& source) {
  const std::string path = (std::filesystem::path(folder) / source.path).string();
  std::error_code ignored;
  if (source.series.empty() && !std::filesystem::is_directory(path, ignored)) return openFile(pool, path);
  auto images = openLocal(pool, path);
  if (!images) return tl::make_unexpected(images.error());
  if (source.series.empty()) {
    if (images->size() == 1) return std::move(images->front());
    return fail(ErrorCode::invalidInput,
                "the folder holds " + std::to_string(images->size()) +
                    " images; name one by --series, or 'series' in a scene (see nora info)",
                path);
  }
  const auto isNamed = [&](const std::string& name) { return name == source.series || name == source.series + "#0"; };
  std::vector<std::string> alike;
  for (auto& image : *images) {
    if (isNamed(image.key)) return std::move(image);
    if (isNamed(image.series)) alike.push_back(image.key + " (\"" + image.name + "\")");
  }
  if (!alike.empty()) {
    std::string names;
    for (const auto& name : alike) names += (names.empty() ? "" : ", ") + name;
    return fail(ErrorCode::invalidInput,
                std::to_string(alike.size()) + " images have the series " + source.series + "; name one: " + names,
                path);
  }
  return fail(ErrorCode::notFound, "there is no series " + source.series + " (see nora info)", path);
}

ReadOptions readOptions(const LocalImage& image) {
  ReadOptions options;
  options.series = image.series;
  return options;
}

ReaderPool::Limits commandLineLimits(bool preferQform) {
  ReaderPool::Limits limits;
  limits.preferQform = preferQform;
  limits.processes = 1;
  return limits;
}

}  // namespace nora
