#include "tests/app/api_world.hpp"

#include "archive/access/secret.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace nora::test {
namespace {

constexpr std::int64_t year2100Us = 4'102'444'800'000'000;

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

FoundFileRecord found(const std::string& root, const std::string& path, const std::string& kind,
                      const std::string& format) {
  FoundFileRecord out;
  out.facts.path = path;
  out.facts.kind = kind;
  out.facts.format = format;
  struct stat status {};
  ::stat((root + "/" + path).c_str(), &status);
  out.facts.size = status.st_size;
  out.facts.mtimeUs = 1'700'000'000'000'000;
  out.facts.dims = {4, 4, 4, 1};
  out.facts.spacingMm = {1, 1, 1};
  out.facts.modality = "MR";
  out.facts.sequence = "Mustermann T1";
  out.facts.sidecar = R"({"PatientName": "Mustermann^Max", "EchoTime": 0.03, "TaskName": "rest of sub-Mustermann"})";
  out.subject = "sub-Mustermann";
  out.study = "ses-Mustermann-1";
  return out;
}

/// A NIfTI-1 file of that many bytes, with a name in its description and an x for each voxel.
std::string niftiOf(std::size_t bytes) {
  constexpr std::size_t header = 352;
  std::string out(bytes, 'x');
  std::fill_n(out.begin(), header, '\0');
  const auto put = [&](std::size_t at, auto number) { std::memcpy(out.data() + at, &number, sizeof number); };
  const auto rows = static_cast<std::int16_t>((bytes - header) / 1000);
  put(0, std::int32_t{348});
  for (std::size_t i = 0; i < 3; ++i) put(40 + 2 * i, std::array<std::int16_t, 3>{2, 1000, rows}.at(i));
  put(72, std::int16_t{8});
  put(108, static_cast<float>(header));
  out.replace(148, 10, "Mustermann");
  out.replace(344, 4, std::string("n+1\0", 4));
  return out;
}

ApiAnswer answerOf(const HttpResponse& response) {
  ApiAnswer out{response.status, response.body, response.etag, {}, false};
  for (const auto& [name, value] : response.headers) out.headers[name] = value;
  std::vector<std::byte> buffer(7777);
  while (response.stream) {
    const auto count = response.stream->read(buffer, {});
    out.isBroken = !count;
    if (!count || *count == 0) break;
    out.body.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  return out;
}

}  // namespace

void ApiWorld::SetUp() {
  auto opened = openIndex((index_ / "index.sqlite").string());
  ASSERT_TRUE(opened) << describe(opened.error());
  index = std::move(*opened);
  uploads = std::make_unique<UploadStore>(index->archive);
  open = makeProject("open", openFolder_, false);
  hidden = makeProject("hidden", hiddenFolder_, true);
  gate_ = std::make_unique<Gate>(index->places(), Gate::Options{});
  handler_ = makeRouter(routes(), *gate_);
}

void ApiWorld::restart() {
  handler_ = {};
  uploads = std::make_unique<UploadStore>(index->archive);
  handler_ = makeRouter(routes(), *gate_);
}

std::vector<Route> ApiWorld::routes() {
  auto out = archiveRoutes(index->places());
  for (auto& route : fileRoutes(index->places())) out.push_back(std::move(route));
  for (auto& route : savedRoutes(index->places())) out.push_back(std::move(route));
  for (auto& route : uploadRoutes(index->places(), *uploads, [this](std::int64_t id) { changed.push_back(id); }))
    out.push_back(std::move(route));
  return out;
}

ProjectRecord ApiWorld::makeProject(const std::string& name, const TemporaryFolder& folder, bool hides) {
  ProjectRecord wanted;
  wanted.name = name;
  wanted.root = (folder / "").string();
  wanted.root.pop_back();
  wanted.hideIdentity = hides;
  auto project = index->archive.addProject(wanted);
  EXPECT_TRUE(project) << describe(project.error());
  const std::string base = "sub-Mustermann/ses-Mustermann-1/";
  write(folder / (base + "sub-Mustermann_T1w.nii"), hides ? niftiOf(300'003) : std::string(300'000, 'x') + "end");
  write(folder / (base + "named.nii"), "from MUSTERMANN, Max" + std::string(1000, 'y'));
  write(folder / (base + "notes.txt"), "Mustermann was here");
  const std::vector<FoundFileRecord> files{found(wanted.root, base + "sub-Mustermann_T1w.nii", "image", "NIfTI-1"),
                                           found(wanted.root, base + "named.nii", "image", "NIfTI-1"),
                                           found(wanted.root, base + "notes.txt", "document", "text")};
  const auto done = index->archive.registerFiles(project->id, files);
  EXPECT_TRUE(done) << describe(done.error());
  return *project;
}

void ApiWorld::addPerson(const std::string& name, Rights rights, bool administrator) {
  UserRecord user;
  user.name = name;
  user.administrator = administrator;
  const auto made = index->accounts.addUser(user);
  ASSERT_TRUE(made) << describe(made.error());
  for (const std::int64_t project : {open.id, hidden.id}) {
    if (rights.empty()) continue;
    const auto set = index->accounts.setGrant(project, {made->id, std::nullopt, rights});
    ASSERT_TRUE(set) << describe(set.error());
  }
  const auto secret = newSecret("nora_token_");
  TokenRecord token;
  token.userId = made->id;
  token.name = "test";
  token.secretHash = secret.hash;
  token.rights = Rights::all();
  token.expiresUs = year2100Us;
  const auto added = index->accounts.addToken(token);
  ASSERT_TRUE(added) << describe(added.error());
  tokens_[name] = secret.text;
}

HttpRequest ApiWorld::request(const std::string& who, const std::string& method, const std::string& pathAndQuery,
                              std::map<std::string, std::string> headers) {
  HttpRequest out;
  out.method = method;
  out.path = pathAndQuery.substr(0, pathAndQuery.find('?'));
  out.headers = std::move(headers);
  out.client = "192.0.2.1";
  if (!who.empty()) out.headers["authorization"] = "Bearer " + tokens_.at(who);
  for (std::size_t at = pathAndQuery.find('?'); at != std::string::npos;) {
    const auto end = pathAndQuery.find('&', at + 1);
    const auto one = pathAndQuery.substr(at + 1, end == std::string::npos ? end : end - at - 1);
    out.query[one.substr(0, one.find('='))] = one.substr(one.find('=') + 1);
    at = end;
  }
  return out;
}

ApiAnswer ApiWorld::ask(const std::string& who, const std::string& method, const std::string& pathAndQuery,
                        const nlohmann::json& body, std::map<std::string, std::string> headers) {
  const auto answer = handler_(request(who, method, pathAndQuery, std::move(headers)));
  if (const auto* response = std::get_if<HttpResponse>(&answer)) return answerOf(*response);
  if (const auto* work = std::get_if<HttpWork>(&answer)) return answerOf((*work)({}));
  if (const auto* waiting = std::get_if<HttpWaitingWork>(&answer)) return answerOf(waiting->work({}));
  if (const auto* taken = std::get_if<HttpBody>(&answer))
    return answerOf(taken->then(body.is_null() ? std::string() : body.dump(), {}));
  return {};
}

ApiAnswer ApiWorld::send(const std::string& who, const std::string& method, const std::string& path,
                         const std::string& bytes, std::map<std::string, std::string> headers) {
  const auto answer = handler_(request(who, method, path, std::move(headers)));
  if (const auto* response = std::get_if<HttpResponse>(&answer)) return answerOf(*response);
  if (const auto* taken = std::get_if<HttpBody>(&answer)) return answerOf(taken->then(bytes, {}));
  const auto* upload = std::get_if<HttpUpload>(&answer);
  if (upload == nullptr) return {};
  auto sink = upload->open({});
  if (!sink) return answerOf(sink.error());
  constexpr std::size_t atOnce = 1000;
  for (std::size_t at = 0; at < bytes.size(); at += atOnce) {
    const auto piece = std::as_bytes(std::span(bytes)).subspan(at, std::min(atOnce, bytes.size() - at));
    if (auto written = (*sink)->write(piece); !written) return answerOf(problem(written.error()));
  }
  return answerOf((*sink)->finish({}));
}

std::int64_t ApiWorld::fileId(std::int64_t projectId, const std::string& path) {
  const auto file = index->archive.file(projectId, path);
  EXPECT_TRUE(file) << path;
  return file ? file->id : 0;
}

}  // namespace nora::test
