#include "app/upload_store.hpp"

#include "archive/access/digest.hpp"
#include "archive/access/secret.hpp"
#include "archive/files/placed_file.hpp"
#include "archive/files/zip_unpack.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <nlohmann/json.hpp>

namespace nora {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t spare = 64 << 20;  // bytes that stay free for the index and others
constexpr auto forgottenAfter = std::chrono::hours(24 * 7);
constexpr std::size_t deepest = 32;

std::string folderOf(const ProjectRecord& project) {
  return project.root + "/.nora-uploads";
}
std::string partOf(const ProjectRecord& project, std::int64_t id) {
  return folderOf(project) + "/" + std::to_string(id) + ".part";
}
std::string noteOf(const ProjectRecord& project, std::int64_t id) {
  return folderOf(project) + "/" + std::to_string(id) + ".json";
}

Result<void> checkPath(const std::string& path) {
  std::size_t parts = 0;
  for (std::size_t at = 0; at <= path.size(); ++parts) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (auto right = checkItemName(path.substr(at, end - at), "path"); !right) return right;
    at = end + 1;
  }
  if (parts > deepest) return fail(ErrorCode::invalidInput, "a path has at most 32 parts", "path");
  return {};
}

std::int64_t freeBytes(const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize) - spare;
}

std::string readText(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string out(16384, '\0');
  const auto got = fd ? ::pread(fd.get(), out.data(), out.size(), 0) : -1;
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

void clearForgotten(const std::string& folder) {
  std::error_code failed;
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().extension() != ".part") continue;
    const auto time = entry.last_write_time(failed);
    if (failed || now - time < forgottenAfter) continue;
    fs::remove(entry.path(), failed);
    fs::remove(fs::path(entry.path()).replace_extension(".json"), failed);
  }
}

