// The real server, talked to by raw sockets: what browsers do, and what nobody should do.
#include "socket_fixture.hpp"
#include "streaming/socket/connection.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <span>

#include <gtest/gtest.h>

namespace nora {
namespace {

using test::Client;
using test::frameOf;
using test::json;
using test::SocketTest;
using namespace std::chrono_literals;

TEST_F(SocketTest, GetHeadAndErrors) {
  const auto page = get("/");
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200")) << page;
  EXPECT_TRUE(page.ends_with("\r\n\r\nthe page")) << page;
  for (const char* header :
       {"content-length: 8\r\n", "x-content-type-options: nosniff\r\n", "cache-control: no-cache\r\n",
        "content-security-policy: default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
        "blob: data:; connect-src 'self'; frame-src 'self' blob:\r\n"}) {
    EXPECT_NE(page.find(header), std::string::npos) << header << page;
  }
  const auto head = request("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200")) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  EXPECT_NE(head.find("content-length: 8\r\n"), std::string::npos);
  const auto missing = get("/nowhere");
  EXPECT_TRUE(missing.starts_with("HTTP/1.1 404")) << missing;
  EXPECT_NE(missing.find("application/problem+json"), std::string::npos);
  EXPECT_NE(missing.find("\"code\":\"notFound\""), std::string::npos);
  EXPECT_TRUE(get("/throw").starts_with("HTTP/1.1 500"));
  EXPECT_EQ(get("/big").size() - get("/big").find("\r\n\r\n") - 4, 3'000'000U);
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto answer = request(method + " / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405")) << method << ": " << answer;
  }
}

TEST_F(SocketTest, EtagQueryAndKeepAlive) {
  EXPECT_TRUE(get("/etag").ends_with("tagged"));
  const auto same = get("/etag", "If-None-Match: \"v0\", \"v1\"\r\n");
  EXPECT_TRUE(same.starts_with("HTTP/1.1 304")) << same;
  EXPECT_TRUE(same.ends_with("\r\n\r\n"));
  EXPECT_TRUE(get("/etag", "If-None-Match: \"v2\"\r\n").ends_with("tagged"));
  EXPECT_TRUE(get("/query?after=12&name=a%20b%3D&flag").ends_with(R"({"after":"12","flag":"","name":"a b="})"))
      << get("/query?after=12&name=a%20b%3D&flag");
  Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.readUntil("the page"));
    client.input.clear();
  }
}

TEST_F(SocketTest, AnswersMadeByWorkersComeAsOthersDo) {
  const auto later = get("/later");
  EXPECT_TRUE(later.starts_with("HTTP/1.1 200")) << later;
  EXPECT_TRUE(later.ends_with("\r\n\r\nmade later")) << later;
  EXPECT_NE(later.find("content-security-policy: sandbox\r\n"), std::string::npos) << later;
  EXPECT_NE(later.find("x-content-type-options: nosniff\r\n"), std::string::npos) << later;
  EXPECT_NE(get("/").find("content-security-policy: default-src 'self'"), std::string::npos);
  EXPECT_TRUE(get("/later", "If-None-Match: \"later\"\r\n").starts_with("HTTP/1.1 304"));
  EXPECT_TRUE(get("/later/throw").starts_with("HTTP/1.1 500"));
  const auto big = get("/later/big");
  EXPECT_EQ(big.size() - big.find("\r\n\r\n") - 4, 3'000'000U);
  const auto head = request("HEAD /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200")) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.readUntil("made later")) << i;
    client.input.clear();
  }
  expectAlive();
}

