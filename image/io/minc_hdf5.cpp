#include "image/io/minc_hdf5.hpp"

#include "image/io/byte_reader.hpp"
#include "image/io/minc_chunks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include <H5PLpublic.h>
#include <hdf5.h>

namespace nora {
namespace {

constexpr int maxRank = 8;
constexpr hsize_t maxAttributes = 256;
constexpr hsize_t maxAttributeValues = 4096;
constexpr hsize_t maxTextBytes = 65536;

/// An HDF5 handle with what closes it.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  [[nodiscard]] bool good() const { return id_ >= 0; }
  operator hid_t() const { return id_; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// The file image is the mapping itself: never copied, never written, never freed by the library.
void* imageMalloc(std::size_t, H5FD_file_image_op_t, void* mapping) {
  return mapping;
}
void* imageCopy(void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
  if (to != from) std::copy_n(static_cast<const std::byte*>(from), size, static_cast<std::byte*>(to));
  return to;
}
void* imageRealloc(void*, std::size_t, H5FD_file_image_op_t, void*) {
  return nullptr;
}
herr_t imageFree(void*, H5FD_file_image_op_t, void*) {
  return 0;
}
void* sameMapping(void* mapping) {
  return mapping;
}
herr_t keepMapping(void*) {
  return 0;
}

void prepareLibrary() {
  static const bool once = [] {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);  // no filters from plug-ins
    return true;
  }();
  static_cast<void>(once);
}

Handle openMapped(std::span<const std::byte> bytes) {
  prepareLibrary();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), &H5Pclose);
  auto* mapping = const_cast<std::byte*>(bytes.data());  // opened read-only: the library does not write
  H5FD_file_image_callbacks_t callbacks{&imageMalloc, &imageCopy,   &imageRealloc, &imageFree,
                                        &sameMapping, &keepMapping, mapping};
  constexpr std::size_t increment = 65536;
  const bool set = H5Pset_fapl_core(access, increment, false) >= 0 &&
                   H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
                   H5Pset_file_image(access, mapping, bytes.size()) >= 0;
  // The library makes sure that no file has the name of an image, by trying to open it: one that cannot exist.
  return set ? Handle(H5Fopen("/dev/null/minc", H5F_ACC_RDONLY, access), &H5Fclose) : Handle();
}

/// The object of that name, by a hard link only: soft and external links lead elsewhere.
Handle child(hid_t parent, const char* name) {
  H5L_info_t link{};
  if (H5Lget_info(parent, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD) return {};
  return Handle(H5Oopen(parent, name, H5P_DEFAULT), &H5Oclose);
}

std::string withoutPadding(std::string text) {
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::optional<std::string> readText(hid_t attribute, hid_t type) {
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    const Handle memory(H5Tcopy(H5T_C_S1), &H5Tclose);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    if (H5Aread(attribute, memory, &text) < 0 || text == nullptr) return std::nullopt;
    std::string out(text, strnlen(text, maxTextBytes));
    H5free_memory(text);
    return out;
  }
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > maxTextBytes) return std::nullopt;
  std::string out(size, '\0');
  if (H5Aread(attribute, type, out.data()) < 0) return std::nullopt;
  return withoutPadding(std::move(out));
}

void readAttribute(hid_t attribute, MincVariable& variable) {
  std::array<char, 256> name{};
  const Handle type(H5Aget_type(attribute), &H5Tclose);
  const Handle space(H5Aget_space(attribute), &H5Sclose);
  if (H5Aget_name(attribute, name.size(), name.data()) <= 0 || !type.good() || !space.good()) return;
  const std::string key = withoutPadding(std::string(name.data(), name.size()));
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_STRING && count == 1) {
    if (auto text = readText(attribute, type)) variable.texts[key] = std::move(*text);
  } else if ((kind == H5T_INTEGER || kind == H5T_FLOAT) && count > 0 &&
             count <= static_cast<hssize_t>(maxAttributeValues)) {
    std::vector<double> values(static_cast<std::size_t>(count));
    if (H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data()) >= 0) variable.numbers[key] = std::move(values);
  }
}

