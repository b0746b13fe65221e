#include "archive/access/password.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nora {
namespace {

constexpr PasswordCost quick{64, 1, 1};

TEST(Password, IsFoundRightByItsHashOnly) {
  const auto hash = hashPassword("correct horse battery", quick);
  ASSERT_TRUE(hash) << describe(hash.error());
  EXPECT_EQ(hash->rfind("$argon2id$v=19$m=64,t=1,p=1$", 0), 0U) << *hash;
  EXPECT_TRUE(checkPassword("correct horse battery", *hash, quick)->matches);
  EXPECT_FALSE(checkPassword("correct horse batterz", *hash, quick)->matches);
  EXPECT_FALSE(checkPassword("correct horse battery ", *hash, quick)->matches);
  EXPECT_FALSE(checkPassword("", *hash, quick)->matches);
  EXPECT_NE(*hashPassword("correct horse battery", quick), *hash) << "the salt is another each time";
}

TEST(Password, ReadsTheReferenceHashOfTheAlgorithmsAuthors) {  // phc-winner-argon2, src/test.c
  const std::string hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  EXPECT_TRUE(checkPassword("password", hash)->matches);
  EXPECT_FALSE(checkPassword("passwore", hash)->matches);
}

TEST(Password, AsksForANewHashWhenTheCostHasRisen) {
  const auto hash = hashPassword("correct horse battery", quick);
  EXPECT_FALSE(checkPassword("correct horse battery", *hash, quick)->rehash);
  EXPECT_FALSE(checkPassword("correct horse battery", *hash, {32, 1, 1})->rehash);
  EXPECT_TRUE(checkPassword("correct horse battery", *hash, {128, 1, 1})->rehash);
  EXPECT_TRUE(checkPassword("correct horse battery", *hash, {64, 2, 1})->rehash);
  EXPECT_FALSE(checkPassword("wrong horse battery", *hash, {128, 1, 1})->rehash) << "nothing to hash";
}

TEST(Password, RefusesDamagedHashesWithoutSayingWhatTheyHold) {
  const std::string good = *hashPassword("correct horse battery", quick);
  for (const std::string& hash :
       {std::string(), std::string("plain"), std::string("$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA"),
        std::string("$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
        good.substr(0, 20), good + std::string(1000, 'A'), good + "%"}) {
    const auto check = checkPassword("correct horse battery", hash, quick);
    ASSERT_FALSE(check) << hash;
    EXPECT_EQ(check.error().code, ErrorCode::internal);
    EXPECT_EQ(describe(check.error()), "password: the kept password hash is damaged: set a new password");
  }
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    const auto check = checkPassword("correct horse battery", good.substr(0, cut), quick);
    EXPECT_TRUE(!check || !check->matches) << cut;
  }
}

TEST(Password, MayHoldAnyUnicodeUpToItsLimit) {
  const std::string password = "größe 脳 🧠 αβγ";
  const auto hash = hashPassword(password, quick);
  EXPECT_TRUE(checkPassword(password, *hash, quick)->matches);
  EXPECT_TRUE(hashPassword(std::string(1024, 'x'), quick));
  EXPECT_EQ(hashPassword(std::string(1025, 'x'), quick).error().code, ErrorCode::invalidInput);
  EXPECT_EQ(hashPassword("", quick).error().code, ErrorCode::invalidInput);
  const auto zero = hashPassword(std::string("abc\0def", 7), quick);
  EXPECT_FALSE(checkPassword(std::string("abc\0deg", 7), *zero, quick)->matches) << "all bytes count";
}

TEST(Password, NewOnesMustBeHardToGuess) {
  EXPECT_TRUE(checkNewPassword("correct horse battery", "alice"));
  EXPECT_TRUE(checkNewPassword("ÄÖÜßäöüñçé", "alice")) << "ten characters, not bytes";
  for (const auto& [password, what] :
       std::vector<std::pair<std::string, std::string>>{{"kurz", "shorter than 10 characters"},
                                                        {"ÄÖÜßä", "shorter than 10 characters"},
                                                        {"aaaaaaaaaaaa", "repeats the same"},
                                                        {"abababababab", "repeats the same"},
                                                        {"Alice123456", "little more than the user's name"},
                                                        {"tab\tcorrect horse", "control characters"},
                                                        {"bad \xff utf-8 password", "not UTF-8"},
                                                        {std::string(2000, 'x'), "longer than 1024 bytes"}}) {
    const auto checked = checkNewPassword(password, "alice");
    ASSERT_FALSE(checked) << password;
    EXPECT_NE(checked.error().what.find(what), std::string::npos) << checked.error().what;
    EXPECT_EQ(checked.error().what.find(password), std::string::npos) << "the text does not repeat the password";
  }
}

TEST(Password, TakesAsLongForANameThatDoesNotExist) {
  const PasswordCost cost{8 * 1024, 2, 1};
  const std::string hash = *hashPassword("correct horse battery", cost);
  const auto shortest = [](const auto& work) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      work();
      best = std::min(best, std::chrono::steady_clock::now() - begin);
    }
    return std::chrono::duration<double>(best).count();
  };
  const double known = shortest([&] { (void)checkPassword("wrong horse battery", hash, cost); });
  const double unknown = shortest([&] { checkPasswordOfNobody("wrong horse battery", cost); });
  EXPECT_GT(unknown, known / 3);
  EXPECT_LT(unknown, known * 3);
}

TEST(Password, ManyLogInsAtOnceAreAllAnswered) {
  const std::string hash = *hashPassword("correct horse battery", quick);
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const auto check = checkPassword(i % 2 == 0 ? "correct horse battery" : "wrong horse battery", hash, quick);
      if (check && check->matches) ++right;
    });
  }
  threads.clear();
  EXPECT_EQ(right, 8);
}

}  // namespace
}  // namespace nora
