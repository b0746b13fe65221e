// A server that takes and gives bodies of any size, for test_bodies.py: nora's transport without nora's routes.
// body_server [CERTIFICATE KEY]; writes its port, ends when its input does.
#include "streaming/socket/server.hpp"
#include "tests/streaming/support.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using namespace nora;

std::atomic<int> openSinks = 0, finishedSinks = 0, openStreams = 0;

std::byte byteAt(std::uint64_t i) {
  return static_cast<std::byte>(i % 251);
}

class Numbers : public HttpStream {
 public:
  Numbers(std::uint64_t bytes, bool saysSize) : bytes_(bytes), saysSize_(saysSize) { ++openStreams; }
  ~Numbers() override { --openStreams; }
  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    return saysSize_ ? std::optional(bytes_) : std::nullopt;
  }
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into, std::stop_token) override {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), bytes_ - at_));
    for (std::size_t i = 0; i < count; ++i) into[i] = byteAt(at_ + i);
    at_ += count;
    return count;
  }

 private:
  const std::uint64_t bytes_;
  const bool saysSize_;
  std::uint64_t at_ = 0;
};

class Checker : public HttpSink {
 public:
  Checker() { ++openSinks; }
  ~Checker() override { --openSinks; }
  [[nodiscard]] Result<void> write(std::span<const std::byte> piece) override {
    for (const std::byte byte : piece) right_ = byte == byteAt(at_++) && right_;
    return {};
  }
  [[nodiscard]] HttpResponse finish(std::stop_token) override {
    ++finishedSinks;
    HttpResponse response;
    response.body = std::string(right_ ? "right " : "wrong ") + std::to_string(at_);
    return response;
  }

 private:
  std::uint64_t at_ = 0;
  bool right_ = true;
};

HttpAnswer answer(const HttpRequest& request) {
  HttpResponse response;
  if (request.path == "/upload") {
    return HttpUpload{[](const std::stop_token&) -> tl::expected<std::shared_ptr<HttpSink>, HttpResponse> {
      return std::make_shared<Checker>();
    }};
  }
  if (request.path == "/body") {
    return HttpBody{1 << 20, [](const std::string& body, const std::stop_token&) {
                      HttpResponse made;
                      made.body = "got " + std::to_string(body.size()) + "\n";
                      return made;
                    }};
  }
  if (request.path == "/numbers") {
    response.stream = std::make_shared<Numbers>(std::stoull(request.query.at("bytes")), request.query.contains("size"));
  } else if (request.path == "/state") {
    response.body = std::to_string(openSinks) + " " + std::to_string(finishedSinks) + " " + std::to_string(openStreams);
  } else {
    response.body = "hello\n";
  }
  return response;
}

}  // namespace

int main(int count, char** words) {
  StreamEngine engine(std::make_unique<test::FakeRenderer>(), {});
  SocketServer::Options options;
  options.port = 0;
  if (count == 3) options.certificateFile = words[1], options.keyFile = words[2];
  auto server = SocketServer::start(options, engine, answer, [](const HttpRequest&, const std::stop_token&) {
    return Result<StreamVisitor>(fail(ErrorCode::forbidden, "there are no streams here"));
  });
  if (!server) {
    std::cerr << describe(server.error()) << "\n";
    return EXIT_FAILURE;
  }
  std::cout << (*server)->port() << std::endl;
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return EXIT_SUCCESS;
}
