// The real server under more than it takes: floods, half-open connections, proxies that are not known, its end.
#include "socket_fixture.hpp"

#include <sys/resource.h>
#include <array>
#include <chrono>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

using test::Client;
using test::frameOf;
using test::json;
using test::SocketTest;
using namespace std::chrono_literals;

constexpr std::size_t bytesOfHead = 6;  // of a small frame: two and the mask

class TransportTest : public SocketTest {
 protected:
  double metric(const std::string& series) const {
    const std::string text = "\n" + metrics->text();
    const auto at = text.find("\n" + series + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
  }
  std::string ping(int token) { return frameOf(1, json{{"type", "ping"}, {"token", token}}.dump()); }
  /// Until the metric has that value.
  bool becomes(const std::string& series, double value) {
    const auto end = std::chrono::steady_clock::now() + test::patience;
    while (metric(series) != value && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    return metric(series) == value;
  }

  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
};

TEST_F(TransportTest, AFloodOfMessagesEndsThatStreamOnly) {
  start({.messagesPerSecond = 50, .messageBurst = 100, .metrics = metrics});
  auto flooding = stream();
  for (int i = 0; i < 300; ++i) flooding->send(ping(i));
  const auto close = readClose(*flooding);
  EXPECT_EQ(close.closeCode(), 1008);
  EXPECT_EQ(close.payload.substr(2), "too many messages");
  EXPECT_EQ(metric("nora_refused_total{reason=\"message_rate\"}"), 1);
  expectAlive();
}

TEST_F(TransportTest, TheUsualRateOfAMouseIsNoFlood) {
  auto client = stream();
  for (int i = 0; i < 900; ++i) client->send(ping(i));  // a burst, such as after a pause of the network
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 900; i < 1150; ++i) {
    std::this_thread::sleep_until(begin + (i - 900) * 4ms);
    client->send(ping(i));
  }
  EXPECT_EQ(readText(*client, "pong")["token"], 0);
  for (int i = 1; i < 1150; ++i) ASSERT_EQ(readText(*client, "pong")["token"], i);
}

TEST_F(TransportTest, TooManyBytesEndThatStreamOnly) {
  start({.bytesPerSecond = 1000, .byteBurst = 200'000, .metrics = metrics});
  auto flooding = stream();
  flooding->send(frameOf(1, std::string(60'000, ' '), false));
  for (int i = 0; i < 5; ++i) flooding->send(frameOf(0, std::string(60'000, ' '), false));
  const auto close = readClose(*flooding);
  EXPECT_EQ(close.closeCode(), 1008);
  EXPECT_EQ(close.payload.substr(2), "too many bytes");
  auto empty = stream();  // empty fragments have heads
  empty->send(frameOf(1, "", false));
  std::string nothing;
  for (int i = 0; i < 40'000; ++i) nothing += frameOf(0, "", false);
  empty->send(nothing);
  EXPECT_EQ(readClose(*empty).payload.substr(2), "too many bytes");
  EXPECT_EQ(metric("nora_refused_total{reason=\"byte_rate\"}"), 2);
  expectAlive();
}

TEST_F(TransportTest, AnAddressHasSoManyStreams) {
  start({.sessionsPerAddress = 2, .trustedProxies = {"127.0.0.1"}, .metrics = metrics});
  const auto from = [&](const std::string& address) {
    auto client = std::make_unique<Client>(server->port());
    client->send(handshake(protocolHeader() + "X-Forwarded-For: " + address + "\r\n"));
    EXPECT_TRUE(client->readUntil("\r\n\r\n"));
    client->input.erase(0, client->input.find("\r\n\r\n") + 4);
    client->send(startFrame());
    return client;
  };
  auto first = from("203.0.113.5"), second = from("1.1.1.1, 203.0.113.5"), other = from("203.0.113.6");
  for (auto* client : {first.get(), second.get(), other.get()}) {
    client->send(ping(1));
    ASSERT_EQ(readText(*client, "pong")["token"], 1);
  }
  auto third = from("203.0.113.5");
  third->send(ping(1));
  const auto close = readClose(*third);
  EXPECT_EQ(close.closeCode(), 1013);
  EXPECT_EQ(close.payload.substr(2), "too many viewers at this address");
  EXPECT_EQ(metric("nora_refused_total{reason=\"sessions_per_address\"}"), 1);
  first.reset();
  third.reset();
  ASSERT_TRUE(becomes("nora_streams", 2));
  auto again = from("203.0.113.5");
  for (auto* client : {second.get(), other.get(), again.get()}) {
    client->send(ping(3));
    EXPECT_EQ(readText(*client, "pong")["token"], 3);
  }
}

TEST_F(TransportTest, WhoIsNotTrustedCannotHaveMoreStreamsBySayingSo) {
  start({.sessionsPerAddress = 1});
  auto first = stream();
  first->send(ping(1));
  ASSERT_EQ(readText(*first, "pong")["token"], 1);
  Client second(server->port());
  second.send(handshake(protocolHeader() + "X-Forwarded-For: 203.0.113.77\r\n"));
  ASSERT_TRUE(second.readUntil("\r\n\r\n"));
  second.input.erase(0, second.input.find("\r\n\r\n") + 4);
  second.send(ping(1));
  EXPECT_EQ(readClose(second).closeCode(), 1013);
}

/// The time until a client has its page and a stream that answers.
std::chrono::milliseconds serviceTime(int port, const std::string& handshake, const std::string& ping) {
  const auto begin = std::chrono::steady_clock::now();
  Client page(port);
  page.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(page.readToEnd());
  EXPECT_TRUE(page.input.ends_with("the page")) << page.input;
  Client viewer(port);
  viewer.send(handshake);
  EXPECT_TRUE(viewer.readUntil("\r\n\r\n"));
  viewer.send(ping);
  EXPECT_TRUE(viewer.readUntil("pong")) << viewer.input;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

TEST_F(TransportTest, TwoThousandHalfOpenConnectionsKeepNobodyOut) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < 8192) GTEST_SKIP() << "only " << files.rlim_max << " open files are allowed here";
  start({.connections = 300, .connectionsPerAddress = 200, .metrics = metrics}, {.sessions = 4096});
  auto old = stream();  // somebody who is there already
  old->send(ping(1));
  ASSERT_EQ(readText(*old, "pong")["token"], 1);
  const std::array<std::string, 4> beginnings{"", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "\x16\x03\x01", handshake()};
  std::vector<std::unique_ptr<Client>> half;
  std::chrono::milliseconds slowest{0};
  for (int i = 0; i < 2000; ++i) {
    half.push_back(std::make_unique<Client>(server->port()));
    half.back()->send(beginnings[static_cast<std::size_t>(i) % beginnings.size()]);
    if (i % 100 == 99) slowest = std::max(slowest, serviceTime(server->port(), handshake(), startFrame() + ping(2)));
  }
  RecordProperty("slowest_ms", static_cast<int>(slowest.count()));
  EXPECT_LT(slowest, 1s);
  EXPECT_LE(metric("nora_connections"), 300);
  EXPECT_GT(metric("nora_refused_total{reason=\"made_room\"}"), 1500);
  old->send(ping(9));
  EXPECT_EQ(readText(*old, "pong")["token"], 9) << "a session never makes room";
}

TEST_F(TransportTest, TheEndIsToldToEveryStream) {
  start({.metrics = metrics});
  auto reading = stream(), deaf = stream(4096);
  ASSERT_TRUE(becomes("nora_streams", 2));
  std::jthread end([&] { server->end(2500ms); });
  const auto close = readClose(*reading);
  EXPECT_EQ(close.closeCode(), 1001);
  EXPECT_EQ(close.payload.substr(2), "the server has ended");
  EXPECT_TRUE(get("/").ends_with("the page")) << "still asked whether it is ready";
  auto late = stream();
  EXPECT_EQ(readClose(*late).closeCode(), 1001);
  reading.reset();
  late.reset();
  deaf.reset();
  const auto begin = std::chrono::steady_clock::now();
  end.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s) << "nobody is left";
}

TEST_F(TransportTest, TheEndWaitsForNobodyForLong) {
  start({.metrics = metrics});
  auto deaf = stream(4096);
  ASSERT_TRUE(becomes("nora_streams", 1));
  const auto begin = std::chrono::steady_clock::now();
  server->end(300ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
}

TEST_F(TransportTest, RequestsWithABodyAreNotReadAsTwo) {
  start({.metrics = metrics});
  const std::string smuggled = "GET /query?smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(smuggled.size()) + "\r\n";
  for (const std::string& head :
       {length, std::string("Transfer-Encoding: chunked\r\n"), length + "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n" + length, "Content-Length: 0\r\n" + length,
        std::string("Content-Length: 0, 5\r\n"), std::string("Content-Length: +0\r\n"),
        std::string("Content-Length: -1\r\n"), std::string("Transfer-Encoding : chunked\r\n") + length}) {
    for (const std::string method : {"GET", "HEAD", "POST"}) {
      Client client(server->port());
      client.send(method + " / HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" + smuggled);
      client.readToEnd();
      EXPECT_EQ(client.input.find("smuggled"), std::string::npos) << method << " " << head << client.input;
      EXPECT_EQ(client.input.find("HTTP/1.1 200"), std::string::npos) << method << " " << head << client.input;
    }
  }
  const auto refused = get("/", "Content-Length: 4\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 400")) << refused;
  EXPECT_NE(refused.find("connection: close"), std::string::npos);
  EXPECT_NE(refused.find("requests with a body are not answered"), std::string::npos);
  EXPECT_TRUE(get("/", "Content-Length: 0\r\n").starts_with("HTTP/1.1 200"));
  expectAlive();
}

TEST_F(TransportTest, AbsurdHeadsEndWithoutHarm) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  std::string hosts;
  for (int i = 0; i < 50; ++i) hosts += "Host: evil" + std::to_string(i) + "\r\n";
  for (const std::string& head :
       {many, hosts, "Cookie: " + std::string(100'000, 'c') + "\r\n", std::string("\0\0\0: \0\r\n", 9),
        std::string(": no name\r\n"), std::string("X: y\r\n folded\r\n"),
        "Sec-WebSocket-Key: " + std::string(9000, 'k'), std::string("Sec-WebSocket-Version: 13, 13, 13\r\n"),
        std::string("Origin: http://a\r\nOrigin: http://b\r\n")}) {
    Client client(server->port());
    client.send("GET /api/v1/stream HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + head + "\r\n");
    client.readMore(300ms);
    EXPECT_EQ(client.input.find("101 Switching"), std::string::npos) << head.substr(0, 60);
  }
  expectAlive();
}

TEST_F(TransportTest, ForwardedNamesCountOnlyFromTrustedProxies) {
  const std::string forwarded = protocolHeader() + "Origin: https://images.example.org\r\n" +
                                "X-Forwarded-Host: images.example.org\r\nX-Forwarded-Proto: https\r\n";
  const auto statusOf = [&](const std::string& extra) {
    Client client(server->port());
    client.send(handshake(extra));
    client.readUntil("\r\n");
    return client.input.substr(std::min<std::size_t>(9, client.input.size()), 3);
  };
  EXPECT_EQ(statusOf(forwarded), "403");
  start({.trustedProxies = {"127.0.0.0/8"}});
  EXPECT_EQ(statusOf(forwarded), "101");
  EXPECT_EQ(statusOf(protocolHeader() + "Origin: https://images.example.org\r\n"), "403");
  EXPECT_EQ(
      statusOf(protocolHeader() + "Origin: http://images.example.org\r\nX-Forwarded-Host: images.example.org\r\n" +
               "X-Forwarded-Proto: https\r\n"),
      "403");
  start({.allowedOrigins = {"https://images.example.org"}});
  EXPECT_EQ(statusOf(protocolHeader() + "Origin: https://images.example.org\r\n"), "101");
  EXPECT_EQ(statusOf(protocolHeader() + "Origin: http://localhost:8080\r\n"), "403");
}

TEST_F(TransportTest, WrongSettingsAreErrorsOfTheStart) {
  const auto handler = [](const HttpRequest&) { return HttpResponse{}; };
  for (const SocketServer::Options& wrong : {
           SocketServer::Options{.port = 0, .connections = 0},
           SocketServer::Options{.port = 0, .connections = 100'000},
           SocketServer::Options{.port = 0, .certificateFile = "only-one.pem"},
           SocketServer::Options{.port = 0, .trustedProxies = {"proxy.example.org"}},
           SocketServer::Options{.port = 0, .allowedOrigins = {"example.org"}},
       }) {
    const auto started = SocketServer::start(wrong, *engine, handler, {});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::invalidInput);
  }
}

TEST_F(TransportTest, WhatPassesIsCounted) {
  start({.metrics = metrics});
  auto client = stream();
  client->send(ping(1) + ping(2));
  readText(*client, "pong");
  readText(*client, "pong");
  EXPECT_EQ(metric("nora_stream_messages_total{direction=\"in\"}"), 3) << "with start";
  EXPECT_GE(metric("nora_stream_messages_total{direction=\"out\"}"), 2);
  EXPECT_EQ(metric("nora_stream_bytes_total{direction=\"in\"}"),
            2 * (ping(1).size() - bytesOfHead) + startFrame().size() - bytesOfHead);
  get("/");
  get("/nowhere");
  EXPECT_EQ(metric("nora_http_answers_total{status=\"200\"}"), 1);
  EXPECT_EQ(metric("nora_http_answers_total{status=\"404\"}"), 1);
  EXPECT_GE(metric("nora_http_bytes_total"), 8);
  EXPECT_GE(metric("nora_connections_total"), 3);
  client.reset();
  EXPECT_TRUE(becomes("nora_streams", 0));
  EXPECT_TRUE(becomes("nora_connections", 0));
}

}  // namespace
}  // namespace nora
