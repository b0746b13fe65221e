// Transactions that several calls share.
#include "archive/index/database.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace nora {

/// The transaction of this thread.
struct Database::Joined {
  const Database* database = nullptr;
  Sql* sql = nullptr;
  bool isShared = false;                      // by together()
  std::optional<Error> failure;               // of a write in it
  std::vector<std::function<void()>> stored;  // to be done when it is on the disk
  Joined* outer = nullptr;                    // of another database
};

namespace {

thread_local void* current = nullptr;  // Database::Joined

}  // namespace

Database::Joined* Database::joined() const {
  for (auto* one = static_cast<Joined*>(current); one != nullptr; one = one->outer) {
    if (one->database == this) return one;
  }
  return nullptr;
}

Result<void> Database::read(const Work& work) {
  auto* shared = joined();
  return shared != nullptr && shared->isShared ? work(*shared->sql) : readAlone(work);
}

Result<void> Database::storeAlone(Joined& own, const std::function<Result<void>(Sql&)>& work) {
  own.database = this;
  auto done = writeAlone([&](Sql& sql) -> Result<void> {
    own.sql = &sql;
    own.failure.reset();
    own.stored.clear();  // of an attempt before
    struct Entered {
      explicit Entered(Joined& joined) : outer(std::exchange(current, &joined)) {
        joined.outer = static_cast<Joined*>(outer);
      }
      ~Entered() { current = outer; }
      Entered(const Entered&) = delete;
      Entered& operator=(const Entered&) = delete;
      void* outer;
    };
    const Entered entered(own);
    auto worked = work(sql);
    if (worked && own.failure) return tl::make_unexpected(*own.failure);
    return worked;
  });
  if (!done) return done;
  for (const auto& then : own.stored) then();
  return {};
}

Result<void> Database::write(const Work& work) {
  if (auto* shared = joined(); shared != nullptr) {
    auto done = work(*shared->sql);
    if (!done && !shared->failure) shared->failure = done.error();
    return done;
  }
  Joined own;
  return storeAlone(own, work);
}

Result<void> Database::together(const std::function<Result<void>()>& work) {
  if (joined() != nullptr) return work();
  Joined own;
  own.isShared = true;
  return storeAlone(own, [&](Sql&) { return work(); });
}

void Database::whenStored(std::function<void()> then) {
  joined()->stored.push_back(std::move(then));
}

}  // namespace nora