void readAttributes(hid_t object, MincVariable& variable) {
  H5O_info_t info{};
  if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0) return;
  for (hsize_t i = 0; i < std::min(info.num_attrs, maxAttributes); ++i) {
    const Handle attribute(H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_NATIVE, i, H5P_DEFAULT, H5P_DEFAULT),
                           &H5Aclose);
    if (attribute.good()) readAttribute(attribute, variable);
  }
}

/// Shape and names of the dimensions. False if they make no sense.
bool readShape(hid_t dataset, MincVariable& variable) {
  const Handle space(H5Dget_space(dataset), &H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  std::array<hsize_t, maxRank> dims{};
  if (rank < 0 || rank > maxRank || H5Sget_simple_extent_dims(space, dims.data(), nullptr) < 0) return false;
  auto names = words(variable.text("dimorder"), ",");
  if (names.empty() && rank == 3) names = {"zspace", "yspace", "xspace"};
  if (names.size() < static_cast<std::size_t>(rank)) return false;
  for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d) {
    if (dims[d] > (hsize_t{1} << 48)) return false;
    variable.dimensions.emplace_back(trimmed(names[d]));
    variable.shape.push_back(static_cast<std::int64_t>(dims[d]));
  }
  return true;
}

/// The names of an enumeration: what labels are in MINC 2.
void readEnumeration(hid_t type, MincVariable& variable) {
  const int members = H5Tget_nmembers(type);
  const Handle base(H5Tget_super(type), &H5Tclose);
  const std::size_t size = H5Tget_size(type);
  for (int i = 0; i < members && size <= 8; ++i) {
    std::array<std::byte, 8> raw{};
    char* name = H5Tget_member_name(type, static_cast<unsigned>(i));
    std::int64_t value = 0;
    const bool got = H5Tget_member_value(type, static_cast<unsigned>(i), raw.data()) >= 0 &&
                     H5Tconvert(base, H5T_NATIVE_INT64, 1, raw.data(), nullptr, H5P_DEFAULT) >= 0;
    std::copy_n(raw.data(), sizeof value, reinterpret_cast<std::byte*>(&value));
    if (got && name != nullptr) variable.enumeration.emplace_back(value, name);
    H5free_memory(name);
  }
}

/// How the numbers of a type lie in the file; empty for what is no plain number.
std::optional<StoredVoxel> storedOf(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  const bool big = H5Tget_order(type) == H5T_ORDER_BE;
  StoredVoxel out;
  out.swapped = big == (std::endian::native == std::endian::little);
  if (H5Tget_precision(type) != size * 8 || H5Tget_offset(type) != 0) return std::nullopt;
  if (H5Tget_class(type) == H5T_FLOAT) {
    out.number = size == 4 ? VoxelType::float32 : VoxelType::float64;
    const hid_t ieee = size == 4 ? (big ? H5T_IEEE_F32BE : H5T_IEEE_F32LE) : (big ? H5T_IEEE_F64BE : H5T_IEEE_F64LE);
    return H5Tequal(type, ieee) > 0 ? std::optional(out) : std::nullopt;
  }
  if (H5Tget_class(type) != H5T_INTEGER) return std::nullopt;
  const bool isSigned = H5Tget_sign(type) == H5T_SGN_2;
  switch (size) {
    case 1: out.number = isSigned ? VoxelType::int8 : VoxelType::uint8; return out;
    case 2: out.number = isSigned ? VoxelType::int16 : VoxelType::uint16; return out;
    case 4: out.number = isSigned ? VoxelType::int32 : VoxelType::uint32; return out;
    case 8: out.number = isSigned ? VoxelType::int64 : VoxelType::uint64; return out;
    default: return std::nullopt;
  }
}

Result<void> readType(hid_t dataset, const std::string& name, MincVariable& variable) {
  Handle type(H5Dget_type(dataset), &H5Tclose);
  if (H5Tget_class(type) == H5T_ENUM) {
    readEnumeration(type, variable);
    type = Handle(H5Tget_super(type), &H5Tclose);
  }
  const auto stored = storedOf(type);
  if (stored) {
    variable.stored = *stored;
    return {};
  }
  const bool compound = H5Tget_class(type) == H5T_COMPOUND;
  return fail(ErrorCode::unsupported,
              compound ? "its voxels are complex numbers or records, which nora does not show"
                       : "its voxel type is no integer and no floating-point number",
              name);
}

