#include "archive/files/tree_walker.hpp"

#include "archive/files/path_text.hpp"

#include "tests/archive/temporary_folder.hpp"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nora {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Walked {
  std::vector<FoundFile> files;
  std::vector<WalkProblem> problems;
  std::vector<std::size_t> batches;

  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> result;
    for (const auto& file : files) result.push_back(file.path);
    return result;
  }
  [[nodiscard]] const FoundFile& at(const std::string& path) const {
    return *std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.path == path; });
  }
};

Walked walk(const std::string& folder, std::size_t batch = 1000) {
  Walked walked;
  const auto root = ServedRoot::open(folder);
  EXPECT_TRUE(root);
  walkTree(
      *root, batch,
      [&](std::vector<FoundFile> files) {
        walked.batches.push_back(files.size());
        std::move(files.begin(), files.end(), std::back_inserter(walked.files));
      },
      [&](WalkProblem problem) { walked.problems.push_back(std::move(problem)); }, {});
  return walked;
}

TEST(PlaceFromPath, KnowsBids) {
  const auto expect = [](const std::string& path, const std::string& subject, const std::string& study) {
    const PathPlace place = placeFromPath(path);
    EXPECT_EQ(place.subject, subject) << path;
    EXPECT_EQ(place.study, study) << path;
  };
  expect("sub-01/anat/sub-01_T1w.nii.gz", "sub-01", "");
  expect("sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz", "sub-01", "ses-2");
  expect("sub-01/ses-2/func/run-1/image.nii", "sub-01", "ses-2");
  expect("derivatives/fmriprep/sub-03/ses-b/func/x.nii", "sub-03", "ses-b");
  expect("sourcedata/sub-03/dicom/1.dcm", "sub-03", "");
  expect("sub-01_ses-04_T1w.nii.gz", "sub-01", "ses-04");
  expect("flat/sub-01.nii.gz", "sub-01", "");
  expect("derivatives/x/sub-01_ses-2/a.nii", "sub-01", "ses-2");
}

TEST(PlaceFromPath, KnowsSubjectAndStudyFolders) {
  const auto expect = [](const std::string& path, const std::string& subject, const std::string& study) {
    const PathPlace place = placeFromPath(path);
    EXPECT_EQ(place.subject, subject) << path;
    EXPECT_EQ(place.study, study) << path;
  };
  expect("Miller/2020/t1.nii", "Miller", "2020");
  expect("Miller/2020/series/1.dcm", "Miller", "2020");
  expect("Miller/t1.nii", "Miller", "");
  expect("t1.nii", ".", "");
  expect("ses-1/t1.nii", ".", "ses-1");
  expect("sub-cortical maps/a/b.nii", "sub-cortical maps", "a");
  expect("sub-/a/b.nii", "sub-", "a");
  expect("submarine/x.nii", "submarine", "");
  expect("", ".", "");
}

TEST(WalkTree, FindsFilesInTheOrderOfTheirNames) {
  const TemporaryFolder folder;
  for (const char* name :
       {"sub-02/anat/b.nii", "sub-01/ses-2/z.nii", "sub-01/ses-1/b.nii", "sub-01/ses-1/a.nii.gz", "a.txt"}) {
    folder.file(name, "12345");
  }
  const Walked walked = walk(folder.path());
  EXPECT_THAT(walked.paths(), ElementsAre("a.txt", "sub-01/ses-1/a.nii.gz", "sub-01/ses-1/b.nii", "sub-01/ses-2/z.nii",
                                          "sub-02/anat/b.nii"));
  EXPECT_THAT(walked.problems, IsEmpty());
  EXPECT_EQ(walked.at("sub-01/ses-2/z.nii").subject, "sub-01");
  EXPECT_EQ(walked.at("sub-01/ses-2/z.nii").study, "ses-2");
  EXPECT_EQ(walked.at("a.txt").stat.sizeBytes, 5);
  EXPECT_GT(walked.at("a.txt").stat.modifiedNs, 0);
}

TEST(WalkTree, FilesOfNoSubjectBelongToTheRoot) {
  const TemporaryFolder folder;
  folder.file("my study/a.nii");
  folder.file("sub-07/ses-1/anat/a.nii");
  EXPECT_EQ(walk(folder / "my study").at("a.nii").subject, "my study");
  EXPECT_EQ(walk(folder / "sub-07").at("ses-1/anat/a.nii").subject, "sub-07");
  EXPECT_EQ(walk(folder / "sub-07").at("ses-1/anat/a.nii").study, "ses-1");
}

