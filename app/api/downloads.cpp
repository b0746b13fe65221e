#include "app/api/downloads.hpp"

#include "app/zip_stream.hpp"
#include "archive/files/packed_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include <sys/stat.h>

namespace nora {
namespace {

constexpr std::size_t readAtOnce = 256 << 10;
constexpr std::string_view gzipMagic = "\x1F\x8B";
constexpr std::size_t rowsAtOnce = 200;

std::string lowered(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// Formats whose texts can be left out. Others stay here: headers and histories tell names.
bool isPlainData(const FileRecord& file) {
  return file.series.empty() && file.kind == "image" && lowered(file.format).starts_with("nifti");
}

class ZipBody final : public HttpStream {
 public:
  ZipBody(const ApiPlaces& places, Visitor visitor, std::vector<std::int64_t> ids)
      : departure_(places, std::move(visitor)), ids_(std::move(ids)) {}

  std::optional<std::uint64_t> size() const override { return std::nullopt; }
  Result<std::size_t> read(std::span<std::byte> into, std::stop_token stop) override {
    while (sent_ == waiting_.size() && !isEnd_) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the client has gone");
      waiting_.clear();
      sent_ = 0;
      if (auto done = step(stop); !done) return tl::make_unexpected(done.error());
    }
    const std::size_t count = std::min(into.size(), waiting_.size() - sent_);
    std::memcpy(into.data(), waiting_.data() + sent_, count);
    sent_ += count;
    return count;
  }

 private:
  Result<void> step(const std::stop_token& stop) {
    if (isOpen_) return copy(stop);
    if (!files_.empty()) {
      const LeavingFile& file = files_.back();
      if (!names_.insert(std::hash<std::string>{}(file.name)).second) {  // two series of the same file
        files_.pop_back();
        return {};
      }
      isOpen_ = true;
      return begin(files_.back());
    }
    if (row_ < rows_.size()) return openRow();
    if (next_ < ids_.size()) return moreRows();
    return finish();
  }

  Result<void> begin(LeavingFile& file) {
    body_ = file.isPackedAnew() ? packedStream(std::move(file.fd), *file.without)
                                : fileStream(std::move(file.fd), 0, file.size, std::move(file.without));
    return zip_.begin(file.name, file.modifiedUs);
  }

  Result<void> copy(std::stop_token stop) {
    const auto count = body_->read(buffer_, std::move(stop));
    if (!count) return tl::make_unexpected(count.error());
    if (*count > 0) return zip_.add({reinterpret_cast<const char*>(buffer_.data()), *count});
    files_.pop_back();
    isOpen_ = false;
    return zip_.end();
  }

  Result<void> openRow() {
    const FileRecord& row = rows_[row_++];
    if (row.state == FileState::vanished) {
      leaveOut(row, "it is no longer there");
      return {};
    }
    auto opened = departure_.open(row);
    if (!opened) {
      // Paths of the error are those of the server: only its sentence is told.
      leaveOut(row, opened.error().code == ErrorCode::forbidden ? "names are hidden from you, and it may tell them"
                                                                : "it cannot be read");
      return {};
    }
    files_ = *std::move(opened);
    std::reverse(files_.begin(), files_.end());
    return {};
  }

  Result<void> moreRows() {
    const auto some = std::span(ids_).subspan(next_, std::min(rowsAtOnce, ids_.size() - next_));
    next_ += some.size();
    auto rows = departure_.places().archive.files(some);
    if (!rows) return tl::make_unexpected(rows.error());
    rows_ = *std::move(rows);
    row_ = 0;
    return {};
  }

  void leaveOut(const FileRecord& row, const std::string& why) {
    leftOut_ += "file " + std::to_string(row.id) + ": " + why + "\n";
  }

  Result<void> finish() {
    isEnd_ = true;
    if (!leftOut_.empty()) {
      if (auto begun = zip_.begin("not-included.txt", 0); !begun) return begun;
      if (auto added = zip_.add(leftOut_); !added) return added;
      if (auto ended = zip_.end(); !ended) return ended;
    }
    return zip_.finish();
  }

  Departure departure_;
  const std::vector<std::int64_t> ids_;
  std::size_t next_ = 0;
  std::vector<FileRecord> rows_;
  std::size_t row_ = 0;
  std::vector<LeavingFile> files_;    // of the row, the next one last
  bool isOpen_ = false;               // files_.back() has been begun
  std::shared_ptr<HttpStream> body_;  // of it
  std::vector<std::byte> buffer_ = std::vector<std::byte>(readAtOnce);
  ZipStream zip_{[this](std::string_view bytes) -> Result<void> {
    waiting_ += bytes;
    return {};
  }};
  std::unordered_set<std::size_t> names_;
  std::string waiting_, leftOut_;
  std::size_t sent_ = 0;
  bool isEnd_ = false;
};

}  // namespace

Result<OpenProject> Departure::project(const FileRecord& file) {
  auto known = projects_.find(file.projectId);
  if (known == projects_.end()) {
    auto open = openProject(places_, visitor_, file.projectId);
    if (!open) return fail(ErrorCode::notFound, "there is no such file", "file");
    known = projects_.emplace(file.projectId, *std::move(open)).first;
  }
  if (auto may = require(known->second.access, Right::download, known->second.project.name); !may)
    return tl::make_unexpected(may.error());
  return known->second;
}

Result<const ServedRoot*> Departure::root(const ProjectRecord& project) {
  auto known = roots_.find(project.id);
  if (known == roots_.end()) {
    auto opened = ServedRoot::open(project.root);
    if (!opened) return tl::make_unexpected(opened.error());
    known = roots_.emplace(project.id, *std::move(opened)).first;
  }
  return &known->second;
}

Result<LeavingFile> Departure::openOne(const OpenProject& project, const std::string& path, const std::string& name) {
  const auto from = root(project.project);
  if (!from) return tl::make_unexpected(from.error());
  auto fd = (*from)->openFile(path);
  if (!fd) return tl::make_unexpected(fd.error());
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) return fail(ErrorCode::internal, std::strerror(errno), path);
  std::string etag = "\"" + std::to_string(status.st_ino) + "-" + std::to_string(status.st_size) + "-" +
                     std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
  LeavingFile out{std::move(*fd),
                  name,
                  status.st_size,
                  std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000,
                  {},
                  {},
                  false};
  if (!project.access.showsIdentity) {
    out.isPacked = fileHead(out.fd.get()).starts_with(gzipMagic);
    auto texts = NiftiTexts::in(out.isPacked ? unpackedHead(out.fd.get()) : fileHead(out.fd.get()));
    if (!texts) return tl::make_unexpected(texts.error());
    out.without = *std::move(texts);
    etag += "-without-texts";
  }
  out.etag = etag + "\"";
  return out;
}