bool isDataset(const Handle& handle) {
  return handle.good() && H5Iget_type(handle) == H5I_DATASET;
}

/// Shape, type and attributes. False if the shape has no names.
bool describeDataset(hid_t dataset, MincVariable& variable) {
  readAttributes(dataset, variable);
  return readShape(dataset, variable);
}

}  // namespace

/// The bytes of a dataset: in one piece, in the object's header (compact), or in chunks, which the library finds.
struct MincStorage {
  Handle file, dataset;  // the former keeps the file open
  H5D_layout_t layout = H5D_CONTIGUOUS;
  std::uint64_t offset = 0;  // contiguous
  ChunkGrid grid;

  [[nodiscard]] Result<void> describe(const MincVariable& variable, std::size_t fileBytes, const std::string& name);
  [[nodiscard]] Result<void> read(std::span<const std::byte> bytes, std::span<std::byte> to,
                                  const std::function<void(double)>& progress, const std::string& name) const;

 private:
  [[nodiscard]] std::optional<ChunkPlace> find(const std::vector<std::int64_t>& corner) const;
};

Result<void> MincStorage::describe(const MincVariable& variable, std::size_t fileBytes, const std::string& name) {
  const Handle creation(H5Dget_create_plist(dataset), &H5Pclose);
  layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL || H5Pget_external_count(creation) != 0) {
    return fail(ErrorCode::unsupported, "its voxels are in other files", name);
  }
  if (layout == H5D_CONTIGUOUS) {
    offset = H5Dget_offset(dataset);
    if (offset < fileBytes) return {};  // not HADDR_UNDEF
    return fail(ErrorCode::invalidInput, "its voxels were never written or are cut off", name);
  }
  if (layout != H5D_CHUNKED) return {};
  grid.dims = variable.shape;
  grid.elementBytes = static_cast<std::int64_t>(variable.stored.bits() / 8);
  std::array<hsize_t, maxRank> sizes{};
  if (H5Pget_chunk(creation, maxRank, sizes.data()) != static_cast<int>(variable.shape.size())) {
    return fail(ErrorCode::invalidInput, "its chunks have other dimensions than the image", name);
  }
  for (std::size_t d = 0; d < variable.shape.size(); ++d) {
    grid.chunk.push_back(static_cast<std::int64_t>(std::min(sizes[d], hsize_t{1} << 32)));
  }
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0, settings = 0;
    std::size_t count = 0;
    grid.filters.push_back(
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &count, nullptr, 0, nullptr, &settings));
  }
  return grid.check(fileBytes, name);
}

std::optional<ChunkPlace> MincStorage::find(const std::vector<std::int64_t>& corner) const {
  std::array<hsize_t, maxRank> at{};
  std::copy(corner.begin(), corner.end(), at.begin());
  ChunkPlace place;
  haddr_t address = HADDR_UNDEF;
  hsize_t size = 0;
  const herr_t found = H5Dget_chunk_info_by_coord(dataset, at.data(), &place.skippedFilters, &address, &size);
  if (found < 0 || address == HADDR_UNDEF || size == 0) return std::nullopt;
  place.offset = address;
  place.size = size;
  return place;
}

Result<void> MincStorage::read(std::span<const std::byte> bytes, std::span<std::byte> to,
                               const std::function<void(double)>& progress, const std::string& name) const {
  if (layout == H5D_CHUNKED) {
    return grid.read(
        bytes, [this](const auto& corner) { return find(corner); }, to, progress, name);
  }
  if (layout == H5D_CONTIGUOUS && offset <= bytes.size() && to.size() <= bytes.size() - offset) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
    return {};
  }
  const Handle type(H5Dget_type(dataset), &H5Tclose);
  const bool fits = layout == H5D_COMPACT && to.size() == H5Dget_storage_size(dataset);
  if (fits && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to.data()) >= 0) return {};
  return fail(ErrorCode::invalidInput, "its values are damaged or cut off", name);
}

