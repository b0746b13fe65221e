// What an entry of the list of files holds, for HTTP: documents, and what `nora info` says of any kind.
#pragma once

#include "app/served_images.hpp"
#include "image/content.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace nora {

/// Thread: any; blocks on the reader pool.
class EntryContent {
 public:
  EntryContent(ServedImages& images, ReaderPool& pool, const Catalogue& catalogue)
      : images_(images), pool_(pool), catalogue_(catalogue) {}

  /// The document of an entry; `page` counts from 0. Errors: notFound; unsupported (it is an image, a surface, ...);
  /// as the reader.
  [[nodiscard]] Result<Document> document(const std::string& id, std::int64_t page, std::stop_token stop) const;

  /// The object that `nora info --json` prints for the entry; "file" is its path. An image is loaded into the cache.
  [[nodiscard]] Result<nlohmann::json> info(const std::string& id, std::stop_token stop) const;

 private:
  [[nodiscard]] Result<Entry> find(const std::string& id) const;
  [[nodiscard]] Result<Content> read(const Entry& entry, std::optional<std::int64_t> page, std::stop_token stop) const;

  ServedImages& images_;
  ReaderPool& pool_;
  const Catalogue& catalogue_;
};

}  // namespace nora