Result<std::vector<LeavingFile>> Departure::open(const FileRecord& file) {
  const auto project = this->project(file);
  if (!project) return tl::make_unexpected(project.error());
  const bool shows = project->access.showsIdentity;
  if (!shows && !isPlainData(file)) {
    return fail(ErrorCode::forbidden,
                "files of this kind may tell whose they are, and names are hidden from you in this project", "file");
  }
  const auto paths = file.series.empty() ? std::vector<std::string>{file.path} : places_.archive.partsOf(file);
  if (!paths) return tl::make_unexpected(paths.error());
  std::vector<LeavingFile> out;
  for (const std::string& path : *paths) {
    std::string name = project->project.name + "/" + path;
    if (!shows) {
      RowMaker maker(places_, visitor_);
      const auto row = maker.row(Level::file, file.id);
      if (!row) return tl::make_unexpected(row.error());
      const auto subject = row->value("subject", "");
      name = project->project.name + "/" + (subject.empty() ? "" : subject + "/") + std::to_string(file.id) + "-" +
             row->value("name", "file");
    }
    auto one = openOne(*project, path, name);
    if (!one) return tl::make_unexpected(one.error());
    out.push_back(*std::move(one));
  }
  if (out.empty()) return fail(ErrorCode::notFound, "the series has no files", "file");
  return out;
}

std::shared_ptr<HttpStream> zipStream(const ApiPlaces& places, Visitor visitor, std::vector<std::int64_t> fileIds) {
  return std::make_shared<ZipBody>(places, std::move(visitor), std::move(fileIds));
}

std::string asAttachment(const std::string& name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out = "attachment; filename*=UTF-8''";
  for (const char c : name) {
    const bool isPlain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
    const auto byte = static_cast<unsigned char>(c);
    if (isPlain)
      out += c;
    else
      out += std::string("%") + digits[byte >> 4] + digits[byte & 0xF];
  }
  return out;
}

}  // namespace nora
