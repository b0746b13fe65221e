#include "image/io/dicom_tables.hpp"

#include "image/io/dicom_tags.hpp"

#include <algorithm>

namespace nora {
namespace {

constexpr std::size_t maxEntries = 65536;

struct Descriptor {
  std::size_t entries = 0;
  std::int64_t first = 0;
  int bits = 16;
};

std::optional<Descriptor> descriptorOf(const DicomItem& item, std::uint32_t tag, bool isSigned) {
  const auto numbers = item.numbers(tag, 3);
  if (numbers.size() < 3 || numbers[0] < -32768 || numbers[0] > 65535 || numbers[2] < 1 || numbers[2] > 16) {
    return std::nullopt;
  }
  const auto unsignedWord = [](double number) { return static_cast<std::int64_t>(number) & 0xFFFF; };
  Descriptor d;
  d.entries = static_cast<std::size_t>(unsignedWord(numbers[0]));
  if (d.entries == 0) d.entries = maxEntries;  // C.7.6.3.1.5: 0 is 2^16
  d.first = unsignedWord(numbers[1]);
  if (isSigned && d.first > 32767) d.first -= 65536;
  d.bits = static_cast<int>(numbers[2]);
  return d;
}

/// Entries as words, whether they are stored one or (8 bits) two a word.
std::vector<std::uint16_t> entriesOf(const DicomItem& item, std::uint32_t tag, const Descriptor& d) {
  std::vector<std::uint16_t> words = item.words(tag);
  if (words.size() >= d.entries) {
    words.resize(d.entries);
    return words;
  }
  if (d.bits > 8 || words.size() * 2 + 1 < d.entries) return {};
  std::vector<std::uint16_t> entries;
  for (const std::uint16_t word : words) {
    entries.push_back(word & 0xFF);
    entries.push_back(word >> 8);
  }
  if (entries.size() < d.entries) entries.push_back(std::to_integer<std::uint16_t>(item.bytes(tag).back()));
  entries.resize(d.entries);
  return entries;
}

/// A segmented table (C.7.9.2) unpacked; empty if it is damaged.
class Segments {
 public:
  Segments(std::vector<std::uint16_t> input, std::size_t entries) : input_(std::move(input)), entries_(entries) {}

  std::vector<std::uint16_t> unpack() {
    std::size_t at = 0;
    while (at < input_.size() && output_.size() < entries_) {
      if (!segment(at, true)) return {};
    }
    return output_.size() == entries_ ? std::move(output_) : std::vector<std::uint16_t>{};
  }

 private:
  bool segment(std::size_t& at, bool mayRefer) {
    if (at + 2 > input_.size()) return false;
    const std::uint16_t code = input_[at], count = input_[at + 1];
    at += 2;
    if (code == 0) {
      if (count > input_.size() - at || count > entries_ - output_.size()) return false;
      output_.insert(output_.end(), input_.begin() + static_cast<std::ptrdiff_t>(at),
                     input_.begin() + static_cast<std::ptrdiff_t>(at + count));
      at += count;
      return true;
    }
    if (code == 1) return line(at, count);
    return code == 2 && mayRefer && refer(at, count);
  }

  bool line(std::size_t& at, std::size_t count) {
    if (at >= input_.size() || output_.empty() || count == 0 || count > entries_ - output_.size()) return false;
    const double from = output_.back(), to = input_[at++];
    for (std::size_t i = 1; i <= count; ++i) {
      const double value = from + (to - from) * static_cast<double>(i) / static_cast<double>(count);
      output_.push_back(static_cast<std::uint16_t>(value + 0.5));
    }
    return true;
  }

  bool refer(std::size_t& at, std::size_t count) {
    if (at + 2 > input_.size()) return false;
    std::size_t from = input_[at] | static_cast<std::size_t>(input_[at + 1]) << 16;
    at += 2;
    for (std::size_t i = 0; i < count; ++i) {
      if (from >= input_.size() || !segment(from, false)) return false;
    }
    return true;
  }

  std::vector<std::uint16_t> input_;
  std::size_t entries_;
  std::vector<std::uint16_t> output_;
};

std::vector<std::uint16_t> paletteOf(const DicomItem& dataset, std::size_t colour, const Descriptor& d) {
  if (dataset.has(tag::paletteTables[colour])) return entriesOf(dataset, tag::paletteTables[colour], d);
  const std::uint32_t tag = tag::segmentedPaletteTables[colour];
  if (!dataset.has(tag)) return {};
  std::vector<std::uint16_t> input;
  if (d.bits > 8) {
    input = dataset.words(tag);
  } else {
    for (const std::byte b : dataset.bytes(tag)) input.push_back(std::to_integer<std::uint16_t>(b));
  }
  return Segments(std::move(input), d.entries).unpack();
}

}  // namespace

void readPalette(const DicomItem& dataset, DicomPixelFormat& format) {
  for (std::size_t c = 0; c < 3; ++c) {
    const auto d = descriptorOf(dataset, tag::paletteDescriptors[c], format.isSigned);
    if (!d) return;
    const auto entries = paletteOf(dataset, c, *d);
    // Some tables say 16 bits and hold 8.
    const bool wide = d->bits > 8 && std::any_of(entries.begin(), entries.end(), [](auto e) { return e > 255; });
    format.paletteFirst = d->first;
    format.palette[c].clear();
    for (const std::uint16_t entry : entries) {
      format.palette[c].push_back(static_cast<std::uint8_t>(wide ? entry >> 8 : entry));
    }
  }
}

std::optional<DicomTable> modalityTable(const DicomItem& dataset, bool signedPixels) {
  const DicomItem item = dataset.first(tag::modalityLutSequence);
  const auto d = descriptorOf(item, tag::lutDescriptor, signedPixels);
  if (!d) return std::nullopt;
  DicomTable table{entriesOf(item, tag::lutData, *d), d->first, d->bits};
  return table.entries.empty() ? std::nullopt : std::optional(std::move(table));
}

std::vector<VoiRange> voiTableRanges(const DicomItem& dataset, bool signedValues) {
  std::vector<VoiRange> ranges;
  for (const DicomItem& item : dataset.items(tag::voiLutSequence, 64)) {
    const auto d = descriptorOf(item, tag::lutDescriptor, signedValues);
    if (!d || d->entries < 2) continue;
    const double first = static_cast<double>(d->first);
    ranges.push_back({item.text(tag::lutExplanation), first, first + static_cast<double>(d->entries - 1)});
  }
  return ranges;
}

}  // namespace nora
