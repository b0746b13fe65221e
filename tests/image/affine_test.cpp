#include "image/affine.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace nora {
namespace {

Affine affine(std::array<double, 12> rows) {
  Affine out;
  std::copy(rows.begin(), rows.end(), out.m.begin());
  return out;
}

void expectNear(const Affine& a, const Affine& b, double tolerance) {
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(a.m[i], b.m[i], tolerance) << "entry " << i;
}

TEST(Affine, InverseAgreesWithNumpy) {
  const Affine a = affine({0.345584192064786, 0.8216181435011584, 0.33043707618338714, -1.303157231604361,   //
                           0.9053558666731177, 0.4463745723640113, -0.5369532353602852, 0.5811181041963531,  //
                           0.36457239618607573, 0.294132496655526, 0.02842224131579679, 0.5467129866124469});
  const Affine expected = affine({-1.9214957997094921, -0.8315636388245222, 6.629409186500066, -5.645158557403944,  //
                                  2.494357698783999, 1.246060271690192, -5.458829544083492, 5.510845094033531,      //
                                  -1.1662461508719182, -2.228595190796092, 6.639855319679664, -3.8548202255395676});
  EXPECT_NEAR(determinant(a), -0.08879663517481774, 1e-15);
  const auto inverted = inverse(a);
  ASSERT_TRUE(inverted);
  expectNear(*inverted, expected, 1e-12);
  expectNear(a * *inverted, Affine{}, 1e-13);
}

TEST(Affine, PointsMoveAndDirectionsTurn) {
  const Affine a = affine({0, -2, 0, 10, 3, 0, 0, 20, 0, 0, 4, 30});
  EXPECT_EQ(a.point({1, 2, 3}), (Vec3{6, 23, 42}));
  EXPECT_EQ(a.direction({1, 2, 3}), (Vec3{-4, 3, 12}));
  EXPECT_EQ(spacingMm(a), (Vec3{3, 2, 4}));
}

TEST(Affine, SingularOrNotFiniteHasNoInverse) {
  EXPECT_FALSE(inverse(affine({1, 2, 0, 0, 2, 4, 0, 0, 0, 0, 1, 0})));
  EXPECT_FALSE(inverse(affine({1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0})));
  EXPECT_FALSE(inverse(affine({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})));
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const std::size_t entry : {0U, 3U, 10U}) {
      Affine a;
      a.m[entry] = bad;
      EXPECT_FALSE(inverse(a)) << bad << " at " << entry;
    }
  }
}

TEST(Affine, TinyVoxelsAreNotSingular) {
  const auto inverted = inverse(affine({1e-5, 0, 0, 0, 0, 1e-5, 0, 0, 0, 0, 1e-5, 1}));
  ASSERT_TRUE(inverted);
  EXPECT_NEAR((*inverted)(0, 0), 1e5, 1e-6);
  EXPECT_NEAR((*inverted)(2, 3), -1e5, 1e-6);
}

// Expected codes are what nibabel.aff2axcodes says of the same matrices.
TEST(Affine, OrientationCodeAgreesWithNibabel) {
  EXPECT_EQ(orientationCode(Affine{}), "RAS");
  EXPECT_EQ(orientationCode(affine({-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0})), "LPS");
  EXPECT_EQ(orientationCode(affine({0, 0, -1, 0, -1, 0, 0, 0, 0, 1, 0, 0})), "PSL");
  EXPECT_EQ(orientationCode(affine({1.7320508075688772, -1, 0, 0, 1, 1.7320508075688772, 0, 0, 0, 0, 3, 0})), "RAS");
  EXPECT_EQ(orientationCode(affine({-2, 0, 0, 0, 0, 1.2855752193730787, -2.2981333293569346, 0,  //
                                    0, 1.5320888862379562, 1.9283628290596182, 0})),
            "LSP");
  EXPECT_EQ(orientationCode(affine({0.7193398003386513, -0.6527653446874835, 1.1879357771338088, 0,  //
                                    0.6946583704589973, 0.6759583022158393, -1.2301435080584173, 0,  //
                                    0, 0.34202014332566877, 4.698463103929542, 0})),
            "RAS");
  EXPECT_EQ(orientationCode(affine({1, 0.9, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0})), "RAS") << "sheared";
  EXPECT_EQ(orientationCode(affine({1, 1.5, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0})), "RAS") << "sheared further";
}

TEST(Affine, ZeroColumnHasNoLetter) {
  EXPECT_EQ(orientationCode(affine({1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0})), "R?S");
}

}  // namespace
}  // namespace nora
