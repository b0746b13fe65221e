// The index of this machine's user, or the one that was named, with all that works on it.
#pragma once

#include "app/api/route.hpp"

#include <memory>
#include <string>

namespace nora {

struct OpenIndex {
  std::unique_ptr<Database> database;
  Archive archive;
  Accounts accounts;
  SavedViews views;

  explicit OpenIndex(std::unique_ptr<Database> opened)
      : database(std::move(opened)), archive(*database), accounts(*database), views(*database) {}
  [[nodiscard]] ApiPlaces places() { return {*database, accounts, archive, views}; }
};

/// Where the index is: `text` as the address of openIndex().
[[nodiscard]] Result<DatabaseAddress> indexAddress(const std::string& text);

/// `address` as parseDatabaseAddress; empty: NORA_INDEX, else index.sqlite in the user's data folder, which is made
/// where it is not there. What people say of items is also written beside the data (Archive::rememberIn), and is taken
/// from there where the index does not have it: below `store`; empty: NORA_STORE, else the folder "store" beside the
/// index, of MySQL in the user's data folder. The password is in NORA_INDEX_PASSWORD. Errors: those of openDatabase.
[[nodiscard]] Result<std::unique_ptr<OpenIndex>> openIndex(const std::string& address, const std::string& store = {});

}  // namespace nora
