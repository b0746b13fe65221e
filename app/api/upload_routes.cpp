#include "app/api/upload_routes.hpp"

#include "app/api/account_routes.hpp"
#include "app/api/json_body.hpp"

#include <charconv>

namespace nora {
namespace {

constexpr std::size_t smallBody = 16 << 10;

nlohmann::json toJson(const Upload& upload) {
  return {{"id", upload.id},
          {"projectId", upload.projectId},
          {"path", upload.path},
          {"size", upload.size},
          {"offset", upload.offset}};
}

/// Names of subjects stand in paths: who may not see them cannot add to them either.
Result<void> mayAdd(const OpenProject& open) {
  if (auto may = require(open.access, Right::edit, open.project.name); !may) return may;
  if (open.access.showsIdentity) return {};
  return fail(ErrorCode::forbidden, "names are hidden from you in this project, so that you cannot add files",
              open.project.name);
}

/// An upload of the visitor's own. Errors: notFound of those of others.
Result<Upload> ownUpload(const ApiPlaces& places, UploadStore& store, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "upload");
  if (!id) return tl::make_unexpected(id.error());
  auto upload = store.find(*id);
  if (!upload) return upload;
  const auto open = openProject(places, visit.visitor, upload->projectId);
  if (!open || upload->userId != visit.visitor.caller.userId)
    return fail(ErrorCode::notFound, "there is no such upload", "upload");
  if (auto may = mayAdd(*open); !may) return tl::make_unexpected(may.error());
  return upload;
}

Result<HttpResponse> beginAnswer(const ApiPlaces& places, UploadStore& store, const Visit& visit) {
  const auto id = idFrom(visit.at.front(), "project");
  const auto open = id ? openProject(places, visit.visitor, *id) : tl::make_unexpected(id.error());
  if (!open) return tl::make_unexpected(open.error());
  if (auto may = mayAdd(*open); !may) return tl::make_unexpected(may.error());
  JsonBody body(visit.body);
  Upload wanted;
  wanted.projectId = *id;
  wanted.userId = visit.visitor.caller.userId;
  const auto path = body.textIfThere("path", 4096);
  const auto subject = body.textIfThere("subject"), study = body.textIfThere("study"), name = body.textIfThere("name");
  wanted.size = body.id("size").value_or(0);
  wanted.sha256 = body.textIfThere("sha256").value_or("");
  if (!path && !name) body.wrong("path", "the field is missing");
  if (path && (subject || study || name)) body.wrong("path", "either a path, or subject, study and name");
  if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  wanted.path = path ? *path : (subject ? *subject + "/" : "") + (study ? *study + "/" : "") + *name;
  const auto begun = store.begin(open->project, wanted);
  if (!begun) return tl::make_unexpected(begun.error());
  if (auto noted = noteAction(places, visit, "upload.begin", *id, begun->path, {{"size", begun->size}}); !noted)
    return tl::make_unexpected(noted.error());
  return jsonAnswer(toJson(*begun), 201);
}

class UploadSink final : public HttpSink {
 public:
  explicit UploadSink(UploadWriter writer) : writer_(std::move(writer)) {}
  Result<void> write(std::span<const std::byte> piece) override { return writer_.write(piece); }
  HttpResponse finish(std::stop_token) override {
    const auto offset = writer_.flush();
    if (!offset) return problem(offset.error());
    return jsonAnswer({{"offset", *offset}});
  }

 private:
  UploadWriter writer_;
};

Result<std::shared_ptr<HttpSink>> openSink(const ApiPlaces& places, UploadStore& store, const Visit& visit) {
  const auto upload = ownUpload(places, store, visit);
  if (!upload) return tl::make_unexpected(upload.error());
  const auto text = visit.request.header("upload-offset");
  std::int64_t offset = -1;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (text.empty() || error != std::errc{} || at != text.data() + text.size() || offset < 0)
    return fail(ErrorCode::invalidInput, "the header Upload-Offset says where the bytes go on", "upload-offset");
  auto writer = store.open(upload->id, offset);
  if (!writer) return tl::make_unexpected(writer.error());
  return std::make_shared<UploadSink>(*std::move(writer));
}

Result<HttpResponse> finishAnswer(const ApiPlaces& places, UploadStore& store,
                                  const std::function<void(std::int64_t)>& changed, const Visit& visit) {
  const auto upload = ownUpload(places, store, visit);
  if (!upload) return tl::make_unexpected(upload.error());
  bool unpack = false;
  if (!visit.body.is_null()) {
    JsonBody body(visit.body);
    unpack = body.flag("unpack").value_or(false);
    if (auto done = body.done(); !done) return tl::make_unexpected(done.error());
  }
  if (auto noted = noteAction(places, visit, "upload.finish", upload->projectId, upload->path, {{"unpack", unpack}});
      !noted)
    return tl::make_unexpected(noted.error());
  const auto placed = store.finish(upload->id, unpack, visit.stop);
  if (!placed) return tl::make_unexpected(placed.error());
  if (changed) changed(upload->projectId);
  return jsonAnswer({{"path", upload->path}, {"added", placed->paths}, {"skipped", placed->skipped}});
}

Result<HttpResponse> removeAnswer(const ApiPlaces& places, UploadStore& store, const Visit& visit) {
  const auto upload = ownUpload(places, store, visit);
  if (!upload) return tl::make_unexpected(upload.error());
  if (auto removed = store.remove(upload->id); !removed) return tl::make_unexpected(removed.error());
  return jsonAnswer(nlohmann::json::object());
}

}  // namespace

std::vector<Route> uploadRoutes(const ApiPlaces& places, UploadStore& store,
                                std::function<void(std::int64_t projectId)> changed) {
  const auto users = Route::For::users;
  Route patch{"PATCH", "/api/v1/uploads/{id}", users, {}};
  patch.upload = [places, &store](const Visit& visit) { return openSink(places, store, visit); };
  return {
      {"POST",
       "/api/v1/projects/{id}/uploads",
       users,
       [places, &store](const Visit& visit) { return beginAnswer(places, store, visit); },
       {},
       smallBody,
       false,
       true},
      {"GET", "/api/v1/uploads/{id}", users,
       [places, &store](const Visit& visit) -> Result<HttpResponse> {
         const auto upload = ownUpload(places, store, visit);
         if (!upload) return tl::make_unexpected(upload.error());
         return jsonAnswer(toJson(*upload));
       }},
      std::move(patch),
      {"POST",
       "/api/v1/uploads/{id}/finish",
       users,
       [places, &store, changed = std::move(changed)](const Visit& visit) {
         return finishAnswer(places, store, changed, visit);
       },
       {},
       smallBody,
       false,
       true},
      {"DELETE",
       "/api/v1/uploads/{id}",
       users,
       [places, &store](const Visit& visit) { return removeAnswer(places, store, visit); },
       {},
       0,
       false,
       true},
  };
}

}  // namespace nora
