// Images of the served folder for sessions: catalogue entry -> opened files -> reader process -> shared volume.
#pragma once

#include "archive/files/served_root.hpp"
#include "archive/index/catalogue.hpp"
#include "image/content_cache.hpp"
#include "image/io/reader_pool.hpp"
#include "streaming/session.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace nora {

class ServedImages final : public ImageSource {
 public:
  ServedImages(const ServedRoot& root, ReaderPool& pool, Catalogue& catalogue, ContentCache& cache);

  [[nodiscard]] Result<Source> resolve(const std::string& entryId) override;
  [[nodiscard]] Result<LayerContent> load(const Source& source, const LoadOptions& options,
                                          std::stop_token stop) override;
  void onShortage(std::function<void()> release) override { cache_.onShortage(std::move(release)); }

  /// Opens all files that make up the source: those of a series, or a file and what belongs to it.
  [[nodiscard]] Result<std::vector<OpenedFile>> open(const Source& source, std::stop_token stop) const;

 private:
  [[nodiscard]] Result<std::vector<OpenedFile>> openSeries(const Source& source) const;
  void addSource(const Entry& entry, std::vector<OpenedFile>& opened) const;
  /// Where the file, or the common folder, of a source lies in the served folder.
  [[nodiscard]] std::string filePath(const Source& source) const;
  [[nodiscard]] bool isLargeSeries(const Source& source) const;
  [[nodiscard]] Volume sameLook(const std::string& key, Volume part);

  const ServedRoot& root_;
  ReaderPool& pool_;
  Catalogue& catalogue_;
  ContentCache& cache_;
  std::mutex looksMutex_;
  std::map<std::string, VoxelStatistics> looks_;  // by content key
};

}  // namespace nora
