#include "archive/access/http_fetch.hpp"

#include <array>
#include <memory>
#include <mutex>

#include <curl/curl.h>

namespace nora {
namespace {

struct Body {
  std::string text;
  std::size_t most;
};

std::size_t take(char* data, std::size_t, std::size_t size, void* to) {
  auto& body = *static_cast<Body*>(to);
  if (body.text.size() + size > body.most) return 0;  // ends the transfer with CURLE_WRITE_ERROR
  body.text.append(data, size);
  return size;
}

struct Address {
  std::string scheme, host;
  bool hasUser = false;
};

std::string partOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

/// Parsed by the library that will use it, so that both see the same host.
Address parsed(const std::string& text) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return {};
  return {partOf(url.get(), CURLUPART_SCHEME), partOf(url.get(), CURLUPART_HOST),
          !partOf(url.get(), CURLUPART_USER).empty()};
}

bool isLocal(const std::string& host) {
  return host == "127.0.0.1" || host == "[::1]" || host == "::1" || host == "localhost";
}

std::string advice(CURLcode code, const FetchLimits& limits) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "; is " + (limits.caFile.empty() ? std::string("the system's CA file") : limits.caFile) +
             " that of the CA which signed its certificate, and is the host's name in it?";
    case CURLE_SSL_CACERT_BADFILE: return "; ca_file must be a readable PEM file of CA certificates";
    case CURLE_COULDNT_RESOLVE_HOST: return "; is the host's name right, and the name server reachable?";
    case CURLE_COULDNT_CONNECT: return "; is it running, and host and port right?";
    case CURLE_OPERATION_TIMEDOUT: return "; it did not answer in time";
    default: return "";
  }
}

void setOptions(CURL* curl, const FetchRequest& request, const FetchLimits& limits, curl_slist* headers, Body& body,
                char* problem) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connectTimeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!limits.caFile.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, limits.caFile.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  if (isLocal(parsed(request.url).host)) curl_easy_setopt(curl, CURLOPT_PROXY, "");  // a proxy cannot reach it
  if (!request.form.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.form.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.form.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
}

}  // namespace

Result<void> checkFetchAddress(const std::string& url) {
  const auto wrong = [&](std::string what) {
    return fail(ErrorCode::invalidInput, std::move(what), url.substr(0, 200));
  };
  const Address address = parsed(url);
  if (address.host.empty()) return wrong("is not an address: use https://HOST/...");
  if (address.hasUser) return wrong("must not hold a user's name or password");
  if (address.scheme == "https" || (address.scheme == "http" && isLocal(address.host))) return {};
  return wrong("must begin with https:// (http:// is for this machine only)");
}

Result<FetchAnswer> httpFetch(const FetchRequest& request, const FetchLimits& limits) {
  if (auto checked = checkFetchAddress(request.url); !checked) return tl::make_unexpected(checked.error());
  static std::once_flag started;
  std::call_once(started, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  curl_slist* list = nullptr;
  for (const auto& header : request.headers) list = curl_slist_append(list, header.c_str());
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);
  if (!curl) return fail(ErrorCode::internal, "libcurl cannot be started", request.url);

  Body body{{}, limits.mostBytes};
  std::array<char, CURL_ERROR_SIZE> problem{};
  setOptions(curl.get(), request, limits, headers.get(), body, problem.data());
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) {
    return fail(ErrorCode::limitExceeded, "answers with more than " + std::to_string(limits.mostBytes) + " bytes",
                request.url);
  }
  if (code != CURLE_OK) {
    const std::string what = problem[0] != '\0' ? problem.data() : curl_easy_strerror(code);
    return fail(ErrorCode::unavailable, printable(what) + advice(code, limits), request.url);
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return FetchAnswer{static_cast<int>(status), std::move(body.text)};
}

}  // namespace nora