TEST_F(SocketTest, NobodyWaitsForTheAnswerOfAnother) {
  start({.workers = 1});
  Client slow(server->port());
  slow.send("GET /later/wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(reaches(working, 1));
  EXPECT_TRUE(get("/").ends_with("the page"));
  expectAlive();
  openGate();
  EXPECT_TRUE(slow.readUntil("made later"));
}

TEST_F(SocketTest, TheWorkOfAClientThatLeavesIsStopped) {
  start({.workers = 1, .answers = 2});
  for (int round = 1; round <= 3; ++round) {
    auto leaving = std::make_unique<Client>(server->port());
    leaving->send("GET /later/wait HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(reaches(working, round));
    leaving.reset();
    ASSERT_TRUE(reaches(stopped, round)) << "the server did not notice";
  }
  openGate();
  EXPECT_TRUE(get("/later").ends_with("made later"));
}

TEST_F(SocketTest, TooManyAnswersAtOnceAreRefused) {
  start({.workers = 1, .answers = 2});
  Client first(server->port()), second(server->port());
  first.send("GET /later/wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(reaches(working, 1));
  second.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string third;
  for (int i = 0; i < 100 && !third.starts_with("HTTP/1.1 503"); ++i) {
    // The second may not have been heard yet.
    Client asking(server->port());
    asking.send("GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    asking.readMore(50ms);
    third = asking.input;
  }
  EXPECT_TRUE(third.starts_with("HTTP/1.1 503")) << third;
  EXPECT_TRUE(get("/").ends_with("the page"));
  openGate();
  EXPECT_TRUE(first.readUntil("made later"));
  EXPECT_TRUE(second.readUntil("made later"));
  EXPECT_TRUE(get("/later").ends_with("made later"));
}

TEST_F(SocketTest, NobodyWaitsForAnswersThatWaitForOtherServers) {
  start({.workers = 1, .waiters = 1, .answers = 2});
  std::vector<std::unique_ptr<Client>> waiting;
  for (int i = 0; i < 2; ++i) {  // one at work, the other in line
    waiting.push_back(std::make_unique<Client>(server->port()));
    waiting.back()->send("GET /later/other/wait HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  ASSERT_TRUE(reaches(working, 1));
  std::string third;
  for (int i = 0; i < 100 && !third.starts_with("HTTP/1.1 503"); ++i) {
    // The second may not have been heard yet.
    Client asking(server->port());
    asking.send("GET /later/other/wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    asking.readMore(50ms);
    third = asking.input;
  }
  EXPECT_TRUE(third.starts_with("HTTP/1.1 503")) << third;
  EXPECT_EQ(working, 1) << "one thread is for them";
  EXPECT_TRUE(get("/later").ends_with("made later")) << "and another one for all else";
  openGate();
  for (const auto& client : waiting) EXPECT_TRUE(client->readUntil("made later"));
}

TEST_F(SocketTest, TheServerEndsWhileAnswersAreBeingMade) {
  Client first(server->port()), second(server->port());
  for (Client* client : {&first, &second}) client->send("GET /later/wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(reaches(working, 2));
  server.reset();
  EXPECT_EQ(stopped, 2);
}

TEST_F(SocketTest, PathsCannotLeaveTheSite) {
  for (const char* path :
       {"/../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/a/../../etc/passwd", "//etc/passwd",
        "/%00", "/a%00b", "/%zz", "/..", "/%", "etc/passwd", "http://elsewhere/", "*"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.find("root:"), std::string::npos);
    EXPECT_FALSE(answer.starts_with("HTTP/1.1 200") && !answer.ends_with("the page")) << path << ": " << answer;
  }
  EXPECT_TRUE(get("/a%00b").starts_with("HTTP/1.1 400") || get("/a%00b").empty()) << get("/a%00b");
  for (const auto& path :
       {std::string("/a/../b"), std::string("/.."), std::string("/a\0b", 4), std::string("a"), std::string()}) {
    HttpRequest request;
    request.path = path;
    EXPECT_EQ(std::get<HttpResponse>(answer(request, [](const HttpRequest&) { return HttpResponse{}; })).status, 400)
        << path;
  }
  expectAlive();
}

TEST_F(SocketTest, HttpGarbageDisturbsNobody) {
  std::string noise;
  std::uint32_t random = 1;
  for (int i = 0; i < 5000; ++i) noise += static_cast<char>((random = random * 1664525U + 1013904223U) >> 24);
  for (const std::string& text :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("BREW / HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\n") + std::string(20'000, 'x') + ": y\r\n\r\n",
        "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n", std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), noise,
        std::string("CONNECT elsewhere:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, "
                    "HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: toast\r\nConnection: Upgrade\r\n\r\n")}) {
    Client client(server->port());
    client.send(text);
    client.readMore(200ms);
    EXPECT_EQ(client.input.find("101 Switching"), std::string::npos) << client.input;
  }
  expectAlive();
}

TEST_F(SocketTest, HandshakeIsCheckedBeforeItIsAccepted) {
  const std::string protocol = protocolHeader();
  const auto statusOf = [&](const std::string& text) {
    Client client(server->port());
    client.send(text);
    client.readUntil("\r\n");
    return client.input.substr(std::min<std::size_t>(9, client.input.size()), 3);
  };
  EXPECT_EQ(statusOf(handshake()), "101");
  EXPECT_EQ(statusOf(handshake("Origin: http://localhost:8080\r\n" + protocol)), "101");
  EXPECT_EQ(statusOf(handshake("Sec-WebSocket-Protocol: other, " + std::string(streamProtocol) + "\r\n")), "101");
  EXPECT_EQ(statusOf(handshake("Origin: http://evil.example\r\n" + protocol)), "403");
  EXPECT_EQ(statusOf(handshake("Origin: http://localhost:8081\r\n" + protocol)), "403");
  EXPECT_EQ(statusOf(handshake("Origin: null\r\n" + protocol)), "403");
  EXPECT_EQ(statusOf(handshake("")), "400");
  EXPECT_EQ(statusOf(handshake("Sec-WebSocket-Protocol: nora.v99\r\n")), "400");
  EXPECT_EQ(statusOf(handshake("Sec-WebSocket-Protocol: http\r\n")), "400");
  EXPECT_EQ(statusOf(handshake(protocol, "/api/v1/other")), "404");
  EXPECT_EQ(statusOf("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n"), "426");
}

TEST_F(SocketTest, TheExtensionOfCompressionIsNotTaken) {
  Client client(server->port());
  client.send(handshake(protocolHeader() + "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
  ASSERT_TRUE(client.readUntil("\r\n\r\n"));
  EXPECT_EQ(client.input.find("permessage-deflate"), std::string::npos);
}

TEST_F(SocketTest, ByteAtATimeWorks) {
  Client client(server->port());
  client.sendSlowly(handshake());
  ASSERT_TRUE(client.readUntil("\r\n\r\n"));
  client.input.erase(0, client.input.find("\r\n\r\n") + 4);
  client.sendSlowly(frameOf(1, R"({"type":"start","protocol":2,"codecs":["jpeg","png"]})"));
  EXPECT_EQ(readText(client, "hello")["protocol"], 2);
  client.sendSlowly(frameOf(1, R"({"type":"ping","token":11})"));
  EXPECT_EQ(readText(client, "pong")["token"], 11);
}

TEST_F(SocketTest, FragmentsAreJoined) {
  auto client = stream();
  const std::string text = R"({"type":"ping","token":12})";
  client->send(frameOf(1, text.substr(0, 3), false) + frameOf(0, text.substr(3, 10), false));
  client->send(frameOf(9, "are you there?"));
  client->send(frameOf(0, "", false) + frameOf(0, text.substr(13)) + frameOf(1, R"({"type":"ping","token":13})"));
  EXPECT_EQ(readText(*client, "pong")["token"], 12);
  EXPECT_EQ(readText(*client, "pong")["token"], 13);
}

TEST_F(SocketTest, FramesAreStreamedAndAcknowledged) {
  auto client = stream();
  client->send(frameOf(
      1,
      R"({"type":"viewports","input":1,"views":{"axial":{"width":320,"height":240},"coronal":{"width":320,"height":240}}})"));
  int stills = 0;
  for (int pictures = 0; pictures < 6;) {
    const auto message = read(*client);
    ASSERT_GE(message.opcode, 0);
    if (message.opcode != 2) continue;
    ++pictures;
    std::span<const std::byte> payload;
    const auto header = parseFrameHeader(std::as_bytes(std::span(message.payload)), payload);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->input, 1U);
    stills += header->quality == FrameQuality::lossless;
    client->send(frameOf(1, json{{"type", "ack"}, {"frame", header->frame}}.dump()));
  }
  EXPECT_EQ(stills, 2);
}

/// A connection is not read, so that all waits in it.
struct UnreadConnection {
  std::shared_ptr<LoopWaker> waker = std::make_shared<LoopWaker>([] {});
  std::shared_ptr<Connection> connection = std::make_shared<Connection>(waker);
  std::vector<std::byte> frame(std::uint32_t number, std::size_t bytes) const {
    FrameHeader header;
    header.frame = number;
    std::vector<std::byte> out;
    appendFrameHeader(header, out);
    for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(i * 7 + number));
    return out;
  }
  std::vector<std::byte> next() const { return std::get<std::vector<std::byte>>(connection->next()->item); }
};

bool isPart(const std::vector<std::byte>& message) {
  return std::memcmp(message.data(), "NORP", 4) == 0;
}

TEST(Connection, SendsPatientFramesInPartsThatMakeTheWhole) {
  const UnreadConnection c;
  const auto whole = c.frame(7, 100'000);
  c.connection->sendFrame(7, whole, FrameHaste::patient);
  std::vector<std::byte> together;
  while (c.connection->hasMore()) {
    const auto part = c.next();
    ASSERT_TRUE(isPart(part));
    ASSERT_LE(part.size(), Connection::partBytes + FramePart::headerBytes);
    std::array<std::byte, FramePart::headerBytes> header{};
    writePartHeader({7, static_cast<std::uint32_t>(together.size()), static_cast<std::uint32_t>(whole.size())}, header);
    EXPECT_TRUE(std::equal(header.begin(), header.end(), part.begin()));
    together.insert(together.end(), part.begin() + FramePart::headerBytes, part.end());
  }
  setWaitUs(together, 0);
  EXPECT_EQ(together, whole);
}

TEST(Connection, LetsUrgentFramesAndTextsPassBetweenParts) {
  const UnreadConnection c;
  c.connection->sendFrame(1, c.frame(1, 50'000), FrameHaste::patient);
  EXPECT_TRUE(isPart(c.next()));
  c.connection->sendFrame(2, c.frame(2, 50'000), FrameHaste::urgent);
  c.connection->sendText("hello");
  EXPECT_TRUE(std::holds_alternative<std::string>(c.connection->next()->item));
  const auto urgent = c.next();
  EXPECT_FALSE(isPart(urgent));
  EXPECT_EQ(frameNumber(urgent), 2U);
  EXPECT_TRUE(isPart(c.next()));
}

TEST(Connection, SendsSparePicturesAfterPatientOnesButNotBetweenTheirParts) {
  const UnreadConnection c;
  for (const std::uint32_t number : {1U, 2U})
    c.connection->sendFrame(number, c.frame(number, 20'000), FrameHaste::spare);
  EXPECT_TRUE(isPart(c.next()));
  c.connection->sendFrame(3, c.frame(3, 10), FrameHaste::patient);
  EXPECT_TRUE(isPart(c.next())) << "what has begun is ended";
  EXPECT_EQ(frameNumber(c.next()), 3U);
  EXPECT_FALSE(c.connection->hasMore(false)) << "there is no room for what can wait";
  EXPECT_FALSE(c.connection->next(false));
  EXPECT_TRUE(isPart(c.next()));
}

TEST(Connection, TakesBackWhatIsNotWhollySent) {
  const UnreadConnection c;
  c.connection->sendFrame(1, c.frame(1, 50'000), FrameHaste::patient);
  EXPECT_TRUE(isPart(c.next()));
  EXPECT_TRUE(c.connection->withdraw(1));
  EXPECT_FALSE(c.connection->hasMore());
  EXPECT_FALSE(c.connection->withdraw(1));
  c.connection->sendFrame(2, c.frame(2, 10), FrameHaste::patient);
  EXPECT_FALSE(isPart(c.next())) << "a small one goes as a whole";
  EXPECT_FALSE(c.connection->withdraw(2)) << "it is gone";
}

TEST_F(SocketTest, BadMessagesCloseWithCodeAndReason) {
  struct {
    std::string bytes;
    int code;
  } const table[] = {
      {frameOf(1, "garbage"), 1007},
      {frameOf(1, R"({"type":"dance"})"), 1007},
      {frameOf(1, "{\"type\":\"\xff\"}"), 1007},
      {frameOf(2, "binary"), 1003},
      {frameOf(1, std::string(maxMessageBytes + 1, ' ')), 1009},
      {frameOf(1, R"({"type":"probe","input":2,"mm":[0,0,0]})") +
           frameOf(1, R"({"type":"probe","input":2,"mm":[0,0,0]})"),
       1008},
  };
  for (const auto& bad : table) {
    auto client = stream();
    client->send(bad.bytes);
    const auto close = readClose(*client);
    EXPECT_EQ(close.closeCode(), bad.code) << bad.bytes.substr(0, 60);
    EXPECT_GT(close.payload.size(), 4U);
    client->send(frameOf(8, close.payload.substr(0, 2)));
    EXPECT_TRUE(client->readToEnd());
  }
  expectAlive();
}

TEST_F(SocketTest, ManyFragmentsCannotGrowWithoutEnd) {
  auto client = stream();
  client->send(frameOf(1, std::string(60'000, ' '), false));
  for (int i = 0; i < 20; ++i) client->send(frameOf(0, std::string(60'000, ' '), false));
  EXPECT_EQ(readClose(*client).closeCode(), 1009);
  auto huge = stream();
  huge->send(
      std::string("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04garbage", 21));  // claims 2^63 - 1 bytes
  for (int i = 0; i < 40; ++i) huge->send(std::string(60'000, ' '));
  EXPECT_EQ(readClose(*huge).closeCode(), 1009);
  expectAlive();
}

TEST_F(SocketTest, WebSocketGarbageDisturbsNobody) {
  for (const std::string& bytes :
       {std::string("\xff\xff\xff\xff\xff\xff"), std::string("\x81\x05hello"), std::string(3000, '\0'),
        std::string("\x83\x80\x01\x02\x03\x04"), frameOf(0, "no beginning"), std::string("\xc1\x80\x01\x02\x03\x04")}) {
    auto client = stream();
    client->send(bytes);
    client->readMore(200ms);
  }
  expectAlive();
}

TEST_F(SocketTest, AStalledClientDoesNotSlowAnother) {
  start({.messageBurst = 1e9, .byteBurst = 1e9});
  auto stalled = stream(4096);
  stalled->send(frameOf(1, R"({"type":"viewports","input":1,"views":{"axial":{"width":2048,"height":2048}}})"));
  std::string requests;
  for (int i = 2; i < 20'000; ++i)
    requests += frameOf(1, json{{"type", "probe"}, {"input", i}, {"mm", {0, 0, 0}}}.dump());
  std::jthread flood([&] { stalled->send(requests); });  // answers that it does not read; may block
  auto client = stream();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    client->send(frameOf(1, json{{"type", "ping"}, {"token", i}}.dump()));
    ASSERT_EQ(readText(*client, "pong")["token"], i);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  server.reset();  // ends the flood
}

TEST_F(SocketTest, AClientThatDoesNotReadIsCutOff) {
  auto deaf = stream(4096);
  for (int i = 0; i < 40; ++i) engine->broadcast(json{{"type", "news"}, {"text", std::string(512 << 10, 'x')}}.dump());
  expectAlive();
  for (int i = 0; i < 1000 && engine->sessionCount() > 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(engine->sessionCount(), 0U);
}

TEST_F(SocketTest, SlowHeadersEndAndHoldNobodyUp) {
  start({.requestSeconds = 1});
  std::vector<std::unique_ptr<Client>> lorises;
  for (int i = 0; i < 40; ++i) {
    lorises.push_back(std::make_unique<Client>(server->port()));
    lorises.back()->send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  }
  Client silent(server->port());
  expectAlive();
  for (auto& loris : lorises) EXPECT_TRUE(loris->readToEnd());
  EXPECT_TRUE(silent.readToEnd());
  expectAlive();
}

TEST_F(SocketTest, TooManyConnectionsAreRefusedPolitely) {
  start({.connections = 8});
  std::vector<std::unique_ptr<Client>> held;
  for (int i = 0; i < 8; ++i) {
    held.push_back(stream());
    readText(*held.back(), "hello");
  }
  Client extra(server->port());
  extra.readToEnd();
  EXPECT_TRUE(extra.input.starts_with("HTTP/1.1 503")) << extra.input;
  held.resize(6);  // room for the two connections of expectAlive
  for (int i = 0; i < 100 && engine->sessionCount() > 6; ++i) std::this_thread::sleep_for(20ms);
  expectAlive();
}

TEST_F(SocketTest, OneViewerTooManyIsToldToComeBack) {
  start({}, {.sessions = 1});
  auto first = stream();
  readText(*first, "hello");
  auto second = stream();
  const auto close = readClose(*second);
  EXPECT_EQ(close.closeCode(), 1013);
  EXPECT_NE(close.payload.find("too many viewers"), std::string::npos) << close.payload;
  first->send(frameOf(1, R"({"type":"ping","token":5})"));
  EXPECT_EQ(readText(*first, "pong")["token"], 5);
}

TEST_F(SocketTest, ClosingTheSocketEndsTheSession) {
  auto client = stream();
  readText(*client, "hello");
  EXPECT_EQ(engine->sessionCount(), 1U);
  client.reset();
  for (int i = 0; i < 500 && engine->sessionCount() > 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(engine->sessionCount(), 0U);
}

TEST_F(SocketTest, BindErrorsSayWhatToDo) {
  const auto handler = [](const HttpRequest&) { return HttpResponse{}; };
  const auto inUse = SocketServer::start({.port = server->port()}, *engine, handler, {});
  ASSERT_FALSE(inUse);
  EXPECT_EQ(inUse.error().code, ErrorCode::unavailable);
  EXPECT_EQ(inUse.error().what,
            "port " + std::to_string(server->port()) + " is already in use: choose another with --port");
  for (const char* address : {"not an address", "192.0.2.1", "300.1.1.1", ""}) {
    const auto bad = SocketServer::start({.bind = address, .port = 0}, *engine, handler, {});
    ASSERT_FALSE(bad) << address;
    EXPECT_EQ(bad.error().code, ErrorCode::invalidInput);
  }
  EXPECT_EQ(SocketServer::start({.port = 70000}, *engine, handler, {}).error().code, ErrorCode::invalidInput);
  EXPECT_TRUE(SocketServer::start({.bind = "localhost", .port = 0}, *engine, handler, {}));
  EXPECT_TRUE(SocketServer::start({.bind = "0.0.0.0", .port = 0}, *engine, handler, {}));
  expectAlive();
}

}  // namespace
}  // namespace nora
