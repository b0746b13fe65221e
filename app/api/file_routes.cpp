#include "app/api/file_routes.hpp"

#include "app/api/account_routes.hpp"
#include "app/api/downloads.hpp"
#include "app/api/router.hpp"
#include "app/api/search_request.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace nora {
namespace {

constexpr std::size_t mostInZip = 1'000'000;  // rows of a level that are named
constexpr std::size_t zipBody = 16 << 20;
constexpr int rowsOfCsv = 500;
constexpr std::size_t mostColumns = 100;

// ---- bytes of one file

struct ByteRange {
  std::int64_t from = 0, count = 0;
};

/// RFC 9110, 14.1.2: one range; what is none, or several, asks for the whole. An error: none of it is there.
Result<std::optional<ByteRange>> rangeOf(std::string_view header, std::int64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!header.starts_with(unit) || header.find(',') != std::string_view::npos) return std::nullopt;
  header.remove_prefix(unit.size());
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view text) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || text.front() == '-' || error != std::errc{} || at != text.data() + text.size())
      return std::nullopt;
    return value;
  };
  const auto first = number(header.substr(0, dash)), last = number(header.substr(dash + 1));
  const auto nothing = [] { return fail(ErrorCode::invalidInput, "the file is not that long", "range"); };
  if (dash == 0) {
    if (!last) return std::nullopt;
    if (*last == 0 || size == 0) return nothing();
    const auto count = std::min(*last, size);
    return ByteRange{size - count, count};
  }
  const bool isOpenEnd = dash + 1 == header.size();
  if (!first || (!last && !isOpenEnd) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) return nothing();
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return ByteRange{*first, end - *first + 1};
}

HttpResponse bytesAnswer(const HttpRequest& request, LeavingFile file) {
  HttpResponse response;
  response.contentType = "application/octet-stream";
  response.etag = file.etag;
  response.contentSecurityPolicy = "sandbox; default-src 'none'";
  response.headers.emplace_back("content-disposition", asAttachment(file.name.substr(file.name.rfind('/') + 1)));
  if (file.isPackedAnew()) {  // nobody knows yet how long it will be
    response.stream = packedStream(std::move(file.fd), *file.without);
    return response;
  }
  response.headers.emplace_back("accept-ranges", "bytes");
  const auto ifRange = request.header("if-range");
  const bool isWhole = !ifRange.empty() && ifRange != file.etag;
  const auto range = isWhole ? std::nullopt : rangeOf(request.header("range"), file.size);
  const std::string size = std::to_string(file.size);
  if (!range) {
    auto refused = problemWith(range.error(), 416);
    refused.headers.emplace_back("content-range", "bytes */" + size);
    return refused;
  }
  const ByteRange part = range->value_or(ByteRange{0, file.size});
  if (*range) {
    response.status = 206;
    response.headers.emplace_back("content-range", "bytes " + std::to_string(part.from) + "-" +
                                                       std::to_string(part.from + part.count - 1) + "/" + size);
  }
  response.stream = fileStream(std::move(file.fd), part.from, part.count, std::move(file.without));
  return response;
}

HttpResponse zipAnswer(const ApiPlaces& places, const Visit& visit, std::vector<std::int64_t> ids) {
  HttpResponse response;
  response.contentType = "application/zip";
  response.headers.emplace_back("content-disposition", asAttachment("nora.zip"));
  response.stream = zipStream(places, visit.visitor, std::move(ids));
  return response;
}

Result<HttpResponse> contentAnswer(const ApiPlaces& places, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "file");
  if (!id) return tl::make_unexpected(id.error());
  const auto file = places.archive.file(*id);
  if (!file) return tl::make_unexpected(file.error());
  Departure departure(places, visit.visitor);
  const auto project = departure.project(*file);
  if (!project) return tl::make_unexpected(project.error());
  if (file->state == FileState::vanished) return fail(ErrorCode::notFound, "the file is no longer there", "file");
  auto opened = departure.open(*file);
  if (!opened) return tl::make_unexpected(opened.error());
  if (auto noted = noteAction(places, visit, "file.download", file->projectId, "file " + std::to_string(*id),
                              {{"path", file->path}, {"range", std::string(visit.request.header("range"))}});
      !noted)
    return tl::make_unexpected(noted.error());
  if (!file->series.empty()) return zipAnswer(places, visit, {*id});
  return bytesAnswer(visit.request, std::move(opened->front()));
}

// ---- zip

