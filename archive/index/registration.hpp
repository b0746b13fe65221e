// What registerFiles does within its transaction.
#pragma once

#include "archive/index/archive.hpp"

#include <span>
#include <string>

namespace nora::archive_sql {

/// By which a file is found in its project: paths are too long for keys. SHA-256 in hex.
[[nodiscard]] std::string hashOfPath(const std::string& path);

/// Takes over `files`, whose facts were checked, with the subjects and studies that they need.
[[nodiscard]] Result<Archive::Registered> takeOver(Sql& sql, const ProjectRecord& project,
                                                   std::span<const FoundFileRecord> files, std::int64_t nowUs,
                                                   std::int64_t revision);

}  // namespace nora::archive_sql
