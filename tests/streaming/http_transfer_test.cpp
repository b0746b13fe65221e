// Answers that come from streams and bodies that go to sinks: what is on its way for long.
#include "socket_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

using test::Client;
using test::json;
using test::SocketTest;
using namespace std::chrono_literals;

char byteAt(std::uint64_t i) {
  return static_cast<char>('a' + i * 7 / 3 % 26);
}

struct Counts {
  std::atomic<int> opened = 0, ended = 0, finished = 0;
  std::atomic<std::uint64_t> bytes = 0;  // read from streams or written to sinks
};

class Letters : public HttpStream {
 public:
  struct How {
    std::uint64_t bytes = 0;
    bool saysSize = true;
    std::size_t atOnce = 1 << 20;
    std::uint64_t failsAt = ~0ULL;
  };
  Letters(Counts& counts, How how) : counts_(counts), how_(how) { ++counts_.opened; }
  ~Letters() override { ++counts_.ended; }
  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    return how_.saysSize ? std::optional(how_.bytes) : std::nullopt;
  }
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into, std::stop_token) override {
    if (at_ >= how_.failsAt) return fail(ErrorCode::unavailable, "the disk is gone");
    const auto count = std::min<std::uint64_t>({into.size(), how_.atOnce, std::min(how_.bytes, how_.failsAt) - at_});
    for (std::size_t i = 0; i < count; ++i) into[i] = static_cast<std::byte>(byteAt(at_ + i));
    at_ += count;
    counts_.bytes += count;
    return static_cast<std::size_t>(count);
  }

 private:
  Counts& counts_;
  How how_;
  std::uint64_t at_ = 0;
};

class HttpTransferTest : public SocketTest {
 protected:
  HttpTransferTest() {
    further = [this](const HttpRequest& request) -> HttpAnswer { return answerOf(request); };
  }
  ~HttpTransferTest() override { server.reset(); }

  class Sink : public HttpSink {
   public:
    explicit Sink(HttpTransferTest& test) : test_(test) { ++test_.sinks.opened; }
    ~Sink() override { ++test_.sinks.ended; }
    [[nodiscard]] Result<void> write(std::span<const std::byte> piece) override {
      if (test_.slowDisk) {
        std::unique_lock lock(test_.gateMutex);
        test_.gateNews.wait_for(lock, std::stop_token{}, 20s, [this] { return test_.gate; });
      }
      if (test_.fullDiskAt <= at_) return fail(ErrorCode::unavailable, "the disk is full");
      for (const std::byte byte : piece) right_ = right_ && static_cast<char>(byte) == byteAt(at_++);
      test_.sinks.bytes += piece.size();
      test_.biggestPiece = std::max<std::size_t>(test_.biggestPiece, piece.size());
      return {};
    }
    [[nodiscard]] HttpResponse finish(std::stop_token) override {
      ++test_.sinks.finished;
      HttpResponse response;
      response.status = 201;
      response.body = "stored " + std::to_string(at_) + (right_ ? " right" : " wrong");
      return response;
    }

   private:
    HttpTransferTest& test_;
    std::uint64_t at_ = 0;
    bool right_ = true;
  };

