// Requests with methods, headers and bodies, and who asks for a stream, by raw sockets.
#include "socket_fixture.hpp"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

using test::Client;
using test::frameOf;
using test::json;
using test::SocketTest;
using namespace std::chrono_literals;

/// Echoes what it is asked, and takes small bodies.
class HttpBodyTest : public SocketTest {
 protected:
  HttpBodyTest() {
    further = [this](const HttpRequest& request) -> HttpAnswer { return echo(request); };
  }
  HttpAnswer echo(const HttpRequest& request) {
    const json seen{{"method", request.method},   {"path", request.path},     {"query", request.query},
                    {"headers", request.headers}, {"client", request.client}, {"ownOrigin", request.ownOrigin}};
    HttpResponse response;
    response.body = seen.dump();
    if (request.path == "/x/echo") return response;
    if (request.path == "/x/headers") {
      response.headers = {{"set-cookie", "a=1"}, {"set-cookie", "b=2"}, {"cache-control", "no-store"}};
      return response;
    }
    if (request.path == "/x/split") {
      response.headers = {{"x-name", "a\r\nset-cookie: evil=1"}};
      return response;
    }
    if (request.path == "/x/missing") return problem({ErrorCode::notFound, "no such thing", {}});
    return HttpBody{100'000, [this](const std::string& body, const std::stop_token&) {
                      ++bodies;
                      HttpResponse answer;
                      answer.body = "got " + std::to_string(body.size()) + " " + body.substr(0, 20);
                      return answer;
                    }};
  }
  std::string send(const std::string& method, const std::string& path, const std::string& body,
                   const std::string& extra = "") {
    return request(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n" + extra + "\r\n" + body);
  }
  static json bodyOf(const std::string& answer) { return json::parse(answer.substr(answer.find("\r\n\r\n") + 4)); }

  std::atomic<int> bodies = 0;
};

