#include "app/open_index.hpp"

#include <cstdlib>
#include <filesystem>

namespace nora {
namespace {

std::filesystem::path dataFolder() {
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base =
      data != nullptr && *data != '\0' ? data : std::filesystem::path(home != nullptr ? home : ".") / ".local/share";
  return base / "nora";
}

std::string defaultIndex() {
  if (const char* named = std::getenv("NORA_INDEX"); named != nullptr && *named != '\0') return named;
  return (dataFolder() / "index.sqlite").string();
}

std::string storeFolder(const DatabaseAddress& address, const std::string& named) {
  const char* other = std::getenv("NORA_STORE");
  const auto folder = !named.empty()                       ? std::filesystem::path(named)
                      : other != nullptr && *other != '\0' ? std::filesystem::path(other)
                      : address.dialect == SqlDialect::sqlite
                          ? std::filesystem::path(address.file).parent_path() / "store"
                          : dataFolder() / "store";
  return std::filesystem::absolute(folder).lexically_normal().string();
}

}  // namespace

Result<DatabaseAddress> indexAddress(const std::string& text) {
  auto address = parseDatabaseAddress(text.empty() ? defaultIndex() : text);
  if (!address) return address;
  if (const char* password = std::getenv("NORA_INDEX_PASSWORD")) address->password = password;
  return address;
}

Result<std::unique_ptr<OpenIndex>> openIndex(const std::string& text, const std::string& store) {
  const auto address = indexAddress(text);
  if (!address) return tl::make_unexpected(address.error());
  if (address->dialect == SqlDialect::sqlite) {
    std::error_code failed;
    const auto folder = std::filesystem::absolute(address->file).parent_path();
    std::filesystem::create_directories(folder, failed);
    if (failed)
      return fail(ErrorCode::forbidden, "the folder of the index cannot be made: " + failed.message(), folder.string());
  }
  auto database = openDatabase(*address);
  if (!database) return tl::make_unexpected(database.error());
  auto out = std::make_unique<OpenIndex>(std::move(*database));
  if (auto done = out->archive.rememberIn(storeFolder(*address, store)); !done)
    return tl::make_unexpected(done.error());
  return out;
}

}  // namespace nora