namespace {

/// image-min and image-max. Nothing if they are not what they should be.
std::vector<double> readValues(Handle dataset, const MincVariable& variable, std::span<const std::byte> bytes) {
  std::int64_t count = 1;
  for (const std::int64_t n : variable.shape) {
    if (n < 1 || __builtin_mul_overflow(count, n, &count) || count > maxMincScales) return {};
  }
  MincStorage storage;
  storage.dataset = std::move(dataset);
  const Handle type(H5Dget_type(storage.dataset), &H5Tclose);
  std::vector<double> values(static_cast<std::size_t>(count));
  const auto memory = std::as_writable_bytes(std::span(values));
  const std::size_t size = static_cast<std::size_t>(count) * (variable.stored.bits() / 8);
  const bool read = storage.describe(variable, bytes.size(), {}) &&
                    storage.read(bytes, memory.first(size), [](double) {}, {}) &&
                    H5Tconvert(type, H5T_NATIVE_DOUBLE, values.size(), values.data(), nullptr, H5P_DEFAULT) >= 0;
  return read ? values : std::vector<double>{};
}

std::vector<std::int64_t> packedStrides(const MincVariable& image) {
  std::vector<std::int64_t> strides(image.shape.size());
  auto step = static_cast<std::int64_t>(image.stored.bits() / 8);
  for (std::size_t d = strides.size(); d-- > 0;) {
    strides[d] = step;
    if (__builtin_mul_overflow(step, image.shape[d], &step)) return {};
  }
  return strides;
}

void readGroup(hid_t root, const char* group, std::initializer_list<const char*> names, MincFile& file) {
  const Handle folder = child(root, group);
  if (!folder.good()) return;
  for (const char* name : names) {
    const Handle object = child(folder, name);
    if (object.good()) readAttributes(object, file.variables[name]);
  }
}

}  // namespace

bool hasHdf5Magic(std::span<const std::byte> bytes) {
  return asText(bytes).starts_with("\x89HDF\r\n\x1a\n");
}

Result<Minc2File> Minc2File::open(std::span<const std::byte> bytes, const std::string& name) {
  Minc2File out;
  out.bytes_ = bytes;
  out.name_ = name;
  out.file_.version = 2;
  auto storage = std::make_shared<MincStorage>();
  storage->file = openMapped(bytes);
  if (!storage->file.good()) return fail(ErrorCode::invalidInput, "the HDF5 file is damaged or cut short", name);
  const Handle root = child(storage->file, "minc-2.0");
  if (!root.good()) return fail(ErrorCode::unsupported, "this HDF5 file holds no MINC image", name);
  const Handle images = child(root, "image");
  const Handle folder = images.good() ? child(images, "0") : Handle();
  storage->dataset = folder.good() ? child(folder, "image") : Handle();
  if (!isDataset(storage->dataset)) return fail(ErrorCode::invalidInput, "the MINC file has no image", name);

  MincVariable& image = out.file_.variables["image"];
  if (!describeDataset(storage->dataset, image)) {
    return fail(ErrorCode::invalidInput, "the dimensions of the image have no names (dimorder)", name);
  }
  const auto typed = readType(storage->dataset, name, image);
  if (!typed) return tl::make_unexpected(typed.error());
  out.file_.voxels.strides = packedStrides(image);
  if (out.file_.voxels.strides.size() != image.shape.size()) {
    return fail(ErrorCode::invalidInput, "the dimensions overflow", name);
  }
  for (const char* scale : {"image-min", "image-max"}) {
    Handle dataset = child(folder, scale);
    if (!isDataset(dataset)) continue;
    MincVariable& variable = out.file_.variables[scale];
    if (!describeDataset(dataset, variable) || !readType(dataset, name, variable)) continue;
    variable.values = readValues(std::move(dataset), variable, bytes);
  }
  readGroup(root, "dimensions", {"xspace", "yspace", "zspace", "time"}, out.file_);
  readGroup(root, "info", {"study", "acquisition"}, out.file_);
  const auto stored = storage->describe(image, bytes.size(), name);
  if (!stored) return tl::make_unexpected(stored.error());
  if (storage->layout == H5D_CONTIGUOUS) out.file_.voxels.first = static_cast<std::int64_t>(storage->offset);
  out.storage_ = std::move(storage);
  return out;
}

bool Minc2File::isContiguous() const {
  return storage_->layout == H5D_CONTIGUOUS;
}

Result<void> Minc2File::readVoxels(std::span<std::byte> to, const std::function<void(double)>& progress) const {
  return storage_->read(bytes_, to, progress, name_);
}

}  // namespace nora
