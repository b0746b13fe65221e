// The table of all formats: stored answers of independent readers (tests/data/formats/*.json, made by
// tests/formats/reference_*.py) and what nora reads of the same files, through real reader processes.
#pragma once

#include "base/error.hpp"
#include "image/content.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora::formats {

struct Answer {
  std::filesystem::path folder;  // where the file's name starts
  std::string list;              // "images_a": which answers it is of
  nlohmann::json expected;

  [[nodiscard]] std::string file() const { return expected.at("file").get<std::string>(); }
};

/// All answers of lists whose name ends with `_shared` (files beneath `folder`) or of all others.
[[nodiscard]] std::vector<Answer> answers(bool shared, const std::filesystem::path& folder);

/// What differs between nora's reading and the independent one; empty if nothing does.
[[nodiscard]] std::vector<std::string> differences(const Content& content, const nlohmann::json& expected);

/// The lines of docs/FORMATS.md, from what was really opened.
class Table {
 public:
  void opened(const Answer& answer, const Content& content);
  void refused(const Answer& answer, const Error& error);
  [[nodiscard]] std::string markdown() const;

 private:
  struct Row {
    std::string kind;
    int files = 0;
    std::vector<std::string> types, dims, tools;
  };
  std::map<std::pair<std::string, std::string>, Row> rows_;  // by kind and format
  std::map<std::string, std::string> refusals_;              // by file: the message
};

}  // namespace nora::formats
