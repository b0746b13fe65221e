// Two projects on the disk, people with different rights, and the routes of the archive behind the router, without a
// socket.
#pragma once

#include "app/api/archive_routes.hpp"
#include "app/api/file_routes.hpp"
#include "app/api/gate.hpp"
#include "app/api/router.hpp"
#include "app/api/saved_routes.hpp"
#include "app/api/upload_routes.hpp"
#include "app/open_index.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nora::test {

struct ApiAnswer {
  int status = 0;
  std::string body;  // of a stream all of it
  std::string etag;
  std::map<std::string, std::string> headers;
  bool isBroken = false;  // the stream ended with an error

  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

/// "open" shows names, "hidden" hides them; both have the subject "sub-Mustermann" with a study and files.
class ApiWorld : public testing::Test {
 protected:
  void SetUp() override;

  /// A user with these rights in both projects; the name is the key of who asks.
  void addPerson(const std::string& name, Rights rights, bool administrator = false);
  /// `who`: empty for a guest.
  ApiAnswer ask(const std::string& who, const std::string& method, const std::string& pathAndQuery,
                const nlohmann::json& body = nullptr, std::map<std::string, std::string> headers = {});
  /// The routes as after a restart of the server.
  void restart();
  /// Sends bytes as they are.
  ApiAnswer send(const std::string& who, const std::string& method, const std::string& path, const std::string& bytes,
                 std::map<std::string, std::string> headers = {});
  [[nodiscard]] std::int64_t fileId(std::int64_t projectId, const std::string& path);
  [[nodiscard]] std::string folderOf(const ProjectRecord& project) const { return project.root; }

  virtual std::vector<Route> routes();

  TemporaryFolder index_, openFolder_, hiddenFolder_;
  std::unique_ptr<OpenIndex> index;
  ProjectRecord open, hidden;
  std::unique_ptr<UploadStore> uploads;
  std::vector<std::int64_t> changed;  // projects that uploads have told of

 private:
  HttpRequest request(const std::string& who, const std::string& method, const std::string& pathAndQuery,
                      std::map<std::string, std::string> headers);
  ProjectRecord makeProject(const std::string& name, const TemporaryFolder& folder, bool hides);

  std::map<std::string, std::string> tokens_;
  std::unique_ptr<Gate> gate_;
  HttpHandler handler_;
};

}  // namespace nora::test
