#include "image/content_number.hpp"

#include <atomic>

namespace nora {

std::uint64_t nextContentNumber() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace nora
