#include "app/archive_images.hpp"

#include "app/file_set.hpp"

#include <charconv>

#include <sys/stat.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

/// Name, size and times of every file: a changed file is another image.
std::string contentKey(const std::vector<OpenedFile>& files) {
  std::string key;
  for (const auto& file : files) {
    struct stat status {};
    ::fstat(file.fd.get(), &status);
    key += file.name + '\0' + std::to_string(status.st_dev) + ' ' + std::to_string(status.st_size) + ' ' +
           std::to_string(status.st_mtim.tv_sec) + '.' + std::to_string(status.st_mtim.tv_nsec) + ' ' +
           std::to_string(status.st_ctim.tv_sec) + '.' + std::to_string(status.st_ctim.tv_nsec) + ' ' +
           std::to_string(status.st_ino) + '\0';
  }
  return key;
}

/// As readers know it: without the mark of whose it is.
std::string seriesForReader(const FileRecord& file) {
  return file.series.substr(0, file.series.find('~'));
}

/// A series whose time points are worth loading one by one. The index does not know the type of the voxels: counted as
/// int16.
bool isLargeSeries(const FileRecord& file) {
  constexpr std::int64_t worthSplitting = (std::int64_t{64} << 20) / 2;
  if (file.dims[3] < 2) return false;
  std::int64_t voxels = 1;
  for (const std::int64_t n : file.dims) {
    if (__builtin_mul_overflow(voxels, std::max<std::int64_t>(n, 1), &voxels)) return true;
  }
  return voxels > worthSplitting;
}

Result<void> checkState(const FileRecord& file) {
  if (file.state == FileState::vanished) return fail(ErrorCode::notFound, "the file is no longer there", file.path);
  if (file.state == FileState::broken) return fail(ErrorCode::invalidInput, file.reason, file.path);
  if (!file.reason.empty()) return fail(ErrorCode::unsupported, file.reason, file.path);
  return {};
}

}  // namespace

Source sourceOf(const FileRecord& file, const ProjectRecord& project) {
  return {project.name + "/" + file.path, file.series};
}

Source hiddenSourceOf(const FileRecord& file, const std::string& shownName) {
  return {"[" + std::to_string(file.id) + "] " + shownName, {}};
}

std::int64_t hiddenSourceId(const std::string& path) {
  std::int64_t id = 0;
  if (!path.starts_with('[')) return 0;
  const auto [at, error] = std::from_chars(path.data() + 1, path.data() + path.size(), id);
  const bool isId = error == std::errc{} && at != path.data() + path.size() && *at == ']' && id > 0;
  return isId ? id : 0;
}

Result<ArchiveImages::Found> ArchiveImages::checked(const Visitor& visitor, const Result<FileRecord>& file) const {
  if (!file) return tl::make_unexpected(file.error());
  auto project = openProject(places_, visitor, file->projectId);
  if (!project) return fail(ErrorCode::notFound, "there is no such file", "file");
  Found found{*file, *std::move(project)};
  if (auto right = checkState(*file); !right) return tl::make_unexpected(shownError(found, right.error()));
  return found;
}

Error ArchiveImages::shownError(const Found& found, const Error& error) {
  if (found.project.access.showsIdentity) return error;
  return {error.code, "the file cannot be shown; who may see names sees why", "file " + std::to_string(found.file.id)};
}

Result<ArchiveImages::Found> ArchiveImages::find(const Visitor& visitor, std::int64_t fileId) const {
  return checked(visitor, places_.archive.file(fileId));
}

Result<ArchiveImages::Found> ArchiveImages::find(const Visitor& visitor, const Source& source) const {
  if (const auto id = hiddenSourceId(source.path); id != 0) return find(visitor, id);
  const auto slash = source.path.find('/');
  if (slash == std::string::npos) return fail(ErrorCode::notFound, "there is no such file", source.path);
  const auto project = places_.archive.project(source.path.substr(0, slash));
  if (!project) return fail(ErrorCode::notFound, "there is no such file", source.path);
  const auto open = openProject(places_, visitor, project->id);
  // Who guesses the path of a subject whose name is hidden must not learn whether it is right.
  if (!open || !open->access.showsIdentity) return fail(ErrorCode::notFound, "there is no such file", source.path);
  auto found = checked(visitor, places_.archive.file(project->id, source.path.substr(slash + 1), source.series));
  if (!found && found.error().code == ErrorCode::notFound) found.error().where = source.path;
  return found;
}

/// A structure set is drawn on the images of its source series: those that can be opened go with it.
void ArchiveImages::addSource(const ServedRoot& root, const FileRecord& file, std::vector<OpenedFile>& opened) const {
  if (file.format != "RTSTRUCT" || file.sourceSeries.empty()) return;
  const auto source = places_.archive.imageOfSeries(file.projectId, file.sourceSeries);
  if (!source) return;
  const auto parts = places_.archive.partsOf(*source);
  if (!parts) return;
  for (const auto& name : *parts) {
    if (auto fd = root.openFile(name)) opened.push_back({name, std::move(*fd)});
  }
}

