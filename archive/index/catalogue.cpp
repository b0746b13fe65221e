// The list of what was found, in memory.
#include "archive/index/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nora {
namespace {

constexpr std::array<std::string_view, 4> stateNames{"ready", "unsupported", "failed", "removed"};

/// File names may hold any bytes, JSON only UTF-8: what is not becomes U+FFFD, as in every other JSON that nora writes.
std::string validUtf8(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return text;
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

std::string withoutFirstNumber(const std::string& series) {
  return series.ends_with("#0") ? series.substr(0, series.size() - 2) : series;
}

std::pair<std::string, std::string> sourceKey(const std::string& path, const std::string& series) {
  return {path, withoutFirstNumber(series)};
}

bool isListed(const Entry& entry) {
  return entry.state != EntryState::removed;
}

}  // namespace

nlohmann::json toJson(const Entry& entry) {
  std::vector<std::string> warnings;
  std::transform(entry.warnings.begin(), entry.warnings.end(), std::back_inserter(warnings), validUtf8);
  return {
      {"id", entry.id},
      {"revision", entry.revision},
      {"subject", validUtf8(entry.subject)},
      {"study", validUtf8(entry.study)},
      {"name", validUtf8(entry.name)},
      {"path", validUtf8(entry.path)},
      {"kind", validUtf8(entry.kind)},
      {"format", validUtf8(entry.format)},
      {"dims", entry.dims},
      {"timePoints", entry.timePoints},
      {"modality", validUtf8(entry.modality)},
      {"description", validUtf8(entry.description)},
      {"instances", entry.instances},
      {"sizeBytes", entry.sizeBytes},
      {"source", {{"path", sourcePath(entry)}, {"series", validUtf8(entry.series)}}},
      {"sourceSeries", validUtf8(entry.sourceSeries)},
      {"state", stateNames[static_cast<std::size_t>(entry.state)]},
      {"reason", validUtf8(entry.reason)},
      {"warnings", warnings},
  };
}

std::string sourcePath(const Entry& entry) {
  const std::string shown = validUtf8(entry.path);
  return shown == entry.path && !entry.ambiguous ? shown : "[" + entry.id + "]/" + shown;
}

void Catalogue::put(std::vector<Entry> entries) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries) {
    entry.revision = ++counts_.revision;
    const auto [position, isNew] = byId_.try_emplace(entry.id, entries_.size());
    const std::size_t index = position->second;
    if (isNew) {
      entries_.emplace_back();
    } else {
      const Entry& old = entries_[index];
      byRevision_.erase(old.revision);
      counts_.entries -= isListed(old) ? 1 : 0;
      counts_.problems -= old.state == EntryState::failed ? 1 : 0;
    }
    counts_.entries += isListed(entry) ? 1 : 0;
    counts_.problems += entry.state == EntryState::failed ? 1 : 0;
    byRevision_[entry.revision] = index;
    if (!entry.ambiguous) bySource_[sourceKey(entry.path, entry.series)] = index;
    bySource_.try_emplace(sourceKey(sourcePath(entry), validUtf8(entry.series)), index);
    entries_[index] = std::move(entry);
  }
}

void Catalogue::setProgress(std::int64_t files, bool scanning) {
  const std::lock_guard lock(mutex_);
  counts_.files = files;
  counts_.scanning = scanning;
}

Catalogue::Page Catalogue::after(std::uint64_t revision, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  Page page;
  page.revision = counts_.revision;
  auto next = byRevision_.upper_bound(revision);
  for (; next != byRevision_.end() && page.entries.size() < limit; ++next) {
    page.entries.push_back(entries_[next->second]);
  }
  page.more = next != byRevision_.end();
  if (page.more) page.revision = page.entries.empty() ? revision : page.entries.back().revision;
  return page;
}

std::optional<Entry> Catalogue::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto position = byId_.find(id);
  if (position == byId_.end()) return std::nullopt;
  return entries_[position->second];
}

std::optional<Entry> Catalogue::find(const std::string& path, const std::string& series) const {
  const std::lock_guard lock(mutex_);
  const auto position = bySource_.find(sourceKey(path, series));
  if (position == bySource_.end()) return std::nullopt;
  return entries_[position->second];
}

std::optional<Entry> Catalogue::findSeries(const std::string& uid) const {
  const std::lock_guard lock(mutex_);
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    const bool ofSeries =
        entry.series.starts_with(uid) && (entry.series.size() == uid.size() || entry.series[uid.size()] == '#');
    if (uid.empty() || !ofSeries || entry.state != EntryState::ready || entry.kind != "image") continue;
    if (found == nullptr || entry.instances > found->instances) found = &entry;
  }
  return found == nullptr ? std::nullopt : std::optional(*found);
}

Catalogue::Counts Catalogue::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::string entryId(const std::string& path, const std::string& series) {
  constexpr std::uint64_t offset = 0xcbf29ce484222325, prime = 0x100000001b3;  // FNV-1a, 64 bits
  std::uint64_t hash = offset;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  };
  add(path);
  add(std::string_view("\0", 1));  // no path has one
  add(withoutFirstNumber(series));
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return digits.data();
}

}  // namespace nora
