// LwsStreams: the WebSockets of the socket loop, from the handshake to the end.
#pragma once

#include "streaming/socket/lws_peer.hpp"
#include "streaming/socket/peer_book.hpp"
#include "streaming/socket/server.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

struct lws;

namespace nora {

/// Belongs to the socket thread, but for end(). What returns int returns the result of a libwebsockets callback.
class LwsStreams {
 public:
  /// All but the gate must outlive it.
  LwsStreams(StreamEngine& engine, StreamGate gate, const SocketServer::Options& options, HttpSide& side,
             PeerBook& peers, std::shared_ptr<LoopWaker> waker)
      : engine_(engine),
        gate_(std::move(gate)),
        options_(options),
        side_(side),
        metrics_(side.metrics),
        peers_(peers),
        waker_(std::move(waker)) {}

  /// May this HTTP request become a stream? Answers it itself if not.
  [[nodiscard]] int confirm(lws* wsi, StreamPeer& peer, std::string_view upgrade);
  int established(lws* wsi, StreamPeer& peer);
  int received(lws* wsi, StreamPeer& peer, std::string_view bytes);
  int wantPing(lws* wsi, StreamPeer& peer);
  int ponged(lws* wsi, StreamPeer& peer, std::string_view payload);
  int writable(lws* wsi, StreamPeer& peer);
  void gone(StreamPeer& peer);
  /// Those that have something to write, and the end, if it has come.
  void wake();
  /// Tells every stream that the server ends, and waits until they have gone. Thread: any other.
  void end(std::chrono::milliseconds within);

 private:
  int refuse(lws* wsi, int status, std::string_view reason, std::string_view text);
  void askGate(lws* wsi, StreamPeer& peer);
  void decided(lws* wsi, StreamPeer& peer, Result<StreamVisitor> visitor);
  void tellEnd();
  void firstHeard(lws* wsi, StreamPeer& peer);
  [[nodiscard]] bool isWithinRates(StreamPeer& peer, std::size_t bytes, bool endsMessage);
  int ping(lws* wsi, StreamPeer& peer);
  int writeMessage(lws* wsi, const void* data, std::size_t size, int kind);
  int writeItem(lws* wsi, StreamPeer& peer, Connection::Next& next);

  StreamEngine& engine_;
  const StreamGate gate_;
  const SocketServer::Options& options_;
  HttpSide& side_;
  TransportMetrics& metrics_;
  PeerBook& peers_;
  const std::shared_ptr<LoopWaker> waker_;
  std::map<IpAddress, std::size_t> streamsOf_;  // by client
  std::map<Connection*, lws*> sockets_;
  std::mutex endMutex_;
  std::condition_variable quiet_;
  bool ending_ = false;  // by endMutex_
  bool hasStreams_ = false;
};

}  // namespace nora
