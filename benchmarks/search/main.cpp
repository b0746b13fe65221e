// First and deep pages of every kind of search on SQLite: search_bench FILE [files]. Makes FILE where it is not there;
// a million files in 10,000 subjects take about a minute. Prints JSON.
#include "tests/archive/search_world.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nora::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int filesOfStudy = 50;
constexpr int studiesOfSubject = 2;
constexpr int subjectsOfProject = 500;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Numbers 1 to count as the table n(i).
std::string numbersTo(std::int64_t count) {
  return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(count) + ") ";
}

void makeTree(TestDatabase& database, std::int64_t files) {
  const std::int64_t studies = files / filesOfStudy;
  const std::int64_t subjects = studies / studiesOfSubject;
  const auto run = [&](const std::string& text) { database.execute(text); };
  run("INSERT INTO project (id, name, name_fold, title, root, in_place, settings, meta, created_us, changed_us, "
      "revision) " +
      numbersTo(subjects / subjectsOfProject) +
      "SELECT i, 'project' || i, 'project' || i, '', '', 0, '', '', 0, 0, 1 FROM n");
  run("INSERT INTO subject (id, project_id, name, pseudonym, meta, created_us, changed_us, revision, name_fold, "
      "pseudonym_fold) " +
      numbersTo(subjects) +
      "SELECT i, (i - 1) / 500 + 1, i, i, '', 0, 0, 1, printf('sub-%05d', i), printf('p-%05d', i * 7) FROM n");
  run("INSERT INTO study (id, project_id, subject_id, name, meta, created_us, changed_us, revision, name_fold, date) " +
      numbersTo(studies) +
      "SELECT i, (i - 1) / 1000 + 1, (i - 1) / 2 + 1, i, '', 0, 0, 1, 'ses-' || (i % 2 + 1), date('2020-01-01', (i % "
      "1500) || ' days') "
      "FROM n");
  run("INSERT INTO file (id, project_id, subject_id, study_id, path, path_hash, name, reason, meta, revision, "
      "path_fold, name_fold, kind, format, modality_fold, "
      "sequence_fold, size, state, nx, ny, nz, nt, dx, dy, dz, date, created_us, changed_us) " +
      numbersTo(files) +
      "SELECT i, p, s, t, name, i, name, '', '{}', 1, printf('sub-%05d/ses-%d/%s/', s, t % 2 + 1, m) || name, name, "
      "iif(r % 1000 = 0, 'surface', "
      "'image'), iif(r % 5 = 0, 'dicom', 'nifti'), iif(r % 700 = 0, 'pt', 'mr'), m || iif(r % 5000 = 0, '_rare', ''), "
      "r % 100000000, iif(r % 3000 = 0, 1, 0), 256, 256, 100 + r % 90, iif(r % 400 = 0, 200, 1), 1, 1, 0.5 + (r % 40) "
      "/ "
      "20.0, '', 1700000000000000 + i * 1000000, 1700000000000000 + i * 2000000 FROM (SELECT i, p, s, t, m, r, "
      "printf('sub-%05d_ses-%d_run-%02d_%s%s.nii.gz', s, t % 2 + 1, i % 50, m, iif(r % 90000 = 0, '_acq-mprage', '')) "
      "AS "
      "name FROM (SELECT i, (i - 1) / 50000 + 1 AS p, (i - 1) / 100 + 1 AS s, (i - 1) / 50 + 1 AS t, abs(random()) AS "
      "r, "
      "substr('t1w t2w bolddwi pet mag1', (i % 6) * 4 + 1, 4) AS m FROM n))");
}

void makeAttached(TestDatabase& database, std::int64_t files) {
  const auto run = [&](const std::string& text) { database.execute(text); };
  run("INSERT INTO tag (id, name_fold, name) VALUES (1, 'half', 1), (2, 'hundredth', 2), (3, 'rare', 3), (4, "
      "'ofsubjects', 4), (5, "
      "'last')");
  const auto tag = [&](int id, int level, const std::string& which, const std::string& table) {
    run("INSERT INTO item_tag (level, item_id, project_id, tag_id) SELECT " + std::to_string(level) + ", id, 1, " +
        std::to_string(id) + " FROM " + table + " WHERE " + which);
  };
  tag(1, 4, "abs(random()) % 2 = 0", "file");
  tag(2, 4, "abs(random()) % 100 = 0", "file");
  tag(3, 4, "abs(random()) % 20000 = 0", "file");
  tag(4, 2, "abs(random()) % 30 = 0", "subject");
  tag(5, 4, "id > " + std::to_string(files / 100 * 94), "file");
  run("INSERT INTO meta_name (id, name) VALUES (1, 'age'), (2, 'group'), (3, 'scan.tr'), (4, 'operator')");
  const auto meta = [&](int name, int level, const std::string& number, const std::string& text,
                        const std::string& from) {
    run("INSERT INTO meta_key (level, item_id, name_id, ordinal, number, text) SELECT " + std::to_string(level) +
        ", id, " + std::to_string(name) + ", 0, " + number + ", " + text + " FROM " + from);
  };
  meta(1, 2, "20 + id % 70", "CAST(20 + id % 70 AS TEXT)", "subject");
  meta(2, 2, "NULL", "iif(id % 3 = 0, 'patient', 'control')", "subject");
  meta(3, 4, "0.5 + (id % 100) / 20.0", "''", "file WHERE id % 5 = 0");
  meta(4, 4, "NULL", "'operator' || (id % 1000)", "file WHERE id % 7 = 0");
}

