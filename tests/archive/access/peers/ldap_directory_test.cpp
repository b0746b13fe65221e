// Against OpenLDAP's slapd with TLS, started here.
#include "archive/access/ldap_directory.hpp"
#include "tests/archive/access/peers/peer_process.hpp"
#include "tests/archive/temporary_folder.hpp"

#include <atomic>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

namespace nora {
namespace {

using namespace std::chrono_literals;
using Groups = LdapSettings::Groups;

struct Slapd {
  TemporaryFolder folder;
  int plain = freePort(), tls = freePort();
  std::unique_ptr<PeerProcess> process;
  std::string problem;

  Slapd() {
    const std::string at = folder.path(), log = folder / "log", peers = NORA_ACCESS_PEERS;
    if (!std::filesystem::exists("/usr/sbin/slapd") || !std::filesystem::exists("/usr/bin/ldapadd")) {
      problem = "slapd and ldap-utils are not installed";
    } else if (PeerProcess::run({peers + "/slapd.sh", at}, log) != 0) {
      problem = "slapd.sh failed, see " + log;
    } else {
      start();
      if (!waitForPort(plain) || !waitForPort(tls)) problem = "slapd did not start";
      const int added = PeerProcess::run({"ldapadd", "-x", "-H", "ldap://127.0.0.1:" + std::to_string(plain), "-D",
                                          "cn=admin,dc=lab,dc=local", "-w", "secret", "-f", peers + "/users.ldif"},
                                         log);
      if (added != 0) problem = "ldapadd failed: " + std::to_string(added);
    }
  }
  void start() {
    const std::string port = std::to_string(plain), tlsPort = std::to_string(tls);
    process = std::make_unique<PeerProcess>(
        std::vector<std::string>{
            "/usr/sbin/slapd", "-f", folder / "slapd.conf", "-d", "0", "-h",
            "ldap://127.0.0.1:" + port + "/ ldaps://127.0.0.1:" + tlsPort + "/ ldaps://127.0.0.2:" + tlsPort + "/"},
        folder / "log");
  }
};

class Ldap : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ::signal(SIGPIPE, SIG_IGN);
    slapd = new Slapd;
  }
  static void TearDownTestSuite() { delete slapd; }
  void SetUp() override {
    if (slapd->problem.find("not installed") != std::string::npos) GTEST_SKIP() << slapd->problem;
    ASSERT_EQ(slapd->problem, "");
  }

  static std::string plainUrl() { return "ldap://127.0.0.1:" + std::to_string(slapd->plain); }
  static std::string tlsUrl(const std::string& host = "127.0.0.1") {
    return "ldaps://" + host + ":" + std::to_string(slapd->tls);
  }
  static LdapSettings settings() {
    LdapSettings made;
    made.urls = {tlsUrl()};
    made.caFile = slapd->folder / "ca.pem";
    made.timeout = 1500ms;
    made.bindDn = "uid=search,dc=lab,dc=local";
    made.bindPassword = "searchpw";
    made.baseDn = "dc=lab,dc=local";
    return made;
  }
  static Result<DirectoryUser> logIn(const LdapSettings& with, const std::string& name, const std::string& password) {
    auto directory = LdapDirectory::make(with);
    if (!directory) return tl::make_unexpected(directory.error());
    return directory->logIn(name, password);
  }
  static ::testing::AssertionResult refused(const Result<DirectoryUser>& result) {
    if (result) return ::testing::AssertionFailure() << "let in as " << result->dn;
    if (result.error().code != ErrorCode::forbidden || result.error().what != "wrong name or password") {
      return ::testing::AssertionFailure() << describe(result.error());
    }
    return ::testing::AssertionSuccess();
  }
  static ::testing::AssertionResult says(const Result<DirectoryUser>& result, ErrorCode code, const std::string& what) {
    if (result) return ::testing::AssertionFailure() << "let in as " << result->dn;
    const std::string text = describe(result.error());
    if (result.error().code == code && text.find(what) != std::string::npos)
      return ::testing::AssertionSuccess() << text;
    return ::testing::AssertionFailure() << toString(result.error().code) << ": " << text;
  }