Result<std::vector<OpenedFile>> ArchiveImages::open(const Found& found, std::stop_token stop) const {
  const auto root = ServedRoot::open(found.project.project.root);
  if (!root) return tl::make_unexpected(root.error());
  if (found.file.series.empty()) {
    const auto open = [&](const std::string& path) {
      return root->openFile(path).map([&](UniqueFd&& fd) { return OpenedFile{path, std::move(fd)}; });
    };
    const auto list = [&](const std::string& folder) {
      const auto fd = root->openFolder(folder.empty() ? "." : folder);
      return fd ? namesIn(fd->get()) : std::vector<std::string>{};
    };
    return openFileSet(pool_, found.file.path, {open, list}, std::move(stop));
  }
  const auto parts = places_.archive.partsOf(found.file);
  if (!parts) return tl::make_unexpected(parts.error());
  std::vector<OpenedFile> opened;
  opened.reserve(parts->size());
  for (const auto& name : *parts) {
    auto fd = root->openFile(name);
    if (!fd) return tl::make_unexpected(fd.error());
    opened.push_back({name, std::move(*fd)});
  }
  if (opened.empty()) return fail(ErrorCode::notFound, "the series has no files", found.file.path);
  addSource(*root, found.file, opened);
  return opened;
}

Result<LayerContent> ArchiveImages::load(const Found& found, const LoadOptions& options, std::stop_token stop) {
  const FileRecord& file = found.file;
  if (file.kind != "image" && file.kind != "surface" && file.kind != "streamlines") {
    return fail(ErrorCode::unsupported, "there is nothing to draw (" + file.kind + "); its content is shown in a panel",
                file.path);
  }
  const auto opened = open(found, stop);
  if (!opened) return tl::make_unexpected(opened.error());
  const std::string series = seriesForReader(file);
  const bool shared = series.find('@') != std::string::npos;  // its files hold further images
  const std::string key = contentKey(*opened) + (shared ? series : std::string());
  const bool alone = options.timePoint && isLargeSeries(file);
  const auto read = [&](const ContentCache::Progress& progress, std::stop_token loadStop) {
    ReadOptions how;
    how.progress = progress;
    how.series = series;
    if (alone) how.timePoint = options.timePoint;
    return pool_.readContent(*opened, file.path, how, std::move(loadStop));
  };
  const auto drawable = [&](Result<std::shared_ptr<const Content>> content) -> Result<LayerContent> {
    if (!content) return tl::make_unexpected(content.error());
    if (!std::holds_alternative<Document>(**content)) return LayerContent(*content);
    return fail(ErrorCode::unsupported, "there is nothing to draw: it holds a " + std::string(kindOf(**content)),
                file.path);
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
Volume ArchiveImages::sameLook(const std::string& key, Volume part) {
  constexpr std::size_t mostKept = 256;
  if (part.isComplete() || !part.info().statistics) return part;
  const std::lock_guard lock(looksMutex_);
  if (looks_.size() >= mostKept) looks_.clear();
  const auto [known, isNew] = looks_.emplace(key, *part.info().statistics);
  return isNew ? std::move(part) : std::move(part).withStatistics(known->second);
}

Result<Content> ArchiveImages::read(const Found& found, std::optional<std::int64_t> page, std::stop_token stop) const {
  const auto files = open(found, stop);
  if (!files) return tl::make_unexpected(files.error());
  ReadOptions options;
  options.timePoint = page;
  return pool_.readContent(*files, found.file.path, options, std::move(stop));
}

Result<Document> ArchiveImages::document(const Found& found, std::int64_t page, std::stop_token stop) const {
  constexpr const char* refusal = "this is no document; its views and its information show it";
  if (found.file.kind == "image") return fail(ErrorCode::unsupported, refusal, found.file.path);
  auto content = read(found, page, std::move(stop));
  if (!content) return tl::make_unexpected(content.error());
  if (auto* document = std::get_if<Document>(&*content)) return std::move(*document);
  return fail(ErrorCode::unsupported, refusal, found.file.path);
}

Result<nlohmann::json> ArchiveImages::info(const Found& found, std::stop_token stop) {
  nlohmann::json out;
  if (found.file.kind == "image") {
    const auto image = load(found, {}, std::move(stop));
    if (!image) return tl::make_unexpected(image.error());
    out = image->volume() ? toJson(image->volume()->info()) : infoOf(*image->shape());
  } else {
    const auto content = read(found, std::nullopt, std::move(stop));
    if (!content) return tl::make_unexpected(content.error());
    out = infoOf(*content);
  }
  out["file"] = found.file.path;
  if (!found.file.series.empty()) out["series"] = found.file.series;
  return out;
}

Result<LayerContent> VisitorImages::load(const Source& source, const LoadOptions& options, std::stop_token stop) {
  const auto visitor = visitor_();
  if (!visitor) return tl::make_unexpected(visitor.error());
  const auto found = images_.find(*visitor, source);
  if (!found) return tl::make_unexpected(found.error());
  auto out = images_.load(*found, options, std::move(stop));
  if (!out) return tl::make_unexpected(ArchiveImages::shownError(*found, out.error()));
  if (!found->project.access.showsIdentity) out->hideTexts();
  return out;
}

}  // namespace nora
