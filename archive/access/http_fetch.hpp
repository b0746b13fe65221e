// A few small requests to a provider of log-ins, by libcurl.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace nora {

struct FetchRequest {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string form;                  // not empty: POST as application/x-www-form-urlencoded
};

struct FetchAnswer {
  int status = 0;
  std::string body;
};

struct FetchLimits {
  std::chrono::milliseconds connectTimeout{3000};
  std::chrono::milliseconds timeout{8000};  // for the whole request
  std::size_t mostBytes = 1 << 20;
  std::string caFile;  // PEM; empty: that of the system
};

/// Whether an address may be asked: https, or http on this machine only (127.0.0.1, [::1], localhost). Errors:
/// invalidInput (says what is wrong with it).
[[nodiscard]] Result<void> checkFetchAddress(const std::string& url);

/// One request; redirects are not followed. Any status is an answer. Thread: any; blocks up to the time-out.
/// Errors: as checkFetchAddress(); unavailable (not reachable, no answer in time, a certificate that is not trusted,
/// and what to do); limitExceeded (answer too large).
[[nodiscard]] Result<FetchAnswer> httpFetch(const FetchRequest& request, const FetchLimits& limits);

}  // namespace nora
