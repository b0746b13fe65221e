// A PDF that came in DICOM, made here byte by byte.
#include "image/io/dicom_reader.hpp"
#include "nifti_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nora {
namespace {

using testing::Bytes;
using ::testing::Contains;

class DicomFile {
 public:
  DicomFile() : bytes_(128, '\0') { bytes_ += "DICM"; }
  DicomFile& add(std::uint16_t group, std::uint16_t element, const std::string& vr, std::string value) {
    if (value.size() % 2 != 0) value += vr == "UI" || vr == "OB" ? '\0' : ' ';
    put(group, 2);
    put(element, 2);
    bytes_ += vr;
    if (vr == "OB") put(0, 2);
    put(value.size(), vr == "OB" ? 4 : 2);
    bytes_ += value;
    return *this;
  }
  [[nodiscard]] Bytes bytes() const {
    const auto* first = reinterpret_cast<const std::byte*>(bytes_.data());
    return {first, first + bytes_.size()};
  }

 private:
  void put(std::size_t number, int count) {
    for (int i = 0; i < count; ++i) bytes_ += static_cast<char>(number >> (8 * i) & 0xFF);
  }
  std::string bytes_;
};

const std::string pdf = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF!";

Bytes fileWith(const std::string& document) {
  return DicomFile()
      .add(2, 0x10, "UI", "1.2.840.10008.1.2.1")
      .add(8, 5, "CS", "ISO_IR 100")
      .add(8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.104.1")
      .add(8, 0x60, "CS", "DOC")
      .add(0x42, 0x10, "ST", "Bef\xfcnd")
      .add(0x42, 0x11, "OB", document)
      .add(0x42, 0x12, "LO", "application/pdf")
      .add(0x42, 0x15, "UL", std::string("\x4d\0\0\0", 4))
      .bytes();
}

Result<ReadContent> readBytes(const Bytes& bytes, testing::CountingSink& sink) {
  const std::vector<InputFile> inputs{{"report.dcm", bytes}};
  return DicomReader().readContent(inputs, {}, sink);
}

TEST(DicomPdf, IsPassedOnWithoutItsPadding) {
  ASSERT_EQ(pdf.size(), 0x4dU);
  const Bytes file = fileWith(pdf);
  const auto summary = DicomReader().peek({"report.dcm", file});
  ASSERT_TRUE(summary) << describe(summary.error());
  EXPECT_EQ(summary->kind, "document");
  testing::CountingSink sink;
  const auto content = readBytes(file, sink);
  ASSERT_TRUE(content) << describe(content.error());
  const auto* document = std::get_if<ReadDocument>(&*content);
  ASSERT_NE(document, nullptr);
  EXPECT_EQ(document->info.mediaType, "application/pdf");
  EXPECT_THAT(document->info.fields, Contains(std::pair<std::string, std::string>("title", "Befünd")));
  const auto bytes = sink.memory.bytes().subspan(document->offset, document->size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), pdf);
}

TEST(DicomPdf, WhatIsNoPdfIsRefused) {
  testing::CountingSink sink;
  const auto content = readBytes(fileWith("<html>"), sink);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().what, "the document in it is not a PDF");
}

TEST(DicomPdf, CutFilesAreErrors) {
  const Bytes file = fileWith(pdf);
  for (std::size_t size = 0; size < file.size() - 36; size += 7) {  // 36: what follows the document
    testing::CountingSink sink;
    const auto content = readBytes({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}, sink);
    EXPECT_FALSE(content) << size;
  }
}

}  // namespace
}  // namespace nora
