// Siemens' private CSA header: named text values in one binary element.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nora {

/// Formats "SV10" (CSA2) and the older one without a mark (CSA1). Damaged headers: what comes before the damage.
/// Source: reverse-engineered by the community, described in nibabel's documentation ("Siemens format DICOM with CSA
/// header").
class CsaHeader {
 public:
  CsaHeader() = default;
  explicit CsaHeader(std::span<const std::byte> bytes);

  /// The value's items that are not empty.
  [[nodiscard]] const std::vector<std::string>& texts(const std::string& name) const;
  [[nodiscard]] std::optional<double> number(const std::string& name) const;
  /// All its items as numbers; empty if one is none.
  [[nodiscard]] std::vector<double> numbers(const std::string& name) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

/// A number of the protocol (ASCCONV) in the series header: "sSliceArray.asSlice[0].sPosition.dTra" and what follows
/// its equals sign. Empty if it is not there.
[[nodiscard]] std::optional<double> protocolNumber(std::span<const std::byte> bytes, std::string_view name);

}  // namespace nora