  static inline Slapd* slapd = nullptr;
};

TEST_F(Ldap, LetsAUserInByTlsWithTheRightPassword) {
  const auto user = logIn(settings(), "alice", "alicepw");
  ASSERT_TRUE(user) << describe(user.error());
  EXPECT_EQ(*user, (DirectoryUser{"uid=alice,ou=people,dc=lab,dc=local",
                                  "alice",
                                  "Alice Example",
                                  "alice@lab.local",
                                  {},
                                  "uid=alice,ou=people,dc=lab,dc=local",
                                  false}));
}

TEST_F(Ldap, GivesTheNameAsTheDirectorySpellsIt) {
  EXPECT_EQ(logIn(settings(), "ALICE", "alicepw")->name, "alice");
  EXPECT_EQ(logIn(settings(), " alice ", "alicepw")->name, "alice");
}

TEST_F(Ldap, RefusesWrongAndEmptyPasswordsAndUnknownNamesAlike) {
  EXPECT_TRUE(refused(logIn(settings(), "alice", "alicepW")));
  EXPECT_TRUE(refused(logIn(settings(), "alice", "")));
  EXPECT_TRUE(refused(logIn(settings(), "alice", std::string("alicepw\0", 8))));
  EXPECT_TRUE(refused(logIn(settings(), "nobody", "alicepw")));
  EXPECT_TRUE(refused(logIn(settings(), "", "alicepw")));
  EXPECT_TRUE(refused(logIn(settings(), std::string("alice\0", 6), "alicepw")));
  EXPECT_TRUE(refused(logIn(settings(), "alice\xff", "alicepw")));
  EXPECT_TRUE(refused(logIn(settings(), std::string(100000, 'a'), "alicepw")));
}

TEST_F(Ldap, SendsNoEmptyPassword) {  // slapd would answer "unwilling to perform"; others would answer yes
  auto connection = LdapConnection::open({tlsUrl(), false, slapd->folder / "ca.pem", 1500ms});
  ASSERT_TRUE(connection) << describe(connection.error());
  EXPECT_EQ(connection->bind("uid=alice,ou=people,dc=lab,dc=local", "").error().code, ErrorCode::invalidInput);
  EXPECT_TRUE(connection->bind("uid=alice,ou=people,dc=lab,dc=local", "alicepw"));
}

TEST_F(Ldap, TakesNothingInANameForSyntax) {
  for (const auto* name : {"*", "al*", "alice)(uid=*", "*)(|(uid=alice", "alice)(|(objectClass=*)", "\\61lice",
                           "alice,ou=people", "alice)\\00", "(uid=alice)"}) {
    EXPECT_TRUE(refused(logIn(settings(), name, "alicepw"))) << name;
  }
  LdapSettings pattern = settings();
  pattern.userDnPattern = "uid={name},ou=people,dc=lab,dc=local";
  for (const auto* name :
       {"alice,ou=people,dc=lab,dc=local", "alice+cn=x", "*", "\\61lice", "\"alice\"", "#616c696365"}) {
    EXPECT_TRUE(refused(logIn(pattern, name, "alicepw"))) << name;
  }
}

TEST_F(Ldap, KnowsNamesWithAnyCharacter) {
  EXPECT_EQ(logIn(settings(), "jörg", "größe")->name, "jörg");
  LdapSettings with = settings();
  with.groups = Groups::search;
  const auto odd = logIn(with, "o,*(x)\\", "oddpw");
  ASSERT_TRUE(odd) << describe(odd.error());
  EXPECT_EQ(odd->groups, std::vector<std::string>{"readers"});
  with.userDnPattern = "uid={name},ou=people,dc=lab,dc=local";
  EXPECT_EQ(logIn(with, "o,*(x)\\", "oddpw")->dn, odd->dn);
  EXPECT_EQ(logIn(with, "jörg", "größe")->name, "jörg");
}