/// The file of an upload for one who writes or finishes it; nobody else has it meanwhile.
Result<UniqueFd> lockedPart(const ProjectRecord& project, std::int64_t id) {
  UniqueFd fd(::open(partOf(project, id).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return tl::make_unexpected(systemError(errno, "upload"));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::unavailable, "somebody is writing this upload: try again", "upload");
  return fd;
}

Result<std::string> sumOf(int fd, std::stop_token stop) {
  Sha256 sum;
  std::string buffer(std::size_t{1} << 20, '\0');
  for (std::int64_t at = 0;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped; the upload is kept", "upload");
    const auto got = ::pread(fd, buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::make_unexpected(systemError(errno, "upload"));
    if (got == 0) return sum.finish();
    sum.add({buffer.data(), static_cast<std::size_t>(got)});
    at += got;
  }
}

/// What a zip holds, as files of the project. Those that were placed are taken away again where one fails.
Result<UploadStore::Placed> placeAll(UniqueFd part, const ProjectRecord& project, const std::string& path,
                                     std::stop_token stop) {
  UnpackLimits limits;
  limits.bytes = freeBytes(project.root) / 2;  // each is unpacked, then copied to its place
  const auto zip = ZipUnpack::open(std::move(part), limits);
  if (!zip) return tl::make_unexpected(zip.error());
  const auto slash = path.rfind('/');
  const std::string above = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  UploadStore::Placed out{{}, zip->skipped()};
  const auto place = [&](const ZipUnpack::Item& item) -> Result<void> {
    const std::string target = above + item.path;
    if (auto right = checkPath(target); !right) return fail(right.error().code, right.error().what, item.path);
    const auto file = zip->extract(item, folderOf(project), stop);
    if (!file) return tl::make_unexpected(file.error());
    const auto placed = placeFile(file->get(), project.root, target, stop);
    if (!placed) return tl::make_unexpected(placed.error());
    if (*placed == nora::Placed::stored) out.paths.push_back(target);
    return {};
  };
  for (const auto& item : zip->items()) {
    const auto done = place(item);
    if (done) continue;
    for (const auto& stored : out.paths) ::unlink((project.root + "/" + stored).c_str());
    return tl::make_unexpected(done.error());
  }
  return out;
}

}  // namespace

Result<void> UploadWriter::write(std::span<const std::byte> bytes) {
  if (static_cast<std::int64_t>(bytes.size()) > upload_.size - upload_.offset)
    return fail(ErrorCode::invalidInput, "these are more bytes than were announced", "size");
  while (!bytes.empty()) {
    const auto put = ::pwrite(part_.get(), bytes.data(), bytes.size(), upload_.offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return tl::make_unexpected(systemError(errno, "upload"));
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    upload_.offset += put;
  }
  return {};
}

Result<std::int64_t> UploadWriter::flush() {
  if (auto kept = synchronise(part_.get(), "upload"); !kept) return tl::make_unexpected(kept.error());
  return upload_.offset;
}

Result<Upload> UploadStore::begin(const ProjectRecord& project, const Upload& wanted) {
  if (project.inPlace) {
    return fail(ErrorCode::forbidden,
                "the folder of this project is its users', nora adds nothing to it: copy the file there", project.name);
  }
  if (auto right = checkPath(wanted.path); !right) return tl::make_unexpected(right.error());
  if (wanted.size < 1) return fail(ErrorCode::invalidInput, "a file has one byte or more", "size");
  const bool isSum =
      wanted.sha256.size() == 64 && wanted.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!wanted.sha256.empty() && !isSum)
    return fail(ErrorCode::invalidInput, "64 hex digits in lower case are expected", "sha256");
  const std::string folder = folderOf(project);
  if (auto made = makeFolders(folder); !made) return tl::make_unexpected(made.error());
  clearForgotten(folder);
  if (freeBytes(folder) < wanted.size)
    return fail(ErrorCode::limitExceeded, "there is no room for it on the disk of the project", "size");
  Upload out = wanted;
  const std::string random = randomBytes(7);
  for (const char c : random) out.id = (out.id << 7) | (static_cast<unsigned char>(c) & 0x7F);  // below 2^53
  const UniqueFd part(::open(partOf(project, out.id).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!part) return tl::make_unexpected(systemError(errno, "upload"));
  const nlohmann::json note{{"user", out.userId}, {"path", out.path}, {"size", out.size}, {"sha256", out.sha256}};
  if (auto kept = replaceFile(noteOf(project, out.id), note.dump()); !kept) return tl::make_unexpected(kept.error());
  return out;
}

Result<UploadStore::Found> UploadStore::look(std::int64_t id) {
  const auto projects = archive_.projects();
  if (!projects) return tl::make_unexpected(projects.error());
  for (const ProjectRecord& project : *projects) {
    struct stat status {};
    if (project.inPlace || ::stat(partOf(project, id).c_str(), &status) != 0) continue;
    const auto note = nlohmann::json::parse(readText(noteOf(project, id)), nullptr, false);
    if (!note.is_object()) continue;
    return Found{project, Upload{id, project.id, note.value("user", std::int64_t{0}), note.value("path", ""),
                                 note.value("sha256", ""), note.value("size", std::int64_t{0}), status.st_size}};
  }
  return fail(ErrorCode::notFound, "there is no such upload", "upload");
}

Result<Upload> UploadStore::find(std::int64_t id) {
  const auto found = look(id);
  if (!found) return tl::make_unexpected(found.error());
  return found->upload;
}

Result<UploadWriter> UploadStore::open(std::int64_t id, std::int64_t offset) {
  const auto found = look(id);
  if (!found) return tl::make_unexpected(found.error());
  auto part = lockedPart(found->project, id);
  if (!part) return tl::make_unexpected(part.error());
  Upload upload = found->upload;
  struct stat status {};
  if (::fstat(part->get(), &status) != 0) return tl::make_unexpected(systemError(errno, "upload"));
  upload.offset = status.st_size;
  if (upload.offset != offset)
    return fail(ErrorCode::invalidInput, "the upload is at " + std::to_string(upload.offset) + ": go on from there",
                "upload-offset");
  return UploadWriter(*std::move(part), upload);
}

Result<UploadStore::Placed> UploadStore::finish(std::int64_t id, bool unpack, std::stop_token stop) {
  const auto found = look(id);
  if (!found) return tl::make_unexpected(found.error());
  auto part = lockedPart(found->project, id);
  if (!part) return tl::make_unexpected(part.error());
  const Upload& upload = found->upload;
  struct stat status {};
  if (::fstat(part->get(), &status) != 0 || status.st_size != upload.size) {
    return fail(ErrorCode::invalidInput,
                std::to_string(status.st_size) + " of " + std::to_string(upload.size) + " bytes have come", "upload");
  }
  if (!upload.sha256.empty()) {
    const auto sum = sumOf(part->get(), stop);
    if (!sum) return tl::make_unexpected(sum.error());
    if (*sum != upload.sha256)
      return fail(ErrorCode::invalidInput, "what has come has another sum: it was damaged on the way", "sha256");
  }
  Placed out;
  if (unpack) {
    const UniqueFd held(::dup(part->get()));  // and its lock, until all is done
    auto placed = placeAll(*std::move(part), found->project, upload.path, stop);
    if (!placed) return placed;
    out = *std::move(placed);
  } else {
    const auto placed = placeFile(part->get(), found->project.root, upload.path, stop);
    if (!placed) return tl::make_unexpected(placed.error());
    if (*placed == nora::Placed::stored) out.paths.push_back(upload.path);
  }
  if (auto removed = remove(id); !removed) return tl::make_unexpected(removed.error());
  return out;
}

Result<void> UploadStore::remove(std::int64_t id) {
  const auto found = look(id);
  if (!found) return tl::make_unexpected(found.error());
  std::error_code failed;
  fs::remove(partOf(found->project, id), failed);
  fs::remove(noteOf(found->project, id), failed);
  return {};
}

}  // namespace nora