/// The files that lie in items of a level; those of projects that may not be read are as if they were not there.
Result<std::vector<std::int64_t>> filesIn(const ApiPlaces& places, const SearchScope& scope, Level level,
                                          std::span<const std::int64_t> ids) {
  if (level == Level::file) {
    return std::vector<std::int64_t>(ids.begin(), ids.end());
  }
  std::vector<std::int64_t> out;
  for (const std::int64_t id : ids) {
    Selection selection;
    (level == Level::project ? selection.project : level == Level::subject ? selection.subject : selection.study) = id;
    const auto some = places.archive.allIds(Level::file, Query{}, scope, selection);
    if (!some) return tl::make_unexpected(some.error());
    out.insert(out.end(), some->begin(), some->end());
  }
  return out;
}

/// Those that may be read. Errors: forbidden where some may be read but not taken away.
Result<std::vector<std::int64_t>> thatMayLeave(const ApiPlaces& places, const Visit& visit,
                                               std::vector<std::int64_t> ids,
                                               std::map<std::int64_t, std::int64_t>& byProject) {
  const auto projects = places.archive.projectIdsOf(Level::file, ids);
  if (!projects) return tl::make_unexpected(projects.error());
  RowMaker maker(places, visit.visitor);
  std::vector<std::int64_t> out;
  for (const std::int64_t id : ids) {
    const auto at = projects->find(id);
    if (at == projects->end()) continue;
    const auto project = maker.project(at->second);
    if (!project) return tl::make_unexpected(project.error());
    if (*project == nullptr) continue;
    if (auto may = require((*project)->access, Right::download, (*project)->project.name); !may)
      return tl::make_unexpected(may.error());
    ++byProject[at->second];
    out.push_back(id);
  }
  return out;
}

Result<HttpResponse> makeZipAnswer(const ApiPlaces& places, const Visit& visit) {
  JsonBody body(visit.body);
  const auto level = levelFrom(body.text("level"));
  const auto ids = level ? idsOrSearch(places, visit, *level, body, mostInZip) : Result<std::vector<std::int64_t>>();
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  if (!level) return tl::make_unexpected(level.error());
  if (!ids) return tl::make_unexpected(ids.error());
  const auto scope = places.accounts.scope(visit.visitor.caller);
  if (!scope) return tl::make_unexpected(scope.error());
  auto files = filesIn(places, *scope, *level, *ids);
  if (!files) return tl::make_unexpected(files.error());
  std::map<std::int64_t, std::int64_t> byProject;
  auto leaving = thatMayLeave(places, visit, *std::move(files), byProject);
  if (!leaving) return tl::make_unexpected(leaving.error());
  if (leaving->empty()) return fail(ErrorCode::notFound, "there are no files", "ids");
  for (const auto& [project, count] : byProject) {
    if (auto noted =
            noteAction(places, visit, "zip.download", project, std::string(toString(*level)),
                       {{"files", count}, {"q", visit.body.contains("q") ? visit.body.at("q") : nlohmann::json()}});
        !noted)
      return tl::make_unexpected(noted.error());
  }
  return zipAnswer(places, visit, *std::move(leaving));
}

// ---- CSV

