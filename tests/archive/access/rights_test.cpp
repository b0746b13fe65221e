#include "archive/access/rights.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace nora {
namespace {

constexpr std::int64_t alice = 1, bob = 2, readers = 10, editors = 11;

Caller caller(Entrance entrance, std::int64_t user, std::vector<std::int64_t> groups = {}) {
  Caller made;
  made.entrance = entrance;
  made.userId = user;
  made.groups = std::move(groups);
  return made;
}

Caller with(Caller made, const std::function<void(Caller&)>& change) {
  change(made);
  return made;
}

Grant toUser(std::int64_t user, Rights rights) {
  return {user, std::nullopt, rights};
}
Grant toGroup(std::int64_t group, Rights rights) {
  return {std::nullopt, group, rights};
}
Grant toEverybody(Rights rights) {
  return {std::nullopt, std::nullopt, rights};
}

struct Case {
  const char* what;
  std::vector<Grant> grants;
  Caller who;
  const char* rights;
  bool identity;  // of a project that hides it
};

const Rights identity = Right::seeIdentity;
const Caller session = caller(Entrance::session, alice, {readers});

std::vector<Case> cases() {
  const auto token = [](Rights scopes) {
    return with(caller(Entrance::token, alice, {readers}), [&](Caller& c) { c.limit = scopes; });
  };
  const auto link = [](Rights limit) {
    return with(caller(Entrance::shareLink, alice, {readers}), [&](Caller& c) { c.limit = limit; });
  };
  const auto root = [](Caller c) { return with(std::move(c), [](Caller& x) { x.administrator = true; }); };
  const auto gone = [](Caller c) { return with(std::move(c), [](Caller& x) { x.disabled = true; }); };
  const std::string everything = toString(Rights::all());
  static const std::string all = everything;
  return {
      {"nothing granted", {}, session, "none", false},
      {"to the user", {toUser(alice, Right::read)}, session, "read", false},
      {"to another user", {toUser(bob, Rights::all())}, session, "none", false},
      {"to a group", {toGroup(readers, Right::read)}, session, "read", false},
      {"to another group", {toGroup(editors, Rights::all())}, session, "none", false},
      {"a group with the number of the user", {toGroup(alice, Rights::all())}, session, "none", false},
      {"a user with the number of the group", {toUser(readers, Rights::all())}, session, "none", false},
      {"both add up",
       {toUser(alice, Right::download), toGroup(readers, Right::annotate)},
       session,
       "read,annotate,download",
       false},
      {"edit brings annotate and read", {toUser(alice, Right::edit)}, session, "read,annotate,edit", false},
      {"administer brings all", {toUser(alice, Right::administer)}, session, all.c_str(), true},
      {"identity brings read", {toUser(alice, identity)}, session, "read,see-identity", true},
      {"to everybody: a user", {toEverybody(Right::annotate)}, session, "read,annotate", false},
      {"to everybody: a guest", {toEverybody(Right::read | Right::download)}, {}, "read,download", false},
      {"guests get no more than that", {toEverybody(Rights::all())}, {}, "read,download", false},
      {"guests are in no group and no user", {toGroup(0, Right::read), toUser(0, Right::read)}, {}, "none", false},
      {"administrator of the server", {}, root(session), all.c_str(), true},
      {"a guest is never administrator", {}, root({}), "none", false},
      {"disabled", {toUser(alice, Rights::all())}, gone(session), "none", false},
      {"disabled administrator", {}, gone(root(session)), "none", false},
      {"disabled: their token", {toEverybody(Rights::all())}, gone(token(Rights::all())), "none", false},
      {"a token with all scopes", {toUser(alice, Right::edit)}, token(Rights::all()), "read,annotate,edit", false},
      {"a token with fewer scopes", {toUser(alice, Right::administer)}, token(Right::download), "read,download", false},
      {"a token with more scopes", {toUser(alice, Right::read)}, token(Right::administer), "read", false},
      {"a token without scopes", {toUser(alice, Rights::all())}, token({}), "none", false},
      {"a token of an administrator", {}, root(token(Right::process)), "read,process", false},
      {"a token without identity",
       {toUser(alice, Rights::all())},
       token(Rights::all() - identity - Right::administer),
       "read,annotate,edit,process,download",
       false},
      {"a link", {toUser(alice, Rights::all())}, link(Right::read), "read", false},
      {"a link gives no more than links may",
       {toUser(alice, Rights::all())},
       link(Rights::all()),
       "read,annotate,download",
       false},
      {"a link gives no more than its owner has", {toUser(alice, Right::read)}, link(Right::download), "read", false},
      {"a link of who lost the rights", {}, link(Right::read), "none", false},
      {"a link of an administrator", {}, root(link(Right::read)), "read", false},
      {"a link into another project",
       {toUser(alice, Rights::all())},
       with(link(Right::read), [](Caller& c) { c.onlyProject = 8; }),
       "none",
       false},
      {"a link into this project",
       {toUser(alice, Rights::all())},
       with(link(Right::read), [](Caller& c) { c.onlyProject = 7; }),
       "read",
       false},
  };
}

TEST(Access, IsWhatTheTableSays) {
  for (const auto& row : cases()) {
    const Access hidden = accessTo({7, true}, row.grants, row.who);
    EXPECT_EQ(toString(hidden.rights), row.rights) << row.what;
    EXPECT_EQ(hidden.showsIdentity, row.identity) << row.what;
    const Access open = accessTo({7, false}, row.grants, row.who);
    EXPECT_EQ(open.rights, hidden.rights) << row.what;
    EXPECT_EQ(open.showsIdentity, !open.rights.empty()) << row.what << ": names are no secret, for who may read";
  }
}

TEST(Access, NeverGrowsByALimitAndNeverGoesWithoutReading) {
  for (std::uint32_t granted = 0; granted < 128; ++granted) {
    const std::vector<Grant> grants = {toUser(alice, Rights::fromBits(granted))};
    const Rights own = accessTo({7, true}, grants, session).rights;
    for (std::uint32_t limit = 0; limit < 128; ++limit) {
      for (const Entrance entrance : {Entrance::token, Entrance::shareLink, Entrance::guest}) {
        const Caller who = with(caller(entrance, alice), [&](Caller& c) { c.limit = Rights::fromBits(limit); });
        const Access access = accessTo({7, true}, grants, who);
        ASSERT_TRUE((access.rights - own).empty()) << granted << " " << limit;
        ASSERT_TRUE(access.rights.empty() || access.rights.has(Right::read)) << granted << " " << limit;
        ASSERT_EQ(access.showsIdentity, access.rights.has(Right::seeIdentity));
      }
    }
  }
}

TEST(Access, TellsWhoMayNotReadThatThereIsNothing) {
  const auto hidden = require({}, Right::read, "trial");
  EXPECT_EQ(hidden.error().code, ErrorCode::notFound);
  EXPECT_EQ(require({}, Right::edit, "trial").error().what, hidden.error().what);
  const Access reads{Right::read, false};
  EXPECT_TRUE(require(reads, Right::read, "trial"));
  const auto refused = require(reads, Right::download, "trial");
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  EXPECT_NE(refused.error().what.find("download"), std::string::npos);
}

TEST(Access, OfTheServerIsForAdministratorsAndTheirUnlimitedTokens) {
  Caller root = session;
  EXPECT_FALSE(mayAdministerServer(root));
  root.administrator = true;
  EXPECT_TRUE(mayAdministerServer(root));
  EXPECT_FALSE(mayAdministerServer(with(root, [](Caller& c) { c.disabled = true; })));
  EXPECT_FALSE(mayAdministerServer(with(root, [](Caller& c) { c.entrance = Entrance::shareLink; })));
  EXPECT_FALSE(mayAdministerServer(with(root, [](Caller& c) { c.entrance = Entrance::guest; })));
  const Caller token = with(root, [](Caller& c) { c.entrance = Entrance::token; });
  EXPECT_TRUE(mayAdministerServer(token));
  EXPECT_FALSE(mayAdministerServer(with(token, [](Caller& c) { c.limit = Rights::all() - Right::administer; })));
  EXPECT_FALSE(mayAdministerServer(with(token, [](Caller& c) { c.onlyProject = 7; })));
}

TEST(Rights, AreReadAsTheyAreWritten) {
  for (std::uint32_t bits = 0; bits < 128; ++bits) {
    const auto parsed = parseRights(toString(Rights::fromBits(bits)));
    ASSERT_TRUE(parsed) << bits;
    EXPECT_EQ(parsed->bits(), bits);
  }
  EXPECT_EQ(parseRights("all")->bits(), 127U);
  EXPECT_EQ(parseRights("read, download")->bits(), 17U);
  EXPECT_EQ(Rights::fromBits(0xFFFFFFFF).bits(), 127U);
  EXPECT_EQ(parseRights("read,wirte").error().where, "wirte");
  EXPECT_FALSE(parseRights(""));
  EXPECT_FALSE(parseRights(" , "));
  EXPECT_FALSE(parseRights("READ"));
}

}  // namespace
}  // namespace nora
