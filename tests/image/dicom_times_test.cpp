#include "image/io/dicom_header.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

DicomHeader slice(int number, Vec3 positionLps) {
  DicomHeader h;
  h.studyUid = "1.2";
  h.seriesUid = "1.2.3";
  h.sopClassUid = "1.2.840.10008.5.1.4.1.1.4";
  h.sopInstanceUid = "1.2.3." + std::to_string(number);
  h.transferSyntaxUid = "1.2.840.10008.1.2.1";
  h.photometric = "MONOCHROME2";
  h.instanceNumber = number;
  h.rows = h.columns = 10;
  h.bitsAllocated = 16;
  h.hasPixels = true;
  h.positionLps = positionLps;
  h.orientationLps = {1, 0, 0, 0, 1, 0};
  h.pixelSpacing = {2, 3};
  return h;
}

/// A series of 3 slices whose time points `there` (from 1) are left, as `set` marks them.
template <class Set>
std::vector<std::string> warningsWithout(std::vector<int> there, Set&& set) {
  std::vector<DicomHeader> left;
  for (const int t : there) {
    for (int z = 0; z < 3; ++z) {
      left.push_back(slice(3 * t + z, {0, 0, 5.0 * z}));
      left.back().instanceNumber = static_cast<std::int64_t>(left.size());  // numbered anew: tells nothing
      set(left.back(), t);
    }
  }
  const auto grouping = groupDicom(left);
  EXPECT_EQ(grouping.stacks.at(0).timePoints, static_cast<std::int64_t>(there.size()));
  return grouping.stacks.at(0).warnings;
}

TEST(DicomTimes, ALostTimePointIsTold) {
  const auto acquisition = [](DicomHeader& h, int t) { h.acquisitionNumber = t; };
  const auto trigger = [](DicomHeader& h, int t) { h.triggerTime = 40.0 * t + (t % 2); };
  const auto position = [](DicomHeader& h, int t) { h.temporalPosition = t; };
  EXPECT_THAT(warningsWithout({1, 2, 4, 5}, acquisition),
              ElementsAre("1 time point seems to be lost: AcquisitionNumber goes from 2 to 4 behind time point 2; the "
                          "times of later ones are too early"));
  EXPECT_THAT(warningsWithout({1, 2, 5, 6, 8, 9}, position),
              ElementsAre(HasSubstr("3 time points seem to be lost: TemporalPositionIdentifier goes from 2 to 5")));
  EXPECT_THAT(warningsWithout({1, 2, 4, 5, 6}, trigger), ElementsAre(HasSubstr("TriggerTime goes from 80 to 160")));
  for (const auto& whole : {std::vector{1, 2, 3, 4}, {2, 4, 6, 8}, {1, 2, 3, 5}, {1, 3}}) {
    EXPECT_THAT(warningsWithout(whole, acquisition), IsEmpty());
    EXPECT_THAT(warningsWithout(whole, trigger), IsEmpty());
  }
}

TEST(DicomTimes, FramesThatGetLongerAreNoLostTimePoints) {
  const auto seconds = [](DicomHeader& h, int t) { h.acquisitionTime = "1200" + std::to_string(t); };
  EXPECT_THAT(warningsWithout({10, 12, 14, 16, 20, 24, 28}, seconds), IsEmpty());
  EXPECT_THAT(warningsWithout({10, 12, 16, 18, 20, 22, 24}, seconds), ElementsAre(HasSubstr("AcquisitionTime")));
}

TEST(DicomTimes, TimePointsOfAnotherStackAreNotLost) {
  const auto echoes = [](DicomHeader& h, int t) {
    h.acquisitionNumber = t;
    h.echoTime = t == 3 ? 20 : 10;
  };
  std::vector<DicomHeader> headers;
  for (int t = 1; t <= 5; ++t) {
    for (int z = 0; z < 3; ++z) {
      headers.push_back(slice(3 * t + z, {0, 0, 5.0 * z}));
      echoes(headers.back(), t);
    }
  }
  for (const auto& stack : groupDicom(headers).stacks) EXPECT_THAT(stack.warnings, IsEmpty());
}

}  // namespace
}  // namespace nora
