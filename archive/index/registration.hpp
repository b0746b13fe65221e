// What registerFiles does within its transaction.
#pragma once

#include "archive/index/archive.hpp"

#include <span>
#include <string>

namespace nora::archive_sql {

/// By which a file is found in its project: paths are too long for keys. SHA-256 in hex.
[[nodiscard]] std::string hashOfPath(const std::string& path, const std::string& series = {});

/// A new sidecar with what users changed over the old one: keys that they added, changed or took away. JSON objects.
[[nodiscard]] std::string mergedMeta(const std::string& sidecar, const std::string& oldSidecar,
                                     const std::string& oldMeta);

/// The id of a study, or without one of a subject, as people know them; made where it is not there.
[[nodiscard]] Result<std::int64_t> placeNamed(Sql& sql, const ProjectRecord& project, const std::string& subject,
                                              const std::string& study, std::int64_t nowUs, std::int64_t revision);
/// Makes the study of a subject, or without one the subject, that scans find by that name and people know as `name`.
[[nodiscard]] Result<std::int64_t> placeFoundAs(Sql& sql, const ProjectRecord& project, const std::string& subject,
                                                const std::string& study, const std::string& name, std::int64_t nowUs,
                                                std::int64_t revision);

/// Takes over `files`, whose facts were checked, with the subjects and studies that they need. `mayMove`:
/// a file that is new may be one that vanished.
[[nodiscard]] Result<Archive::Registered> takeOver(Sql& sql, const ProjectRecord& project,
                                                   std::span<const FoundFileRecord> files, std::int64_t nowUs,
                                                   std::int64_t revision, bool mayMove = true);

}  // namespace nora::archive_sql
