// Changes that are also written beside the data, and taking them from there.
#include "archive/index/archive.hpp"
#include "archive/index/archive_sql.hpp"
#include "archive/index/remembered.hpp"

namespace nora {

using namespace archive_sql;

Result<void> Archive::writeRemembered(const std::function<Result<void>(Sql&, Remembered&)>& work) const {
  // What is not on the disk in the end takes itself back.
  return database_.write([&](Sql& sql) -> Result<void> {
    const auto remembered = std::make_shared<Remembered>(store_, now_());
    if (auto alone = oneAtATime(sql); !alone) return alone;
    if (auto worked = work(sql, *remembered); !worked) return worked;
    if (auto written = remembered->write(sql); !written) return written;
    database_.whenStored([remembered] { remembered->committed(); });
    return {};
  });
}

Result<void> Archive::rememberIn(const std::string& store) {
  store_ = store;
  const auto all = projects();
  if (!all) return tl::make_unexpected(all.error());
  for (const ProjectRecord& project : *all) {
    bool isBehind = false;
    auto looked = database_.read([&](Sql& sql) -> Result<void> {
      const auto behind = Remembered::isBehind(sql, project.id);
      if (!behind) return tl::make_unexpected(behind.error());
      isBehind = *behind;
      return {};
    });
    if (!looked) return looked;
    if (!isBehind) continue;
    auto done = writeRemembered(
        [&](Sql& sql, Remembered& remembered) -> Result<void> { return remembered.catchUp(sql, project.id); });
    if (!done) return done;
  }
  return {};
}

Result<void> Archive::rebuild(std::int64_t projectId) {
  return writeRemembered(
      [&](Sql& sql, Remembered& remembered) -> Result<void> { return remembered.rebuild(sql, projectId); });
}

}  // namespace nora