struct Timing {
  double first = 0;
  double deep = 0;
  std::size_t rows = 0;
  std::string way;
};

/// As the server asks: counts the candidates, then reads the page by the best way.
std::vector<std::int64_t> page(TestDatabase& database, const SearchSql& sql, std::int64_t after, std::string& way) {
  SqlText where = inOrder(sql, after);
  std::int64_t fewest = fewCandidates + 1;
  for (const SqlText& candidate : sql.candidates) {
    const std::int64_t count = database.numbers(countCandidates(candidate)).front();
    if (count >= fewest) continue;
    fewest = count;
    where = narrowed(sql, candidate);
  }
  way = fewest <= fewCandidates ? "candidates " + std::to_string(fewest) : "in order";
  where.parameters.emplace_back(after);
  return database.numbers({"SELECT item.id, item.path_fold, item.size FROM file AS item WHERE " + where.text +
                               " AND item.id > ? ORDER BY item.id LIMIT 100",
                           where.parameters});
}

Timing measure(TestDatabase& database, const std::string& text, std::int64_t files) {
  constexpr int repeats = 5;
  const auto sql = toSql(*parseQuery(text), Level::file, {true, {}, {}}, SqlDialect::sqlite);
  std::vector<double> first;
  std::vector<double> deep;
  Timing timing;
  for (int i = 0; i < repeats; ++i) {
    auto start = Clock::now();
    timing.rows = page(database, sql, 0, timing.way).size();
    first.push_back(millisecondsSince(start));
    start = Clock::now();
    static_cast<void>(page(database, sql, files / 100 * 70, timing.way));
    deep.push_back(millisecondsSince(start));
  }
  std::sort(first.begin(), first.end());
  std::sort(deep.begin(), deep.end());
  timing.first = first[repeats / 2];
  timing.deep = deep[repeats / 2];
  return timing;
}

const std::vector<std::string> searches{
    "",
    "t1w",
    "mprage",
    "nosuchname",
    "x",
    "*_t1w*.nii.gz",
    "sub-09999 run-07",
    "path:sub-00500/*",
    "name:*_run-07_pet*",
    "subject:sub-09998",
    "subject:sub-0999?",
    "study:ses-2",
    "project:project20",
    "tag:half",
    "tag:hundredth",
    "tag:rare",
    "tag:ofsubjects",
    "tag:last",
    "tag:nosuchtag",
    "!tag:half",
    "tag:half tag:hundredth",
    "tag:last & !tag:half",
    "modality:pt",
    "modality:mr",
    "kind:surface",
    "format:dicom",
    "state:vanished",
    "sequence:*rare",
    "sequence:*bold*",
    "date:2021-03",
    "date:2020..2022",
    "added:>=2023-11-24",
    "changed:2023-11-20",
    "size:>99.9M",
    "size:<1k",
    "size:>10M",
    "dim:4",
    "dim:256x256x*",
    "dim:512x*",
    "spacing:<=1",
    "spacing:>2.4",
    "meta.age>60",
    "meta.age>88",
    "meta.age=35 meta.group=patient",
    "meta.group=patient",
    "meta.scan.tr<=0.55",
    "meta.scan.tr>1",
    "meta.operator=operator77",
    "has:meta.operator",
    "meta.nosuchkey=3",
    "subject.meta.age:30..31 modality:pt",
    "(tag:rare | modality:pt) size:>50M",
    "tag:last modality:pt",
    "!meta.group=patient & meta.age<25 & t1w",
};

int run(const std::string& path, std::int64_t files) {
  const bool there = std::filesystem::exists(path);
  DatabaseAddress address;
  address.file = path;
  TestDatabase database(openDatabase(address));
  nlohmann::json report{{"files", files}};
  if (!there) {
    const auto start = Clock::now();
    makeTree(database, files);
    makeAttached(database, files);
    report["madeSeconds"] = millisecondsSince(start) / 1000;
  }
  std::vector<double> firsts;
  for (const std::string& text : searches) {
    const Timing timing = measure(database, text, files);
    firsts.push_back(timing.first);
    report["searches"].push_back({{"search", text},
                                  {"firstMs", timing.first},
                                  {"deepMs", timing.deep},
                                  {"rows", timing.rows},
                                  {"way", timing.way}});
    std::cerr << timing.first << "\t" << timing.deep << "\t" << timing.rows << "\t" << timing.way << "\t" << text
              << "\n";
  }
  std::sort(firsts.begin(), firsts.end());
  report["firstP50Ms"] = firsts[firsts.size() / 2];
  report["firstP95Ms"] = firsts[firsts.size() * 95 / 100];
  std::cout << report.dump(1) << "\n";
  return 0;
}

}  // namespace
}  // namespace nora::test

int main(int count, char** arguments) {
  constexpr std::int64_t million = 1000000;
  if (count < 2) {
    std::cerr << "search_bench FILE [files]\n";
    return 1;
  }
  return nora::test::run(arguments[1], count > 2 ? std::stoll(arguments[2]) : million);
}
