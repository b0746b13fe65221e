#include "archive/files/packed_head.hpp"

#include <unistd.h>
#include <zlib.h>

namespace nora {

std::string fileHead(int fd) {
  std::string out(headBytes, '\0');
  const auto count = ::pread(fd, out.data(), out.size(), 0);
  out.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return out;
}

std::string unpackedHead(int fd) {
  std::string packed = fileHead(fd);
  std::string out(headBytes, '\0');
  z_stream stream{};
  if (::inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) return {};  // gzip alone
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  (void)::inflate(&stream, Z_SYNC_FLUSH);  // what came out before the end of the head, or before a fault
  out.resize(out.size() - stream.avail_out);
  ::inflateEnd(&stream);
  return out;
}

}  // namespace nora