TEST(WalkTree, LeavesOutHiddenAndSpecialFiles) {
  const TemporaryFolder folder;
  folder.file("seen");
  folder.file(".hidden");
  folder.file(".git/objects/file");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0644), 0);
  folder.link("to the pipe", "pipe");
  folder.link("seen too", ".git/objects/file");  // as data sets under version control have it
  const Walked walked = walk(folder.path());
  EXPECT_THAT(walked.paths(), ElementsAre("seen", "seen too"));
  EXPECT_THAT(walked.problems, IsEmpty());
}

TEST(WalkTree, NamesOfAnyBytesSurvive) {
  const TemporaryFolder folder;
  const std::vector<std::string> names{"a\nb.nii",     "a\"b'.nii", "a b.nii", "\xc3\xbc.nii",
                                       "\xff\xfe.nii", "a\\b.nii",  "-a.nii"};
  for (const auto& name : names) folder.file("dir\n\xff/" + name);
  auto paths = walk(folder.path()).paths();
  ASSERT_EQ(paths.size(), names.size());
  for (const auto& name : names) EXPECT_THAT(paths, testing::Contains(textOfPath("dir\n\xff/" + name)));
  EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end()));
}

TEST(WalkTree, LoopsEndAndAreReported) {
  const TemporaryFolder folder;
  folder.file("a/b/file");
  folder.link("a/b/loop", "../../a");
  folder.link("a/b/root", folder.path());
  folder.link("ring", "ring");
  const Walked walked = walk(folder.path());
  EXPECT_THAT(walked.paths(), ElementsAre("a/b/file"));
  ASSERT_EQ(walked.problems.size(), 3U);
  std::map<std::string, std::string> what;
  for (const auto& problem : walked.problems) what[problem.path] = problem.error.what;
  EXPECT_THAT(what["a/b/loop"], HasSubstr("back to a folder above"));
  EXPECT_THAT(what["a/b/root"], HasSubstr("back to a folder above"));
  EXPECT_THAT(what["ring"], HasSubstr("never end"));
}

TEST(WalkTree, TwoFoldersThatLinkToEachOtherAreEnteredOnce) {
  const TemporaryFolder folder;
  folder.file("one/1");
  folder.file("two/2");
  folder.link("one/other", "../two");
  folder.link("two/other", "../one");
  EXPECT_THAT(walk(folder.path()).paths(), ElementsAre("one/1", "two/2"));
}

TEST(WalkTree, AFolderIsKnownByItsOwnNameBeforeALink) {
  const TemporaryFolder folder;
  folder.file("sub-01/file");
  folder.file(".store/sub-02/file");
  folder.link("all/latest", "../sub-01");
  folder.link("sub-02", ".store/sub-02");
  EXPECT_THAT(walk(folder.path()).paths(), ElementsAre("sub-01/file", "sub-02/file"));
}

TEST(WalkTree, LinksThatLeaveTheRootAreProblems) {
  const TemporaryFolder folder;
  folder.file("outside/file");
  folder.file("root/file");
  folder.link("root/folder", "../outside");
  folder.link("root/single", folder / "outside/file");
  folder.link("root/nothing", "none");
  const Walked walked = walk(folder / "root");
  EXPECT_THAT(walked.paths(), ElementsAre("file"));
  ASSERT_EQ(walked.problems.size(), 3U);
  for (const auto& problem : walked.problems) {
    const bool dangling = problem.path == "nothing";
    EXPECT_EQ(problem.error.code, dangling ? ErrorCode::notFound : ErrorCode::forbidden) << problem.path;
    EXPECT_THAT(problem.error.what, HasSubstr(dangling ? "leads to nothing" : "leads out of the served folder"));
  }
}

TEST(WalkTree, UnreadableFoldersAreProblemsAndNothingElseStops) {
  const TemporaryFolder folder;
  folder.file("a/closed/file");
  folder.file("a/listed/file1");
  folder.file("a/listed/file2");
  folder.file("a/open/file");
  std::filesystem::permissions(folder / "a/closed", std::filesystem::perms(0));
  std::filesystem::permissions(folder / "a/listed", std::filesystem::perms(0444));
  // Root may read everything; as nobody the test means the same for all who run it.
  constexpr uid_t nobody = 65534;
  const bool isRoot = ::geteuid() == 0;
  ASSERT_TRUE(!isRoot || ::seteuid(nobody) == 0);
  const Walked walked = walk(folder.path());
  ASSERT_TRUE(!isRoot || ::seteuid(0) == 0);
  std::filesystem::permissions(folder / "a/closed", std::filesystem::perms(0755));
  std::filesystem::permissions(folder / "a/listed", std::filesystem::perms(0755));
  EXPECT_THAT(walked.paths(), ElementsAre("a/open/file"));
  ASSERT_EQ(walked.problems.size(), 2U);
  EXPECT_EQ(walked.problems[0].path, "a/closed");
  EXPECT_EQ(walked.problems[1].path, "a/listed");
  for (const auto& problem : walked.problems) {
    EXPECT_EQ(problem.error.code, ErrorCode::forbidden);
    EXPECT_THAT(problem.error.what, HasSubstr("permission denied"));
  }
}