TEST_F(HttpBodyTest, EveryMethodReachesTheHandlerAndOthersAreNamed) {
  for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    const auto answer = send(method, "/x/echo", "");
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 200")) << method << answer;
    EXPECT_EQ(bodyOf(answer)["method"], method);
  }
  EXPECT_TRUE(send("HEAD", "/x/echo", "").ends_with("\r\n\r\n"));
  const auto options = request("OPTIONS /x/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(options.starts_with("HTTP/1.1 405")) << options;
  EXPECT_NE(options.find("allow: GET, HEAD, POST, PUT, PATCH, DELETE\r\n"), std::string::npos) << options;
  const auto twice = request("GET / HTTP/1.1\r\nPOST /x/body HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_EQ(twice.find("HTTP/1.1 200"), std::string::npos) << twice;
}

TEST_F(HttpBodyTest, HeadersAndTheQueryComeWholeAndDecoded) {
  const auto seen = bodyOf(
      get("/x/echo?q=tag%3Aold%20%26%20a%2Bb%25+c&&empty=&last=%C3%A4",
          "Cookie: nora=1; other=2\r\nAuthorization: Bearer x\r\nX-Nora-Csrf:  abc \r\nUpload-Offset: 5\r\nRange: "
          "bytes=1-\r\nX-Other: 7\r\nIf-Match: \"3\"\r\nSec-Fetch-Site: same-origin\r\n"));
  EXPECT_EQ(seen["query"], (json{{"q", "tag:old & a+b% c"}, {"empty", ""}, {"last", "ä"}}));
  EXPECT_EQ(seen["headers"], (json{{"authorization", "Bearer x"},
                                   {"cookie", "nora=1; other=2"},
                                   {"if-match", "\"3\""},
                                   {"range", "bytes=1-"},
                                   {"sec-fetch-site", "same-origin"},
                                   {"upload-offset", "5"},
                                   {"x-nora-csrf", "abc"}}));
  EXPECT_EQ(seen["client"], "127.0.0.1");
  EXPECT_EQ(seen["ownOrigin"], "http://x");
  const std::string longest(4096, 's');
  EXPECT_EQ(bodyOf(get("/x/echo?q=" + longest))["query"]["q"], longest);
  EXPECT_TRUE(get("/x/echo?q=" + std::string(5000, 's')).starts_with("HTTP/1.1 414"));
  std::string many = "/x/echo?";
  for (int i = 0; i < 70; ++i) many += "a" + std::to_string(i) + "=1&";
  EXPECT_EQ(get(many).find("HTTP/1.1 200"), std::string::npos);
  EXPECT_TRUE(get("/x/echo", "Cookie: " + std::string(9000, 'c') + "\r\n").starts_with("HTTP/1.1 431"));
  EXPECT_EQ(bodyOf(get("/x/echo", "Cookie: " + std::string(6000, 'c') + "\r\n"))["headers"]["cookie"],
            std::string(6000, 'c'));
}

TEST_F(HttpBodyTest, TrustedProxiesSayWhoAsksAndByWhatName) {
  const std::string forwarded =
      "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Host: images.example.org\r\nX-Forwarded-Proto: https\r\n";
  EXPECT_EQ(bodyOf(get("/x/echo", forwarded))["client"], "127.0.0.1");
  EXPECT_EQ(bodyOf(get("/x/echo", forwarded))["ownOrigin"], "http://x");
  start({.trustedProxies = {"127.0.0.1"}});
  EXPECT_EQ(bodyOf(get("/x/echo", forwarded))["client"], "203.0.113.9");
  EXPECT_EQ(bodyOf(get("/x/echo", forwarded))["ownOrigin"], "https://images.example.org");
}

TEST_F(HttpBodyTest, FurtherHeadersOfAnAnswerAreSentAndReplaceTheUsualOnes) {
  const auto answer = get("/x/headers");
  EXPECT_NE(answer.find("set-cookie: a=1\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("set-cookie: b=2\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("cache-control: no-store\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("no-cache"), std::string::npos) << answer;
  const auto split = get("/x/split");
  EXPECT_TRUE(split.starts_with("HTTP/1.1 500")) << split;
  EXPECT_EQ(split.find("evil"), std::string::npos);
}

TEST_F(HttpBodyTest, BodiesComeWholeHoweverTheyAreSent) {
  EXPECT_TRUE(send("POST", "/x/body", "hello").ends_with("got 5 hello"));
  EXPECT_TRUE(send("POST", "/x/body", "").ends_with("got 0 "));
  EXPECT_TRUE(send("PUT", "/x/body", "").ends_with("got 0 "));
  EXPECT_TRUE(send("DELETE", "/x/body", "abc").ends_with("got 3 abc"));
  EXPECT_TRUE(send("PATCH", "/x/body", std::string(100'000, 'p')).ends_with("got 100000 " + std::string(20, 'p')));
  Client slow(server->port());
  slow.sendSlowly("POST /x/body HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world");
  EXPECT_TRUE(slow.readUntil("got 11 hello world")) << slow.input;
  EXPECT_TRUE(request("POST /x/body HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("got 0 ")) << "no length is no body";
}

TEST_F(HttpBodyTest, AConnectionServesOneRequestAfterAnother) {
  Client client(server->port());
  for (int i = 0; i < 20; ++i) {
    const std::string body = "body " + std::to_string(i);
    client.send("POST /x/body HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    ASSERT_TRUE(client.readUntil(" " + body)) << i << client.input;
    client.input.clear();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.readUntil("the page")) << i << client.input;
    client.input.clear();
  }
}

TEST_F(HttpBodyTest, RequestsThatComeInOnePieceAreAnsweredOrEndTheConnection) {
  const std::string post = "POST /x/body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  const std::string page = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  Client after(server->port());
  after.send(post + page);
  ASSERT_TRUE(after.readUntil("the page")) << after.input;
  EXPECT_LT(after.input.find("got 5 hello"), after.input.find("the page"));
  for (const std::string& first : {page, post, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n" + page}) {
    Client client(server->port());
    client.send(first + post + page);
    EXPECT_TRUE(client.readToEnd()) << client.input;
    EXPECT_TRUE(client.input.starts_with("HTTP/1.1 200")) << client.input;
    EXPECT_NE(client.input.find("must wait for the answer to the one before it"), std::string::npos) << client.input;
  }
  for (std::size_t cut = 1; cut < post.find("\r\n\r\n") + 4; cut += 7) {  // its head is complete only later
    Client client(server->port());
    client.send(page + post.substr(0, cut));
    ASSERT_TRUE(client.readUntil("the page"));
    client.send(post.substr(cut) + page);
    EXPECT_TRUE(client.readUntil("got 5 hello")) << cut << client.input;
  }
  expectAlive();
}

TEST_F(HttpBodyTest, ABodyThatIsTooLongIsRefusedBeforeItComes) {
  const auto tooLong = send("POST", "/x/body", std::string(100'001, 'x'));
  EXPECT_TRUE(tooLong.starts_with("HTTP/1.1 413")) << tooLong.substr(0, 200);
  EXPECT_NE(tooLong.find("connection: close"), std::string::npos);
  EXPECT_NE(tooLong.find("larger than 100000 bytes"), std::string::npos);
  Client client(server->port());
  client.send("POST /x/body HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
  ASSERT_TRUE(client.readUntil("larger than")) << client.input;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(client.readToEnd());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s) << "the client is not waited for";
  EXPECT_EQ(bodies, 0);
  start({.bodyBytes = 50'000});
  EXPECT_TRUE(send("POST", "/x/body", std::string(50'001, 'x')).starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(send("POST", "/x/body", std::string(50'000, 'x')).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(send("POST", "/x/body", std::string(50'000, 'x')).starts_with("HTTP/1.1 200")) << "room was given back";
}

TEST_F(HttpBodyTest, AHandlerThatWantsNoBodySaysSo) {
  EXPECT_TRUE(send("POST", "/x/echo", "abc").starts_with("HTTP/1.1 400"));
  const auto missing = send("POST", "/x/missing", std::string(300'000, 'm'));
  EXPECT_TRUE(missing.starts_with("HTTP/1.1 404")) << missing;
  EXPECT_NE(missing.find("no such thing"), std::string::npos);
}

TEST_F(HttpBodyTest, WhatIsExpectedIsSaid) {
  Client client(server->port());
  client.send("POST /x/body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(client.readUntil("HTTP/1.1 100 Continue\r\n\r\n")) << client.input;
  client.send("hello");
  EXPECT_TRUE(client.readUntil("got 5 hello")) << client.input;
  Client refused(server->port());
  refused.send("POST /x/body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n");
  ASSERT_TRUE(refused.readUntil("\r\n\r\n"));
  EXPECT_TRUE(refused.input.starts_with("HTTP/1.1 413")) << refused.input;
  EXPECT_TRUE(send("POST", "/x/body", "a", "Expect: miracles\r\n").starts_with("HTTP/1.1 417"));
}

TEST_F(HttpBodyTest, NoBodyIsSmuggled) {
  const std::string inner = "GET /x/echo?smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(inner.size()) + "\r\n";
  for (const std::string& head :
       {length + "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n" + length,
        "Transfer-Encoding:\r\n" + length, "Transfer-Encoding: xchunked\r\n" + length, "Content-Length: 0\r\n" + length,
        length + length, std::string("Content-Length: 0, 5\r\n"), std::string("Content-Length: +5\r\n"),
        std::string("Content-Length: -1\r\n"), std::string("Content-Length:\r\n"),
        std::string("Content-Length: 0x10\r\n"), std::string("Content-Length: 99999999999999999999\r\n"),
        "Transfer-Encoding : chunked\r\n" + length, "Content-Length : 3\r\n" + length,
        "Transfer-Encoding\t: chunked\r\n" + length}) {
    const auto answer = request("POST /x/body HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" + inner);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 403")) << head << answer;
    EXPECT_EQ(answer.find("smuggled"), std::string::npos) << head << answer;
  }
  const auto chunked =
      request("POST /x/body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.starts_with("HTTP/1.1 411")) << chunked;
  EXPECT_NE(chunked.find("needs a content-length"), std::string::npos) << chunked;
  EXPECT_EQ(bodies, 0);
  expectAlive();
}

TEST_F(HttpBodyTest, ABodyThatDoesNotComeEndsTheConnection) {
  start({.stall = 600ms});
  Client client(server->port());
  client.send("POST /x/body HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n");
  for (int i = 0; i < 12; ++i) {
    client.send("drip");
    std::this_thread::sleep_for(100ms);
  }
  ASSERT_TRUE(client.readUntil("the body does not come")) << client.input;
  EXPECT_TRUE(client.input.starts_with("HTTP/1.1 408")) << client.input;
  EXPECT_TRUE(client.readToEnd());
  EXPECT_EQ(bodies, 0);
}

TEST_F(HttpBodyTest, TheGateSeesTheRequestAndNothingIsReadBeforeItHasDecided) {
  std::atomic<int> asked = 0;
  HttpRequest seen;
  visitors = [&](const HttpRequest& request, std::stop_token stop) -> Result<StreamVisitor> {
    seen = request;
    ++asked;
    std::unique_lock lock(gateMutex);
    gateNews.wait_for(lock, stop, 20s, [&] { return gate; });
    return StreamVisitor{"somebody", images};
  };
  Client client(server->port());
  client.send(handshake(protocolHeader() + "Cookie: nora=secret\r\nOrigin: http://localhost:8080\r\n") + startFrame() +
              frameOf(1, R"({"type":"ping","token":5})"));
  ASSERT_TRUE(client.readUntil("\r\n\r\n"));
  ASSERT_TRUE(reaches(asked, 1));
  client.send(frameOf(1, R"({"type":"ping","token":6})"));
  EXPECT_TRUE(get("/").ends_with("the page")) << "nobody else waits";
  EXPECT_EQ(engine->sessionCount(), 0U);
  openGate();
  client.input.erase(0, client.input.find("\r\n\r\n") + 4);
  EXPECT_EQ(readText(client, "pong")["token"], 5);
  EXPECT_EQ(readText(client, "pong")["token"], 6);
  EXPECT_EQ(seen.header("cookie"), "nora=secret");
  EXPECT_EQ(seen.header("origin"), "http://localhost:8080");
  EXPECT_EQ(seen.path, "/api/v1/stream");
  EXPECT_EQ(seen.client, "127.0.0.1");
}

TEST_F(HttpBodyTest, TheGateTurnsAway) {
  Error why{ErrorCode::forbidden, "log in first", {}};
  visitors = [&](const HttpRequest&, const std::stop_token&) -> Result<StreamVisitor> {
    return tl::make_unexpected(why);
  };
  const auto closeOf = [&] {
    Client client(server->port());
    client.send(handshake() + startFrame());
    EXPECT_TRUE(client.readUntil("\r\n\r\n"));
    client.input.erase(0, client.input.find("\r\n\r\n") + 4);
    return readClose(client);
  };
  const auto close = closeOf();
  EXPECT_EQ(close.closeCode(), 4003);
  EXPECT_EQ(close.payload.substr(2), "log in first");
  why = {ErrorCode::unavailable, "the database is away", {}};
  EXPECT_EQ(closeOf().closeCode(), 1013);
  EXPECT_EQ(engine->sessionCount(), 0U);
}

TEST_F(HttpBodyTest, AUserWithTooManyViewersKeepsNobodyElseOut) {
  start({}, {.sessionsPerUser = 2});
  const std::vector<std::string> users{"anna", "anna", "anna", "bert", "", "", ""};
  std::vector<std::unique_ptr<Client>> clients;
  std::size_t next = 0;
  visitors = [&](const HttpRequest&, const std::stop_token&) -> Result<StreamVisitor> {
    return StreamVisitor{users[next], images, users[next]};
  };
  for (; next < users.size(); ++next) {
    auto& client = *clients.emplace_back(std::make_unique<Client>(server->port()));
    client.send(handshake() + startFrame());
    EXPECT_TRUE(client.readUntil("\r\n\r\n"));
    client.input.erase(0, client.input.find("\r\n\r\n") + 4);
    if (next != 2) {
      readText(client, "hello");
      continue;
    }
    const auto close = readClose(client);
    EXPECT_EQ(close.closeCode(), 1013);
    EXPECT_EQ(close.payload.substr(2), "you have too many viewers open: close one of the 2");
  }
  EXPECT_EQ(engine->sessionCount(), 6U);
}

TEST_F(HttpBodyTest, WhoLeavesTheGateIsNotAskedForAnyMore) {
  std::atomic<int> asked = 0, ended = 0;
  visitors = [&](const HttpRequest&, std::stop_token stop) -> Result<StreamVisitor> {
    ++asked;
    std::unique_lock lock(gateMutex);
    if (!gateNews.wait_for(lock, stop, 20s, [] { return false; }) && stop.stop_requested()) ++ended;
    return StreamVisitor{"somebody", images};
  };
  auto client = std::make_unique<Client>(server->port());
  client->send(handshake());
  ASSERT_TRUE(reaches(asked, 1));
  client.reset();
  server.reset();  // a client that sent nothing more is noticed at the latest with the end
  EXPECT_TRUE(reaches(ended, 1));
}

}  // namespace
}  // namespace nora
