// The server's handle of one reader process. After a failed exchange the process is dead.
#pragma once

#include "base/child_process.hpp"
#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "image/io/reader_pool.hpp"
#include "image/io/reader_protocol.hpp"

#include <memory>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

namespace nora::reader {

class Process {
 public:
  /// Starts `program reader`, tells it its limits and waits until it has closed itself in.
  [[nodiscard]] static Result<std::unique_ptr<Process>> start(ChildStarter& starter, const std::string& program,
                                                              const ReaderPool::Limits& limits,
                                                              const Patience& patience);

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] std::size_t requests() const { return requests_; }

  /// False if the process died, or speaks without being asked, since its last request.
  [[nodiscard]] bool isWaiting() const;

  /// Errors: unavailable (it died: "the reader stopped (signal 11)", took too long, makes no sense); cancelled.
  [[nodiscard]] Result<void> send(const nlohmann::json& message, std::span<const int> descriptors,
                                  const Patience& patience);
  [[nodiscard]] Result<nlohmann::json> receive(const Patience& patience);
  /// Waits for a message for a while; false if there is none. Errors: as receive.
  [[nodiscard]] Result<bool> hasMessage(std::chrono::milliseconds atMost, const Patience& patience);
  void countRequest() { ++requests_; }

 private:
  Process(ChildProcess child, UniqueFd socket);
  Error bury(Ending ending, const Patience& patience);

  ChildProcess child_;
  int id_;
  UniqueFd socket_;
  std::size_t requests_ = 0;
};

}  // namespace nora::reader