  HttpAnswer answerOf(const HttpRequest& request) {
    if (request.path == "/x/upload") {
      return HttpUpload{[this, wrong = request.query.contains("wrong")](
                            std::stop_token) -> tl::expected<std::shared_ptr<HttpSink>, HttpResponse> {
        if (wrong) return tl::make_unexpected(problem({ErrorCode::notFound, "no such upload", {}}));
        return std::make_shared<Sink>(*this);
      }};
    }
    Letters::How how;
    how.bytes = std::stoull(request.query.at("bytes"));
    how.saysSize = !request.query.contains("unknown");
    if (request.query.contains("slowly")) how.atOnce = 10;
    if (request.query.contains("fails")) how.failsAt = std::stoull(request.query.at("fails"));
    HttpResponse response;
    response.stream = std::make_shared<Letters>(streams, how);
    if (request.query.contains("now")) return response;
    return HttpWork([response](std::stop_token) { return response; });
  }
  static std::string letters(std::uint64_t count) {
    std::string out(count, ' ');
    for (std::uint64_t i = 0; i < count; ++i) out[i] = byteAt(i);
    return out;
  }
  /// The parts of a chunked body put together; "?" if it does not end as it should.
  static std::string unchunked(const std::string& answer) {
    std::string out;
    const std::size_t head = answer.find("\r\n\r\n");
    for (std::size_t at = head == std::string::npos ? answer.size() : head + 4; at < answer.size();) {
      const std::size_t end = answer.find("\r\n", at);
      if (end == std::string::npos || end == at) return "?";
      const std::size_t size = std::stoull(answer.substr(at, end - at), nullptr, 16);
      if (size == 0) return answer.substr(end) == "\r\n\r\n" ? out : "?";
      out += answer.substr(end + 2, size);
      at = end + 2 + size + 2;
    }
    return "?";
  }
  static std::string postOf(std::uint64_t bytes, const std::string& path = "/x/upload") {
    return "PATCH " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
  }

  Counts streams, sinks;
  std::atomic<bool> slowDisk = false;
  std::atomic<std::uint64_t> fullDiskAt = ~0ULL;
  std::atomic<std::size_t> biggestPiece = 0;
};