TEST(WalkTree, TooDeepFoldersAreAProblem) {
  const TemporaryFolder folder;
  std::string deep;
  for (int i = 0; i < 120; ++i) deep += "d/";
  folder.file(deep + "file");
  folder.file("z/file");
  const Walked walked = walk(folder.path());
  EXPECT_THAT(walked.paths(), ElementsAre("z/file"));
  ASSERT_EQ(walked.problems.size(), 1U);
  EXPECT_EQ(walked.problems[0].error.code, ErrorCode::limitExceeded);
}

TEST(WalkTree, TwentyThousandFilesComeInBatches) {
  const TemporaryFolder folder;
  constexpr int folders = 100, filesEach = 200;
  for (int i = 0; i < folders; ++i) {
    const std::string name = "sub-" + std::to_string(1000 + i);
    folder.folder(name);
    for (int j = 0; j < filesEach; ++j) {
      const int fd = ::creat((folder / (name + "/" + std::to_string(1000 + j) + ".dcm")).c_str(), 0644);
      ASSERT_GE(fd, 0);
      ::close(fd);
    }
  }
  const Walked walked = walk(folder.path(), 256);
  const auto paths = walked.paths();
  EXPECT_EQ(paths.size(), static_cast<std::size_t>(folders * filesEach));
  EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end()));
  EXPECT_EQ(std::adjacent_find(paths.begin(), paths.end()), paths.end());
  EXPECT_GE(walked.batches.size(), paths.size() / 256);
  EXPECT_LE(*std::max_element(walked.batches.begin(), walked.batches.end()), 256U);
  EXPECT_GT(*std::min_element(walked.batches.begin(), walked.batches.end()), 0U);
}

TEST(WalkTree, StopsWhenAsked) {
  const TemporaryFolder folder;
  for (int i = 0; i < 50; ++i) folder.file(std::to_string(100 + i) + "/file");
  const auto root = ServedRoot::open(folder.path());
  std::stop_source stop;
  std::size_t seen = 0;
  walkTree(
      *root, 1,
      [&](const std::vector<FoundFile>& files) {
        seen += files.size();
        if (seen == 5) stop.request_stop();
      },
      [](const WalkProblem&) {}, stop.get_token());
  EXPECT_EQ(seen, 5U);
}

TEST(KindBySuffix, KnowsWhatIsWorthALook) {
  const std::map<std::string, std::vector<std::string>> expected{
      {"image?",
       {"a.nii",          "a.nii.gz",    "A.NII.GZ", "a.hdr",  "a.img",         "a.mgz",     "a.mgh", "a.nrrd",
        "a.nhdr",         "a.mha",       "a.mhd",    "a.mif",  "a.mif.gz",      "a.mnc",     "a.PAR", "a+orig.BRIK",
        "a+orig.BRIK.gz", "a+orig.HEAD", "a.dcm",    "IM0001", "1.2.840.113.5", "a.unknown", "",      "dir.txt/IM1",
        "lh.ribbon.mgz",  "a.gz"}},
      {"surface",
       {"a.gii", "a.gii.gz", "a.surf.gii", "lh.pial", "rh.white", "lh.inflated", "lh.sphere.reg", "rh.thickness",
        "a.stl", "a.ply", "a.obj", "a.off", "a.mz3", "a.vtk", "a.vtp", "surf/lh.curv"}},
      {"tracts", {"a.tck", "a.trk", "a.trk.gz", "a.trx", "a.tt"}},
      {"table", {"a.csv", "a.tsv", "a.tsv.gz", "a.json", "a.bval", "a.bvec", "aal.nii.lut", "a.ctbl"}},
      {"document", {"a.pdf", "a.png", "a.jpg", "a.tif", "a.txt", "a.md", "aal.nii.txt", "README", "LICENSE"}},
      {"other", {"a.zip", "a.py", "a.raw", "a.REC", "DICOMDIR"}},
  };
  for (const auto& [kind, names] : expected) {
    for (const auto& name : names) EXPECT_EQ(kindBySuffix(name), kind) << name;
  }
}

}  // namespace
}  // namespace nora