TEST_F(Ldap, RefusesANameThatTwoHave) {
  EXPECT_TRUE(refused(logIn(settings(), "twin", "twinpw")));
  LdapSettings one = settings();
  one.baseDn = "ou=people,dc=lab,dc=local";
  EXPECT_EQ(logIn(one, "twin", "twinpw")->fullName, "Twin One");
}

TEST_F(Ldap, LogsInByAPatternWithoutAnAccountThatSearches) {
  LdapSettings with = settings();
  with.bindDn = with.bindPassword = "";
  with.userDnPattern = "uid={name},ou=people,dc=lab,dc=local";
  with.groups = Groups::search;
  const auto user = logIn(with, "alice", "alicepw");
  ASSERT_TRUE(user) << describe(user.error());
  EXPECT_EQ(user->fullName, "Alice Example");
  EXPECT_EQ(user->groups, (std::vector<std::string>{"readers", "unix"}));
  EXPECT_TRUE(refused(logIn(with, "alice", "bobpw")));
  EXPECT_TRUE(refused(logIn(with, "nobody", "alicepw")));
  EXPECT_EQ(LdapDirectory::make(with)->find("alice").error().code, ErrorCode::unsupported);
  with.userFilter = "(&(uid={name})(mail=*))";
  EXPECT_TRUE(logIn(with, "alice", "alicepw"));
  EXPECT_TRUE(says(logIn(with, "bob", "bobpw"), ErrorCode::forbidden, "user_filter"));
}

TEST_F(Ldap, FindsGroupsByMemberOfAndBySearch) {
  LdapSettings with = settings();
  with.groups = Groups::memberOf;
  EXPECT_EQ(logIn(with, "alice", "alicepw")->groups, std::vector<std::string>{"readers"});
  with.groups = Groups::search;
  EXPECT_EQ(logIn(with, "alice", "alicepw")->groups, (std::vector<std::string>{"readers", "unix"}));
  EXPECT_EQ(logIn(with, "jörg", "größe")->groups, std::vector<std::string>{});
}

TEST_F(Ldap, FindsGroupsInGroupsEvenInACircle) {
  for (const auto groups : {Groups::memberOf, Groups::search}) {
    LdapSettings with = settings();
    with.groups = groups;
    with.groupFilter = "(member={dn})";
    with.nestedGroups = true;
    EXPECT_EQ(logIn(with, "alice", "alicepw")->groups, (std::vector<std::string>{"circle", "editors", "readers"}));
  }
}

TEST_F(Ldap, CountsOnlyGroupsBelowTheirBase) {
  for (const auto groups : {Groups::memberOf, Groups::search}) {
    LdapSettings with = settings();
    with.groups = groups;
    const auto everywhere = logIn(with, "bob", "bobpw")->groups;
    EXPECT_EQ(everywhere.size(), 2U) << "there is a planted one";
    with.groupBaseDn = "OU=Groups, DC=lab,DC=local";
    EXPECT_EQ(logIn(with, "bob", "bobpw")->groups, std::vector<std::string>{"editors"});
  }
}

TEST_F(Ldap, GivesGroupsTheirNamesInNora) {
  LdapSettings with = settings();
  with.groups = Groups::memberOf;
  with.groupNames = {{"CN=Readers, ou=groups,dc=lab,dc=local", "viewers"}, {"cn=other,dc=lab,dc=local", "others"}};
  EXPECT_EQ(logIn(with, "alice", "alicepw")->groups, std::vector<std::string>{"viewers"});
  EXPECT_EQ(logIn(with, "bob", "bobpw")->groups, std::vector<std::string>{});
}

TEST_F(Ldap, LetsOnlyTheRequiredGroupIn) {
  LdapSettings with = settings();
  with.groups = Groups::memberOf;
  with.requiredGroup = "cn=Readers,ou=groups,dc=lab,dc=local";
  EXPECT_TRUE(logIn(with, "alice", "alicepw"));
  EXPECT_TRUE(says(logIn(with, "bob", "bobpw"), ErrorCode::forbidden, "not in the group"));
}

