// Files of the index for those who may see them: row -> opened files -> reader process -> shared volume.
#pragma once

#include "app/api/route.hpp"
#include "archive/files/served_root.hpp"
#include "image/content.hpp"
#include "image/content_cache.hpp"
#include "image/io/reader_pool.hpp"
#include "streaming/session.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace nora {

/// How scenes and pages name a file: "PROJECT/PATH" and the series; where names may not be seen "[ID] NAME".
[[nodiscard]] Source sourceOf(const FileRecord& file, const ProjectRecord& project);
[[nodiscard]] Source hiddenSourceOf(const FileRecord& file, const std::string& shownName);
/// The id in "[ID] NAME"; 0: it is none.
[[nodiscard]] std::int64_t hiddenSourceId(const std::string& path);

/// Thread: any; blocks on the index, the disk and the reader pool.
class ArchiveImages {
 public:
  ArchiveImages(const ApiPlaces& places, ReaderPool& pool, ContentCache& cache)
      : places_(places), pool_(pool), cache_(cache) {}

  /// A file that somebody may look at.
  struct Found {
    FileRecord file;
    OpenProject project;
  };
  /// Errors: notFound, also where it may not be seen; the reason of files that cannot be read.
  [[nodiscard]] Result<Found> find(const Visitor& visitor, const Source& source) const;
  [[nodiscard]] Result<Found> find(const Visitor& visitor, std::int64_t fileId) const;

  /// An error of what is done with a file, without what may tell names that are hidden.
  [[nodiscard]] static Error shownError(const Found& found, const Error& error);

  /// All files that make it up: those of a series, or a file and what belongs to it.
  [[nodiscard]] Result<std::vector<OpenedFile>> open(const Found& found, std::stop_token stop) const;
  [[nodiscard]] Result<LayerContent> load(const Found& found, const LoadOptions& options, std::stop_token stop);
  /// `page` counts from 0. Errors: unsupported (it is an image, a surface, ...).
  [[nodiscard]] Result<Document> document(const Found& found, std::int64_t page, std::stop_token stop) const;
  /// The object that `nora info --json` prints. An image is loaded into the cache.
  [[nodiscard]] Result<nlohmann::json> info(const Found& found, std::stop_token stop);

 private:
  [[nodiscard]] Result<Found> checked(const Visitor& visitor, const Result<FileRecord>& file) const;
  void addSource(const ServedRoot& root, const FileRecord& file, std::vector<OpenedFile>& opened) const;
  [[nodiscard]] Result<Content> read(const Found& found, std::optional<std::int64_t> page, std::stop_token stop) const;
  [[nodiscard]] Volume sameLook(const std::string& key, Volume part);

  const ApiPlaces places_;
  ReaderPool& pool_;
  ContentCache& cache_;
  std::mutex looksMutex_;
  std::map<std::string, VoxelStatistics> looks_;  // by content key
};

/// What one visitor's stream may load. Errors do not tell names that the visitor may not see.
class VisitorImages final : public ImageSource {
 public:
  /// `visitor`: as they are known now; called by any thread.
  VisitorImages(ArchiveImages& images, std::function<Result<Visitor>()> visitor)
      : images_(images), visitor_(std::move(visitor)) {}
  [[nodiscard]] Result<LayerContent> load(const Source& source, const LoadOptions& options,
                                          std::stop_token stop) override;

 private:
  ArchiveImages& images_;
  const std::function<Result<Visitor>()> visitor_;
};

}  // namespace nora
