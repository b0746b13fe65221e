// A real server on a free port, for tests that talk to it by raw sockets.
#pragma once

#include "raw_client.hpp"
#include "streaming/protocol/messages.hpp"
#include "streaming/socket/http.hpp"
#include "streaming/socket/server.hpp"
#include "support.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace nora::test {

class SocketTest : public testing::Test {
 protected:
  SocketTest() { start({}); }

  void start(SocketServer::Options options, StreamEngine::Options engineOptions = {}) {
    server.reset();
    engine = std::make_unique<StreamEngine>(std::make_unique<test::SharedRenderer>(renderer), engineOptions);
    options.port = 0;
    auto started = SocketServer::start(
        options, *engine,
        [this](const HttpRequest& request) -> HttpAnswer {
          HttpResponse response;
          if (further && request.path.starts_with("/x/")) return further(request);
          if (request.method != "GET" && request.method != "HEAD") {
            response = problem({ErrorCode::invalidInput, "only GET and HEAD are answered here", {}});
            response.status = 405;
            return response;
          }
          if (request.path.starts_with("/later")) return later(request.path);
          if (request.path == "/big")
            response.body = std::string(3'000'000, 'b');
          else if (request.path == "/throw")
            throw std::runtime_error("on purpose");
          else if (request.path == "/etag")
            response.etag = "\"v1\"", response.body = "tagged";
          else if (request.path == "/query")
            response.body = json(request.query).dump();
          else if (request.path == "/")
            response.body = "the page";
          else
            return problem({ErrorCode::notFound, "no such page", request.path});
          return response;
        },
        [this](const HttpRequest& request, const std::stop_token& stop) -> Result<StreamVisitor> {
          if (visitors) return visitors(request, stop);
          return StreamVisitor{"somebody", images};
        });
    ASSERT_TRUE(started) << describe(started.error());
    server = std::move(*started);
  }
  /// Answers that a worker makes; "/later/wait" only once `gate` opens or nobody wants it any more; "/later/other/..."
  /// where other servers are waited for.
  HttpAnswer later(const std::string& path) {
    HttpWork work = [this, path](std::stop_token stop) {
      ++working;
      HttpResponse response;
      response.etag = "\"later\"";
      response.contentSecurityPolicy = "sandbox";
      response.body = path == "/later/big" ? std::string(3'000'000, 'c') : "made later";
      if (path == "/later/throw") throw std::runtime_error("on purpose");
      if (path.ends_with("/wait")) {
        std::unique_lock lock(gateMutex);
        if (!gateNews.wait_for(lock, stop, 20s, [&] { return gate; })) ++stopped;
      }
      return response;
    };
    if (path.starts_with("/later/other/")) return HttpWaitingWork{std::move(work)};
    return work;
  }
  void openGate() {
    const std::lock_guard lock(gateMutex);
    gate = true;
    gateNews.notify_all();
  }
  /// True once `counter` has got to `count`.
  static bool reaches(const std::atomic<int>& counter, int count) {
    const auto end = std::chrono::steady_clock::now() + test::patience;
    while (counter < count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return counter >= count;
  }
  static std::string protocolHeader() { return "Sec-WebSocket-Protocol: " + std::string(streamProtocol) + "\r\n"; }
  std::string handshake(const std::string& extra = protocolHeader(), const std::string& path = "/api/v1/stream") {
    return "GET " + path +
           " HTTP/1.1\r\nHost: localhost:8080\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           extra + "\r\n";
  }
  /// The first message of a stream.
  static std::string startFrame() { return frameOf(1, R"({"type":"start","protocol":2,"codecs":["jpeg","png"]})"); }
  /// A client whose handshake is done, and who has said `start`.
  std::unique_ptr<Client> stream(int receiveBuffer = 0) {
    auto client = std::make_unique<Client>(server->port(), receiveBuffer);
    client->send(handshake());
    EXPECT_TRUE(client->readUntil("\r\n\r\n"));
    EXPECT_TRUE(client->input.starts_with("HTTP/1.1 101")) << client->input.substr(0, 200);
    client->input.erase(0, client->input.find("\r\n\r\n") + 4);
    client->send(startFrame());
    return client;
  }
  static Message read(Client& client) {
    if (!client.readBytes(2)) return {};
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(client.input[i]));
    };
    std::size_t length = byte(1) & 127, head = 2;
    const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (!client.readBytes(head + extra)) return {};
    if (extra > 0) length = 0;
    for (std::size_t i = 0; i < extra; ++i) length = length * 256 + byte(head + i);
    head += extra;
    if (!client.readBytes(head + length)) return {};
    Message out{static_cast<int>(byte(0) & 15), {}};
    client.take(head);
    out.payload = client.take(length);
    return out;
  }
  /// The next message of that type; others are passed over.
  static json readText(Client& client, const std::string& type) {
    for (int i = 0; i < 1000; ++i) {
      const Message message = read(client);
      if (message.opcode < 0 || message.opcode == 8) return {};
      if (message.opcode != 1) continue;
      auto text = json::parse(message.payload);
      if (text["type"] == type) return text;
    }
    return {};
  }
  static Message readClose(Client& client) {
    for (int i = 0; i < 1000; ++i) {
      Message message = read(client);
      if (message.opcode < 0 || message.opcode == 8) return message;
    }
    return {};
  }
  std::string request(const std::string& text) {
    Client client(server->port());
    client.send(text);
    client.readToEnd();
    return client.input;
  }
  std::string get(const std::string& path, const std::string& extra = "") {
    return request("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + extra + "\r\n");
  }
  /// A session that asks and is answered: what nobody may disturb.
  void expectAlive() {
    auto client = stream();
    client->send(frameOf(1, R"({"type":"ping","token":5})"));
    EXPECT_EQ(readText(*client, "pong")["token"], 5);
    EXPECT_TRUE(get("/").ends_with("the page"));
  }

  HttpHandler further;  // of what is under /x/
  StreamGate visitors;  // empty: everybody is somebody
  std::shared_ptr<FakeRenderer> renderer = std::make_shared<FakeRenderer>();
  std::mutex gateMutex;
  std::condition_variable_any gateNews;
  bool gate = false;
  std::atomic<int> working = 0, stopped = 0;
  std::shared_ptr<FakeImages> images = std::make_shared<FakeImages>();
  std::unique_ptr<StreamEngine> engine;
  std::unique_ptr<SocketServer> server;
};

}  // namespace nora::test