TEST_F(Ldap, KnowsUsersByWhatStaysWhenTheyAreRenamed) {
  LdapSettings with = settings();
  with.idAttribute = "entryUUID";
  const auto directory = LdapDirectory::make(with);
  const auto id = directory->find("bob")->id;
  EXPECT_EQ(id.size(), 36U) << id;
  EXPECT_EQ(directory->logIn("bob", "bobpw")->id, id);
  EXPECT_NE(directory->find("alice")->id, id);
  with.idAttribute = "employeeNumber";
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::invalidInput, "id_attribute"));
  with.idAttribute = "cn";
  EXPECT_EQ(logIn(with, "j\xC3\xB6rg",
                  "gr\xC3\xB6\xC3\x9F"
                  "e")
                ->id,
            "4ac3b67267")
      << "bytes that are no plain text";
}

TEST_F(Ldap, TellsWhoIsInTheGroupOfAdministrators) {
  LdapSettings with = settings();
  with.groups = Groups::search;
  with.administratorsGroup = "cn=Editors,ou=groups,dc=lab,dc=local";
  EXPECT_TRUE(logIn(with, "bob", "bobpw")->administrator);
  EXPECT_FALSE(logIn(with, "alice", "alicepw")->administrator);
  with.nestedGroups = true;
  EXPECT_TRUE(logIn(with, "alice", "alicepw")->administrator);
  with.groupNames = {{"cn=readers,ou=groups,dc=lab,dc=local", "r"}};
  EXPECT_TRUE(logIn(with, "alice", "alicepw")->administrator) << "also if the group has no name in nora";
}

TEST_F(Ldap, FindsUsersWithoutTheirPassword) {
  LdapSettings with = settings();
  with.groups = Groups::search;
  const auto directory = LdapDirectory::make(with);
  EXPECT_EQ(directory->find("alice")->groups.size(), 2U);
  EXPECT_EQ(directory->find("nobody").error().code, ErrorCode::notFound);
  EXPECT_EQ(directory->find("*").error().code, ErrorCode::notFound);
}

TEST_F(Ldap, SpeaksTlsAfterStartTls) {
  LdapSettings with = settings();
  with.urls = {plainUrl()};
  with.startTls = true;
  EXPECT_TRUE(logIn(with, "alice", "alicepw"));
  with.caFile = slapd->folder / "other-ca.pem";
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::unavailable, "other-ca.pem"));
}

TEST_F(Ldap, RefusesServersWhoseCertificateIsNotTrusted) {
  LdapSettings with = settings();
  with.caFile = slapd->folder / "other-ca.pem";
  EXPECT_TRUE(
      says(logIn(with, "alice", "alicepw"), ErrorCode::unavailable, "other-ca.pem that of the CA which signed"));
  with.caFile = "";
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::unavailable, "the system's CA file"));
  with = settings();
  with.urls = {tlsUrl("127.0.0.2")};
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::unavailable, "is the host's name in it"))
      << "another host";
  with.caFile = slapd->folder / "none.pem";
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::invalidInput, "none.pem: cannot be read"));
  with.caFile = slapd->folder / "slapd.conf";
  EXPECT_FALSE(logIn(with, "alice", "alicepw")) << "not a certificate";
  EXPECT_TRUE(logIn(settings(), "alice", "alicepw")) << "a failure leaves nothing behind";
}

TEST_F(Ldap, SaysThatNobodyListens) {
  LdapSettings with = settings();
  const std::string url = "ldaps://127.0.0.1:" + std::to_string(freePort());
  with.urls = {url};
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::unavailable, url));
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::unavailable, "is the server running"));
}