/// "meta.age" of a row; lists with ; between their parts.
std::string cellOf(const nlohmann::json& row, const std::string& column) {
  const nlohmann::json* value = &row;
  if (const auto whole = row.find(column); whole != row.end()) {
    value = &*whole;
  } else {
    for (std::size_t at = 0; at <= column.size();) {
      const auto dot = std::min(column.find('.', at), column.size());
      if (!value->is_object()) return "";
      const auto found = value->find(column.substr(at, dot - at));
      if (found == value->end()) return "";
      value = &*found;
      at = dot + 1;
    }
  }
  const auto plain = [](const nlohmann::json& one) {
    if (one.is_string()) return one.get<std::string>();
    return one.is_null() ? std::string() : one.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  if (!value->is_array()) return csvField(plain(*value));
  std::string all;
  for (const auto& one : *value) all += (all.empty() ? "" : ";") + plain(one);
  return csvField(all);
}

std::vector<std::string> columnsFrom(const std::string& text, Level level) {
  std::string wanted = text;
  if (wanted.empty()) {
    wanted = level == Level::file      ? "id,project,subject,study,name,path,kind,format,size,modality,sequence,dims,"
                                         "spacingMm,date,state,tags"
             : level == Level::study   ? "id,project,subject,name,date,tags,counts.files"
             : level == Level::subject ? "id,project,name,tags,counts.studies,counts.files"
                                       : "id,name,title,tags,counts.subjects,counts.studies,counts.files";
  }
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= wanted.size() && out.size() < mostColumns;) {
    const auto comma = std::min(wanted.find(',', at), wanted.size());
    if (comma > at) out.push_back(wanted.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

class CsvStream final : public HttpStream {
 public:
  CsvStream(const ApiPlaces& places, Visitor visitor, SearchRequest search, Level level,
            std::vector<std::string> columns)
      : places_(places),
        visitor_(std::move(visitor)),
        search_(std::move(search)),
        level_(level),
        columns_(std::move(columns)) {
    for (const auto& column : columns_) waiting_ += (waiting_.empty() ? "" : ",") + csvField(column);
    waiting_ += "\r\n";
  }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }
  Result<std::size_t> read(std::span<std::byte> into, std::stop_token stop) override {
    while (sent_ == waiting_.size() && !isEnd_) {
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the client has gone");
      waiting_.clear();
      sent_ = 0;
      if (auto done = page(); !done) return tl::make_unexpected(done.error());
    }
    const std::size_t count = std::min(into.size(), waiting_.size() - sent_);
    std::memcpy(into.data(), waiting_.data() + sent_, count);
    sent_ += count;
    return count;
  }

 private:
  Result<void> page() {
    const auto found =
        places_.archive.findSorted(level_, search_.query, search_.scope, search_.selection, after_, rowsOfCsv);
    if (!found) return tl::make_unexpected(found.error());
    RowMaker maker(places_, visitor_);  // a new one each time: rights may be taken away meanwhile
    const auto rows = maker.rows(level_, found->ids);
    if (!rows) return tl::make_unexpected(rows.error());
    for (const std::int64_t id : found->ids) {
      const auto row = rows->find(id);
      if (row == rows->end()) continue;
      std::string line;
      for (std::size_t i = 0; i < columns_.size(); ++i) line += (i == 0 ? "" : ",") + cellOf(row->second, columns_[i]);
      waiting_ += line + "\r\n";
    }
    after_ = found->next;
    isEnd_ = !found->next;
    return {};
  }

  const ApiPlaces places_;
  const Visitor visitor_;
  const SearchRequest search_;
  const Level level_;
  const std::vector<std::string> columns_;
  std::optional<Archive::SortKey> after_;
  std::string waiting_;
  std::size_t sent_ = 0;
  bool isEnd_ = false;
};

Result<HttpResponse> csvAnswer(const ApiPlaces& places, const Visit& visit, Level level) {
  auto search = searchFrom(places, visit);
  if (!search) return tl::make_unexpected(search.error());
  const auto columns = columnsFrom(queryText(visit.request, "columns"), level);
  // What is wrong with the search is said before the table begins.
  const auto first = places.archive.findSorted(level, search->query, search->scope, search->selection, std::nullopt, 1);
  if (!first) return tl::make_unexpected(first.error());
  const auto project = search->selection.project.value_or(0);
  if (auto noted = noteAction(places, visit, "csv.export", project, std::string(toString(level)),
                              {{"q", queryText(visit.request, "q")}, {"columns", columns}});
      !noted)
    return tl::make_unexpected(noted.error());
  HttpResponse response;
  response.contentType = "text/csv; charset=utf-8";
  response.headers.emplace_back("content-disposition", asAttachment("nora.csv"));
  response.stream = std::make_shared<CsvStream>(places, visit.visitor, *std::move(search), level, columns);
  return response;
}

}  // namespace

std::vector<Route> fileRoutes(const ApiPlaces& places) {
  std::vector<Route> out{
      {"GET", "/api/v1/files/{id}/content", Route::For::everybody,
       [places](const Visit& visit) { return contentAnswer(places, visit); }},
      {"POST",
       "/api/v1/zip",
       Route::For::everybody,
       [places](const Visit& visit) { return makeZipAnswer(places, visit); },
       {},
       zipBody,
       false,
       true},
  };
  for (const auto& [pattern, level] :
       {std::pair{"/api/v1/files.csv", Level::file}, std::pair{"/api/v1/studies.csv", Level::study},
        std::pair{"/api/v1/subjects.csv", Level::subject}, std::pair{"/api/v1/projects.csv", Level::project}}) {
    out.push_back({"GET", pattern, Route::For::everybody,
                   [places, level = level](const Visit& visit) { return csvAnswer(places, visit, level); }});
  }
  return out;
}

}  // namespace nora
