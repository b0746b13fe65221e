#include "tests/archive/search_world.hpp"

#include <cstdio>

namespace nora::test {
namespace {

const std::vector<std::string> names{"sub-01",
                                     "SUB-01",
                                     "sub-010",
                                     "Müller",
                                     "MÜLLER",
                                     "Mu\xCC\x88ller",
                                     "straße",
                                     "STRASSE",
                                     "a%b",
                                     "a_b",
                                     "axb",
                                     "O'Brien",
                                     "x!y",
                                     "日本",
                                     "日本語",
                                     "'; DROP TABLE file;--",
                                     "<b>x</b>",
                                     "trail ",
                                     "trail",
                                     "a\"b",
                                     "T1w",
                                     "t1",
                                     "mprage",
                                     "back\\slash",
                                     "\xF0\x9F\xA7\xA0 brain",
                                     "ses-1",
                                     "x*y"};
const std::vector<std::string> tags{"checked", "Checked", "exclude", "prüfen", "a b", "50%"};
const std::vector<std::string> words{
    "sub",  "01",   "müll",  "SS", "a_", "%", "'",   "本", "語",  "t1", "mprage", "\xF0\x9F\xA7\xA0",
    "drop", "anat", "trail", "mr", "\\", "x", "zzz", "ni", ".nii"};
const std::vector<std::string> keys{"age", "group", "scan.tr", "Scan.TE", "visit", "ümlaut", "PatientName", "none"};

template <class List>
const auto& oneOf(const List& list, Random& random) {
  return list[random() % list.size()];
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

nlohmann::json randomValue(Random& random) {
  switch (random() % 10) {
    case 0: return static_cast<int>(random() % 5) + 58;
    case 1: return 2.5;
    case 2: return std::to_string(58 + random() % 5);
    case 3: return oneOf(names, random);
    case 4: return random() % 2 == 0;
    case 5: return nullptr;
    case 6: return nlohmann::json::array({60, "patient", "2024-03-15"});
    case 7: return "2024-0" + std::to_string(1 + random() % 9) + "-15T10:00:00";
    case 8: return "Patient";
    default: return nlohmann::json::array();
  }
}

nlohmann::json randomMeta(Random& random) {
  nlohmann::json meta = nlohmann::json::object();
  if (random() % 3 != 0) return meta;
  for (std::size_t n = random() % 4; n > 0; --n) {
    const std::string key = oneOf(keys, random);
    const auto dot = key.find('.');
    if (dot == std::string::npos) {
      meta[key] = randomValue(random);
    } else {
      meta[key.substr(0, dot)][key.substr(dot + 1)] = randomValue(random);
    }
  }
  return meta;
}

std::string randomDate(Random& random) {
  if (random() % 3 == 0) return {};
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%d-%02d-%02d", 2023 + static_cast<int>(random() % 2),
                1 + static_cast<int>(random() % 12), 1 + static_cast<int>(random() % 28));
  return text.data();
}

void fillFile(Item& file, Random& random) {
  const std::vector<std::string> kinds{"image", "surface", "table", ""};
  const std::vector<std::string> formats{"nifti", "dicom", "gifti", ""};
  const std::vector<std::string> modalities{"MR", "mr", "CT", "PT", ""};
  const std::vector<std::string> sequences{"t1_MPRAGE_sag", "t2 tse", "ep2d_bold", "Größe 1", ""};
  const std::vector<std::int64_t> sizes{0, 999, 1000, 1024, 1500000, 10000000, 20000000};
  file.kind = oneOf(kinds, random);
  file.format = oneOf(formats, random);
  file.modality = oneOf(modalities, random);
  file.sequence = oneOf(sequences, random);
  file.size = oneOf(sizes, random);
  file.state = static_cast<std::int64_t>(random() % 3);
  file.name += random() % 2 == 0 ? ".nii.gz" : ".json";
  file.path = oneOf(names, random) + "/anat/" + file.name;
  if (random() % 3 == 0) return;  // no image
  file.dims = {random() % 2 == 0 ? 256 : 64, random() % 2 == 0 ? 256 : 64, static_cast<std::int64_t>(random() % 3) * 30,
               static_cast<std::int64_t>(random() % 3)};
  const std::vector<double> edges{0.5, 1.0, 1.0000001, 2.0};
  file.spacing = {oneOf(edges, random), oneOf(edges, random), random() % 4 == 0 ? 0.0 : oneOf(edges, random)};
}

Item randomItem(Level level, std::int64_t id, Random& random) {
  constexpr std::int64_t newYear2024 = 1704067200000000;
  constexpr std::int64_t dayUs = 86400000000;
  Item item;
  item.id = id;
  item.name = oneOf(names, random);
  item.title = level == Level::project ? oneOf(names, random) : "";
  item.pseudonym = level == Level::subject ? "P-" + std::to_string(id) + "X" : "";
  item.date = randomDate(random);
  item.createdUs = newYear2024 + static_cast<std::int64_t>(random() % 100) * dayUs;
  item.changedUs = newYear2024 + static_cast<std::int64_t>(random() % 100) * dayUs - 1;
  item.meta = randomMeta(random);
  while (random() % 4 == 0) item.tags.insert(oneOf(tags, random));
  if (level == Level::file) fillFile(item, random);
  item.parents.at(static_cast<std::size_t>(level)) = id;
  return item;
}

std::string randomTextValue(Random& random, const std::vector<std::string>& whole) {
  switch (random() % 4) {
    case 0: return quoted(oneOf(whole, random));
    case 1: return "*" + oneOf(std::vector<std::string>{"1", "b", "ü", "e", "本", "ra", "%"}, random) + "*";
    case 2:
      return oneOf(std::vector<std::string>{"sub-0?", "m*", "?????", "t*1", "*", "a?b", "x!y", "mr", "nifti"}, random);
    default:
      return oneOf(std::vector<std::string>{"SUB-01", "mÜller", "strasse", "T1W", "CT", "image", "checked"}, random);
  }
}

std::string randomDateValue(Random& random) {
  return oneOf(std::vector<std::string>{":2024", ":2024-03", "=2024-03-05", ":>=2024-03-01", "<2024-02", ">2023",
                                        ":2023-06..2024-02", ":..2024-01-10", ":2024-02..", "!=2024", "<=2024-01"},
               random);
}

std::string randomMetaCondition(Random& random) {
  const std::string level =
      oneOf(std::vector<std::string>{"", "", "", "file.", "study.", "subject.", "project."}, random);
  const std::string key = level + "meta." + oneOf(keys, random);
  const std::vector<std::string> comparisons{
      ">60",      "<60",      "=60",           "!=60",   ":59..61", ">=2.5",  "<=2.5",
      ":..60",    "=patient", "!=patient",     "=*a*",   ":true",   "=-1",    ":2024-03..2024-06",
      ">2024-04", "<2024-05", ">=\"patient\"", "<\"n\"", "=60?",    "=\"60\""};
  return random() % 6 == 0 ? "has:" + key : key + oneOf(comparisons, random);
}

std::string randomCondition(Random& random) {
  const std::vector<std::string> numbers{
      "size:>1k",       "size:0",     "size:<=1Ki",    "size:1k..1.5M",  "size!=1000",     "dim:4",
      "dim:>=3",        "dim:<3",     "dim:64x64",     "dim:256x*x1",    "dim:2..3",       "dim!=3",
      "dim:64x64x30x2", "spacing:1",  "spacing:<1.1",  "spacing:>=2",    "spacing:0.5..1", "spacing:1x1x2",
      "spacing:1x*x*",  "spacing!=1", "state:present", "state:vanished", "state!=broken",  "has:date",
      "has:modality",   "has:dim",    "has:tag",       "has:file.tag",   "has:sequence",   "has:spacing",
      "has:subject",    "has:study"};
  const std::string not_ = random() % 5 == 0 ? "!=" : ":";
  switch (random() % 9) {
    case 0: return random() % 2 == 0 ? oneOf(words, random) : quoted(oneOf(words, random));
    case 1: return oneOf(std::vector<std::string>{"*.nii.gz", "sub*", "*/anat/*", "?*?*?", "*ü*", "*.json"}, random);
    case 2:
      return oneOf(std::vector<std::string>{"name", "path", "project", "subject", "study"}, random) + not_ +
             randomTextValue(random, names);
    case 3:
      return oneOf(std::vector<std::string>{"tag", "tag", "file.tag", "subject.tag", "study.tag", "project.tag"},
                   random) +
             not_ + randomTextValue(random, tags);
    case 4:
      return oneOf(std::vector<std::string>{"kind", "format", "modality", "sequence"}, random) + not_ +
             oneOf(std::vector<std::string>{"mr", "ct", "nifti", "image", "*mprage*", "\"größe 1\"", "*", "\"mr \""},
                   random);
    case 5: return oneOf(std::vector<std::string>{"date", "added", "changed"}, random) + randomDateValue(random);
    case 6:
    case 7: return randomMetaCondition(random);
    default: return oneOf(numbers, random);
  }
}

std::string randomTree(Random& random, int depth) {
  if (depth == 0 || random() % 3 == 0) return randomCondition(random);
  switch (random() % 4) {
    case 0: return "(" + randomTree(random, depth - 1) + " | " + randomTree(random, depth - 1) + ")";
    case 1: return "!(" + randomTree(random, depth - 1) + ")";
    case 2: return randomTree(random, depth - 1) + " " + randomTree(random, depth - 1);
    default: return randomTree(random, depth - 1) + " & !" + randomCondition(random);
  }
}

}  // namespace

World randomWorld(Random& random) {
  World world;
  const std::array<std::int64_t, 5> counts{0, 4, 12, 25, 150};
  for (std::size_t level = 1; level <= 4; ++level) {
    for (std::int64_t id = 1; id <= counts.at(level); ++id) {
      Item item = randomItem(static_cast<Level>(level), id, random);
      if (level > 1) {
        const auto& above = oneOf(world.levels.at(level - 1), random);
        for (std::size_t i = 1; i < level; ++i) item.parents.at(i) = above.parents.at(i);
        if (level == 4 && random() % 10 == 0) item.parents[3] = 0;                    // in no study
        if (level == 4 && random() % 15 == 0) item.parents[2] = item.parents[3] = 0;  // in no subject
      }
      world.levels.at(level).push_back(std::move(item));
    }
  }
  return world;
}

std::string randomSearch(Random& random) {
  return randomTree(random, static_cast<int>(random() % 4));
}

SearchScope randomScope(const World& world, Random& random) {
  SearchScope scope;
  scope.everyProject = random() % 3 != 0;
  for (const Item& project : world.of(Level::project)) {
    const auto where = random() % 6;
    if (where == 0) scope.pseudonymous.push_back(project.id);
    if (where > 3) scope.projects.push_back(project.id);
  }
  return scope;
}

}  // namespace nora::test
