#include "app/served_images.hpp"

#include "app/file_set.hpp"

#include <sys/stat.h>

namespace nora {
namespace {

/// Name, size and times of every file: a changed file is another image.
std::string contentKey(const std::vector<OpenedFile>& files) {
  std::string key;
  for (const auto& file : files) {
    struct stat status {};
    ::fstat(file.fd.get(), &status);
    key += file.name + '\0' + std::to_string(status.st_size) + ' ' + std::to_string(status.st_mtim.tv_sec) + '.' +
           std::to_string(status.st_mtim.tv_nsec) + ' ' + std::to_string(status.st_ctim.tv_sec) + '.' +
           std::to_string(status.st_ctim.tv_nsec) + ' ' + std::to_string(status.st_ino) + '\0';
  }
  return key;
}

}  // namespace

ServedImages::ServedImages(const ServedRoot& root, ReaderPool& pool, Catalogue& catalogue, ContentCache& cache)
    : root_(root), pool_(pool), catalogue_(catalogue), cache_(cache) {}

Result<Source> ServedImages::resolve(const std::string& id) {
  const auto entry = catalogue_.find(id);
  if (!entry) return fail(ErrorCode::notFound, "there is no such entry in the list of files", id);
  if (entry->state == EntryState::removed)
    return fail(ErrorCode::notFound, "the image is no longer there", entry->path);
  if (entry->state != EntryState::ready) {
    const auto code = entry->state == EntryState::unsupported ? ErrorCode::unsupported : ErrorCode::invalidInput;
    return fail(code, entry->reason, entry->path);
  }
  if (entry->kind != "image" && entry->kind != "surface" && entry->kind != "tracts") {
    return fail(ErrorCode::unsupported,
                "there is nothing to draw (" + entry->kind + "); its content is shown in a panel", entry->path);
  }
  return Source{sourcePath(*entry), entry->series};
}

std::string ServedImages::filePath(const Source& source) const {
  const auto entry = catalogue_.find(source.path, source.series);
  return entry ? entry->path : source.path;
}

Result<std::vector<OpenedFile>> ServedImages::openSeries(const Source& source) const {
  const auto entry = catalogue_.find(source.path, source.series);
  if (!entry || entry->state != EntryState::ready) {
    if (entry && entry->state == EntryState::removed) {
      return fail(ErrorCode::notFound, "the series is not, or no longer, listed under this name; choose it in the list",
                  source.path);
    }
    const char* what = catalogue_.counts().scanning ? "the series was not found yet; the folder is still being scanned"
                                                    : "there is no such series";
    return fail(ErrorCode::notFound, what, source.path);
  }
  std::vector<OpenedFile> opened;
  opened.reserve(entry->files.size());
  for (const auto& name : entry->files) {
    auto fd = root_.openFile(name);
    if (!fd) return tl::make_unexpected(fd.error());
    opened.push_back({name, std::move(*fd)});
  }
  addSource(*entry, opened);
  return opened;
}

/// A structure set is drawn on the images of its source series: those that can be opened go with it.
void ServedImages::addSource(const Entry& entry, std::vector<OpenedFile>& opened) const {
  if (entry.format != "RTSTRUCT") return;
  const auto source = catalogue_.findSeries(entry.sourceSeries);
  if (!source) return;
  for (const auto& name : source->files) {
    if (auto fd = root_.openFile(name)) opened.push_back({name, std::move(*fd)});
  }
}

Result<std::vector<OpenedFile>> ServedImages::open(const Source& source, std::stop_token stop) const {
  if (!source.series.empty()) return openSeries(source);
  const auto open = [this](const std::string& path) {
    return root_.openFile(path).map([&](UniqueFd&& fd) { return OpenedFile{path, std::move(fd)}; });
  };
  const auto list = [this](const std::string& folder) {
    const auto fd = root_.openFolder(folder.empty() ? "." : folder);
    return fd ? namesIn(fd->get()) : std::vector<std::string>{};
  };
  return openFileSet(pool_, filePath(source), {open, list}, std::move(stop));
}

/// A series whose time points are worth loading one by one. The list of files does not know the type of the voxels:
/// counted as int16.
bool ServedImages::isLargeSeries(const Source& source) const {
  constexpr std::int64_t worthSplitting = (std::int64_t{64} << 20) / 2;
  const auto entry = catalogue_.find(source.path, source.series);
  if (!entry || entry->timePoints < 2) return false;
  std::int64_t voxels = 1;
  for (const std::int64_t n : entry->dims) {
    if (__builtin_mul_overflow(voxels, n, &voxels)) return true;
  }
  return voxels > worthSplitting;
}

Result<LayerContent> ServedImages::load(const Source& source, const LoadOptions& options, std::stop_token stop) {
  const auto opened = open(source, stop);
  if (!opened) return tl::make_unexpected(opened.error());
  const bool shared = source.series.find('@') != std::string::npos;  // its files hold further images
  const std::string key = contentKey(*opened) + (shared ? source.series : std::string());
  const bool alone = options.timePoint && isLargeSeries(source);
  const auto read = [&](const ContentCache::Progress& progress, std::stop_token loadStop) {
    ReadOptions how;
    how.progress = progress;
    how.series = source.series;
    if (alone) how.timePoint = options.timePoint;
    return pool_.readContent(*opened, filePath(source), how, std::move(loadStop));
  };
  const auto drawable = [&](Result<std::shared_ptr<const Content>> content) -> Result<LayerContent> {
    if (!content) return tl::make_unexpected(content.error());
    if (!std::holds_alternative<Document>(**content)) return LayerContent(*content);
    return fail(ErrorCode::unsupported, "there is nothing to draw: it holds a " + std::string(kindOf(**content)),
                filePath(source));
  };
  if (!alone) return drawable(cache_.get(key, read, options.progress, stop));
  if (auto whole = cache_.find(key)) return drawable(whole);
  const std::string partKey = key + "time " + std::to_string(*options.timePoint);
  const auto readPart = [&](const ContentCache::Progress& progress, std::stop_token loadStop) {
    return read(progress, std::move(loadStop)).map([&](Content&& part) -> Content {
      if (auto* volume = std::get_if<Volume>(&part)) return sameLook(key, std::move(*volume));
      return std::move(part);
    });
  };
  auto part = cache_.get(partKey, readPart, options.progress, stop, ContentCache::Keep::whileHeld);
  const auto volume = part ? volumeIn(*part) : nullptr;
  if (volume && volume->isComplete()) cache_.put(key, *part);  // its reader knows no parts
  return drawable(part);
}

/// Time points that are loaded one by one all get the statistics of the first, so that automatic windows stay.
Volume ServedImages::sameLook(const std::string& key, Volume part) {
  constexpr std::size_t mostKept = 256;
  if (part.isComplete() || !part.info().statistics) return part;
  const std::lock_guard lock(looksMutex_);
  if (looks_.size() >= mostKept) looks_.clear();
  const auto [known, isNew] = looks_.emplace(key, *part.info().statistics);
  return isNew ? std::move(part) : std::move(part).withStatistics(known->second);
}

}  // namespace nora
