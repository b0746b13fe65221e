#include "archive/files/zip_unpack.hpp"

#include "archive/files/placed_file.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <zip.h>

namespace nora {
namespace {

constexpr std::size_t longestPath = 4096, longestName = 255;
constexpr std::int64_t alwaysFine = 1 << 20;  // bytes that may come out of next to nothing

enum class Name { right, skipped, wrong };

/// Whether a name may be used as a path beneath a folder.
Name judged(std::string_view name) {
  if (name.empty() || name.size() > longestPath || name.find('\\') != std::string_view::npos) return Name::wrong;
  bool isHidden = name.starts_with("__MACOSX/");
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const auto part = name.substr(at, end - at);
    if (part.empty() || part == "." || part == ".." || part.size() > longestName) return Name::wrong;
    isHidden = isHidden || part.front() == '.';
    at = end + 1;
  }
  for (std::size_t i = 0; i < name.size();) {
    const auto size = utf8Length(name, i);
    const auto c = static_cast<unsigned char>(name[i]);
    if (size == 0 || c < 0x20 || c == 0x7F) return Name::wrong;
    i += size;
  }
  return isHidden ? Name::skipped : Name::right;
}

Error damaged(const std::string& name) {
  return {ErrorCode::invalidInput, "the zip is damaged here", name};
}

struct CloseFile {
  void operator()(zip_file_t* file) const { ::zip_fclose(file); }
};

Result<void> writeAll(int fd, std::string_view bytes, const std::string& where) {
  while (!bytes.empty()) {
    const auto put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return tl::make_unexpected(systemError(errno, where));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace

void ZipUnpack::Discard::operator()(zip* archive) const {
  ::zip_discard(archive);
}

Result<ZipUnpack> ZipUnpack::open(UniqueFd file, const UnpackLimits& limits) {
  ZipUnpack out;
  int error = 0;
  out.archive_.reset(::zip_fdopen(file.get(), ZIP_CHECKCONS, &error));
  if (!out.archive_) return fail(ErrorCode::invalidInput, "this is no zip, or it is damaged", "unpack");
  (void)file.release();  // the archive closes it
  const auto count = ::zip_get_num_entries(out.archive_.get(), 0);
  if (count < 0 || static_cast<std::size_t>(count) > limits.files)
    return fail(ErrorCode::limitExceeded, "the zip has more than " + std::to_string(limits.files) + " files", "unpack");
  for (std::int64_t i = 0; i < count; ++i) {
    if (auto right = out.look(static_cast<std::uint64_t>(i), limits); !right) return tl::make_unexpected(right.error());
  }
  std::set<std::string_view> paths;
  for (const Item& item : out.items_) {
    if (!paths.insert(item.path).second) return fail(ErrorCode::invalidInput, "is in the zip twice", item.path);
  }
  return out;
}

Result<void> ZipUnpack::look(std::uint64_t index, const UnpackLimits& limits) {
  zip_stat_t stat;
  ::zip_stat_init(&stat);
  if (::zip_stat_index(archive_.get(), index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0 ||
      (stat.valid & ZIP_STAT_SIZE) == 0 || (stat.valid & ZIP_STAT_COMP_SIZE) == 0)
    return tl::make_unexpected(damaged("file " + std::to_string(index)));
  std::string name = stat.name;
  const auto wrong = [&](ErrorCode code, const char* what) { return fail(code, what, name); };
  const bool isFolder = name.ends_with('/');
  if (isFolder) name.pop_back();
  const Name how = judged(name);
  if (how == Name::wrong) return wrong(ErrorCode::invalidInput, "such a name is not taken from a zip");
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;
  (void)::zip_file_get_external_attributes(archive_.get(), index, 0, &system, &attributes);
  const auto type = system == ZIP_OPSYS_UNIX ? (attributes >> 16) & S_IFMT : 0U;
  if (type != 0 && type != S_IFREG && type != S_IFDIR)
    return wrong(ErrorCode::invalidInput, "links and devices are not taken from a zip");
  if (isFolder || type == S_IFDIR) return {};
  if (how == Name::skipped) {
    skipped_.push_back(name);
    return {};
  }
  if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
    return wrong(ErrorCode::unsupported, "is encrypted");
  const auto size = static_cast<std::int64_t>(std::min<std::uint64_t>(stat.size, INT64_MAX / 4));
  const auto packed = static_cast<std::int64_t>(std::min<std::uint64_t>(stat.comp_size, INT64_MAX / 4));
  if (size > alwaysFine && size / limits.timesSmaller > packed)
    return wrong(ErrorCode::limitExceeded, "would become so much larger that this cannot be meant");
  if (size > limits.bytes - bytes_)
    return wrong(ErrorCode::limitExceeded, "there is no room for all that the zip holds");
  bytes_ += size;
  items_.push_back({index, name, size});
  return {};
}

Result<UniqueFd> ZipUnpack::extract(const Item& item, const std::string& folder, std::stop_token stop) const {
  UniqueFd out(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!out) return tl::make_unexpected(systemError(errno, folder));
  const std::unique_ptr<zip_file_t, CloseFile> file(::zip_fopen_index(archive_.get(), item.index, 0));
  if (!file) return tl::make_unexpected(damaged(item.path));
  std::string buffer(std::size_t{1} << 18, '\0');
  for (std::int64_t at = 0;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped", item.path);
    const auto got = ::zip_fread(file.get(), buffer.data(), buffer.size());
    if (got < 0) return tl::make_unexpected(damaged(item.path));
    at += got;
    if (at > item.size || (got == 0 && at != item.size)) return tl::make_unexpected(damaged(item.path));
    if (got == 0) return out;
    if (auto put = writeAll(out.get(), {buffer.data(), static_cast<std::size_t>(got)}, item.path); !put)
      return tl::make_unexpected(put.error());
  }
}

}  // namespace nora