TEST_F(Ldap, GivesAServerUpThatDoesNotAnswer) {
  const SilentServer silent;
  for (const bool startTls : {false, true}) {
    for (const std::string scheme : {"ldap", "ldaps"}) {
      if (startTls && scheme == "ldaps") continue;
      LdapSettings with = settings();
      with.urls = {scheme + "://127.0.0.1:" + std::to_string(silent.port())};
      with.startTls = startTls;
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(logIn(with, "alice", "alicepw").error().code, ErrorCode::unavailable);
      EXPECT_LT(std::chrono::steady_clock::now() - begin, 6s) << scheme << startTls;
    }
  }
}

TEST_F(Ldap, AsksTheNextServerAndRemembersWhichDidNotAnswer) {
  const SilentServer silent;
  LdapSettings with = settings();
  with.urls = {"ldap://127.0.0.1:" + std::to_string(silent.port()), "ldap://127.0.0.1:" + std::to_string(freePort()),
               tlsUrl()};
  const auto directory = LdapDirectory::make(with);
  EXPECT_TRUE(directory->logIn("alice", "alicepw"));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(directory->logIn("alice", "alicepw"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s) << "the silent one is asked last now";
  EXPECT_EQ(directory->check().size(), 2U);
  with.urls = {tlsUrl(), "ldap://127.0.0.1:1"};
  EXPECT_TRUE(refused(logIn(with, "alice", "wrong"))) << "a wrong password is not tried on other servers";
}

TEST_F(Ldap, OneAsksWhetherASilentServerIsBackAndTheOthersDoNotWait) {
  const SilentServer silent;
  LdapSettings with = settings();
  with.urls = {"ldap://127.0.0.1:" + std::to_string(silent.port())};
  const auto directory = LdapDirectory::make(with);
  EXPECT_TRUE(says(directory->logIn("alice", "alicepw"), ErrorCode::unavailable, "no directory could be asked"));
  std::atomic<int> asked = 0, told = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const auto user = directory->logIn("alice", "alicepw");
        ++(says(user, ErrorCode::unavailable, "another log-in asks again") ? told : asked);
      });
    }
  }
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(told, 7);
}

TEST_F(Ldap, ComesBackWithTheServer) {
  const auto directory = LdapDirectory::make(settings());
  EXPECT_TRUE(directory->logIn("alice", "alicepw"));
  slapd->process->end();
  EXPECT_EQ(directory->logIn("alice", "alicepw").error().code, ErrorCode::unavailable);
  slapd->start();
  ASSERT_TRUE(waitForPort(slapd->tls));
  EXPECT_TRUE(directory->logIn("alice", "alicepw"));
}

TEST_F(Ldap, SaysWhenTheAccountThatSearchesIsWrong) {
  LdapSettings with = settings();
  with.bindPassword = "wrong";
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::invalidInput, "check it and bind_password"));
  EXPECT_EQ(LdapDirectory::make(with)->check().size(), 1U);
  with = settings();
  with.userFilter = "(uid={name}";
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::invalidInput, "filter"));
  with = settings();
  with.nameAttribute = "employeeNumber";
  EXPECT_TRUE(says(logIn(with, "alice", "alicepw"), ErrorCode::invalidInput, "name_attribute"));
  with = settings();
  with.bindDn = with.bindPassword = "";
  EXPECT_FALSE(logIn(with, "alice", "alicepw")) << "this directory shows nobody anything";
  EXPECT_TRUE(LdapDirectory::make(settings())->check().empty());
}

TEST_F(Ldap, ManyMayLogInAtOnce) {
  const auto directory = LdapDirectory::make(settings());
  std::atomic<int> right = 0, wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&, i] {
        const auto user = directory->logIn(i % 2 == 0 ? "alice" : "bob", i % 4 < 2 ? "alicepw" : "bobpw");
        ++(user ? right : wrong);
        EXPECT_EQ(user ? user->name : "", i % 4 == 0 ? "alice" : i % 4 == 3 ? "bob" : "");
      });
    }
  }
  EXPECT_EQ(right, 8);
  EXPECT_EQ(wrong, 8);
}

}  // namespace
}  // namespace nora