TEST_F(HttpTransferTest, StreamsComeWholeWithTheirLengthOrInChunks) {
  for (const std::string& how : {std::string(), std::string("&now")}) {
    for (const std::uint64_t bytes : {0ULL, 1ULL, 65536ULL, 262144ULL, 262145ULL, 3'000'000ULL}) {
      const std::string path = "/x/get?bytes=" + std::to_string(bytes) + how;
      const auto known = get(path);
      EXPECT_NE(known.find("content-length: " + std::to_string(bytes) + "\r\n"), std::string::npos);
      EXPECT_EQ(known.substr(known.find("\r\n\r\n") + 4), letters(bytes)) << bytes;
      const auto unknown = get(path + "&unknown");
      EXPECT_NE(unknown.find("transfer-encoding: chunked\r\n"), std::string::npos) << unknown.substr(0, 500);
      EXPECT_EQ(unchunked(unknown), letters(bytes)) << bytes;
      const auto old = request("GET " + path + "&unknown HTTP/1.0\r\nHost: x\r\n\r\n");
      EXPECT_EQ(old.find("chunked"), std::string::npos);
      EXPECT_EQ(old.substr(old.find("\r\n\r\n") + 4), letters(bytes)) << bytes;
    }
  }
  EXPECT_EQ(unchunked(get("/x/get?bytes=100000&unknown&slowly")), letters(100'000));
  const auto head = request("HEAD /x/get?bytes=77 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(head.find("content-length: 77\r\n"), std::string::npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /x/get?bytes=70000 HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.readUntil(letters(70'000)));
    client.input.clear();
  }
  EXPECT_TRUE(reaches(streams.ended, streams.opened));
}

TEST_F(HttpTransferTest, AStreamThatFailsIsNotTakenForTheWhole) {
  const auto known = get("/x/get?bytes=1000000&fails=500000");
  EXPECT_LT(known.size(), 1'000'000U);
  EXPECT_TRUE(known.empty() || known.starts_with("HTTP/1.1 200")) << known.substr(0, 100);
  EXPECT_EQ(unchunked(get("/x/get?bytes=1000000&unknown&fails=500000")), "?");
  Client old(server->port());
  old.send("GET /x/get?bytes=9000000&unknown&fails=8000000 HTTP/1.0\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(old.readToEnd());
  EXPECT_TRUE(old.wasReset()) << "no orderly end";
  EXPECT_TRUE(reaches(streams.ended, streams.opened));
  expectAlive();
}

TEST_F(HttpTransferTest, AClientThatDoesNotReadStopsTheStreamAndIsGivenUp) {
  start({.workers = 1, .stall = 700ms});
  Client deaf(server->port(), 4096);
  deaf.send("GET /x/get?bytes=1000000000 HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(reaches(streams.opened, 1));
  std::this_thread::sleep_for(300ms);
  const auto read = streams.bytes.load();
  EXPECT_LT(read, 20'000'000U) << "no more is read than fits on the way";
  EXPECT_EQ(streams.ended, 0);
  EXPECT_TRUE(get("/later").ends_with("made later")) << "no worker waits for it";
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(streams.bytes, read);
  EXPECT_TRUE(reaches(streams.ended, 1));
}

TEST_F(HttpTransferTest, AClientThatLeavesEndsTheStream) {
  auto leaving = std::make_unique<Client>(server->port());
  leaving->send("GET /x/get?bytes=10000000000 HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(leaving->readBytes(1'000'000));
  leaving.reset();
  EXPECT_TRUE(reaches(streams.ended, 1));
}

TEST_F(HttpTransferTest, StalledStreamsHoldNoWorkerAndTooManyAreRefused) {
  start({.workers = 1, .answers = 2, .transfers = 20});
  std::vector<std::unique_ptr<Client>> deaf;
  for (int i = 1; i <= 20; ++i) {
    deaf.push_back(std::make_unique<Client>(server->port(), 4096));
    deaf.back()->send("GET /x/get?bytes=100000000 HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(deaf.back()->readUntil("\r\n\r\n")) << i;
    ASSERT_TRUE(deaf.back()->input.starts_with("HTTP/1.1 200")) << i;
  }
  EXPECT_TRUE(get("/later").ends_with("made later"));
  const auto refused = get("/x/get?bytes=1000");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503")) << refused;
  EXPECT_NE(refused.find("retry-after: "), std::string::npos);
  deaf.pop_back();
  for (int i = 0; i < 200 && !get("/x/get?bytes=1000").starts_with("HTTP/1.1 200"); ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(get("/x/get?bytes=1000").starts_with("HTTP/1.1 200"));
}

TEST_F(HttpTransferTest, UploadsComeWhole) {
  for (const std::uint64_t bytes : {0ULL, 1ULL, 262'144ULL, 5'000'000ULL}) {
    Client client(server->port());
    for (int i = 0; i < 2; ++i) {
      client.send(postOf(bytes) + letters(bytes));
      ASSERT_TRUE(client.readUntil("stored " + std::to_string(bytes) + " right")) << bytes << client.input;
      EXPECT_TRUE(client.input.starts_with("HTTP/1.1 201")) << client.input;
      client.input.clear();
    }
  }
  EXPECT_LT(biggestPiece, 400'000U);
  EXPECT_TRUE(reaches(sinks.ended, 8));
  Client expecting(server->port());
  expecting.send("PUT /x/upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(expecting.readUntil("100 Continue\r\n\r\n"));
  expecting.sendSlowly(letters(5));
  EXPECT_TRUE(expecting.readUntil("stored 5 right")) << expecting.input;
}

TEST_F(HttpTransferTest, AnUploadThatIsNotWantedIsAnsweredBeforeItComes) {
  Client client(server->port());
  client.send(postOf(1'000'000'000, "/x/upload?wrong"));
  ASSERT_TRUE(client.readUntil("no such upload")) << client.input;
  EXPECT_TRUE(client.input.starts_with("HTTP/1.1 404"));
  EXPECT_NE(client.input.find("connection: close"), std::string::npos);
  Client pushing(server->port());
  pushing.send(postOf(3'000'000, "/x/upload?wrong") + letters(3'000'000));
  EXPECT_TRUE(pushing.readUntil("no such upload")) << "although it sends on";
  Client expecting(server->port());
  expecting.send("PUT /x/upload?wrong HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(expecting.readUntil("no such upload"));
  EXPECT_TRUE(expecting.input.starts_with("HTTP/1.1 404")) << expecting.input;
}

TEST_F(HttpTransferTest, AFullDiskIsTheAnswer) {
  fullDiskAt = 300'000;
  Client client(server->port());
  client.send(postOf(3'000'000) + letters(3'000'000));
  ASSERT_TRUE(client.readUntil("the disk is full")) << client.input;
  EXPECT_TRUE(client.input.starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(client.readToEnd());
  EXPECT_TRUE(reaches(sinks.ended, 1));
  EXPECT_EQ(sinks.finished, 0);
}

TEST_F(HttpTransferTest, ASlowDiskSlowsTheClientAndNobodyElse) {
  slowDisk = true;
  start({.workers = 1, .stall = 500ms});
  Client client(server->port());
  std::jthread sending([&] { client.send(postOf(60'000'000) + letters(60'000'000)); });
  ASSERT_TRUE(reaches(sinks.opened, 1));
  std::this_thread::sleep_for(1500ms);
  EXPECT_EQ(sinks.bytes, 0U);
  EXPECT_TRUE(get("/later").ends_with("made later"));
  openGate();
  EXPECT_TRUE(client.readUntil("stored 60000000 right")) << "a disk may take longer than a client: " << client.input;
  EXPECT_LT(biggestPiece, 400'000U);
}

TEST_F(HttpTransferTest, WhoVanishesLeavesNothingFinished) {
  for (const std::uint64_t sent : {0ULL, 10ULL, 1'000'000ULL}) {
    const int before = sinks.opened;
    auto leaving = std::make_unique<Client>(server->port());
    leaving->send(postOf(2'000'000) + letters(sent));
    ASSERT_TRUE(reaches(sinks.opened, before + 1));
    leaving.reset();
    EXPECT_TRUE(reaches(sinks.ended, before + 1)) << sent;
  }
  EXPECT_EQ(sinks.finished, 0);
  expectAlive();
}

TEST_F(HttpTransferTest, WhoDripsIsEnded) {
  start({.stall = 500ms});
  Client client(server->port());
  client.send(postOf(2'000'000));
  for (int i = 0; i < 12; ++i) {
    client.send("abc");
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_TRUE(client.readUntil("the body does not come")) << client.input;
  EXPECT_TRUE(reaches(sinks.ended, 1));
  EXPECT_EQ(sinks.finished, 0);
}

TEST_F(HttpTransferTest, WhatIsOnItsWayIsCounted) {
  auto metrics = std::make_shared<Metrics>();
  start({.metrics = metrics});
  const auto shows = [&](const std::string& line) {
    for (int i = 0; i < 500 && metrics->text().find("\n" + line + "\n") == std::string::npos; ++i) {
      std::this_thread::sleep_for(10ms);
    }
    return metrics->text().find("\n" + line + "\n") != std::string::npos;
  };
  auto up = std::make_unique<Client>(server->port());
  auto down = std::make_unique<Client>(server->port(), 4096);
  up->send(postOf(500'000) + letters(1000));
  down->send("GET /x/get?bytes=1000000000 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(shows("nora_http_transfers{direction=\"in\"} 1"));
  EXPECT_TRUE(shows("nora_http_transfers{direction=\"out\"} 1"));
  EXPECT_TRUE(shows("nora_http_received_bytes_total 1000"));
  up.reset();
  down.reset();
  EXPECT_TRUE(shows("nora_http_transfers{direction=\"in\"} 0"));
  EXPECT_TRUE(shows("nora_http_transfers{direction=\"out\"} 0"));
}

TEST_F(HttpTransferTest, TheServerEndsWhileBodiesAreOnTheirWay) {
  slowDisk = true;
  Client up(server->port()), down(server->port(), 4096);
  up.send(postOf(2'000'000) + letters(600'000));
  down.send("GET /x/get?bytes=1000000000&unknown HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(reaches(sinks.opened, 1));
  ASSERT_TRUE(down.readUntil("\r\n\r\n"));
  std::jthread later([this] {
    std::this_thread::sleep_for(100ms);
    openGate();
  });
  server.reset();
  EXPECT_EQ(sinks.ended, 1);
  EXPECT_EQ(streams.ended, 1);
  EXPECT_EQ(sinks.finished, 0);
}

}  // namespace
}  // namespace nora
