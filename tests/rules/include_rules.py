#!/usr/bin/python3
"""Who may include whom (docs/ARCHITECTURE.md), which library is known where, and how long a file may be.

include_rules.py ROOT         checks the tree, prints a line for each break and exits 1 if there is one
include_rules.py --self-test  checks that each kind of break is found in a made-up tree
"""
import os
import re
import sys
import tempfile

MAX_LINES = 600

ROOMS = {
    "base": {"base"},
    "image": {"base", "image"},
    "render": {"base", "image", "render"},
    "streaming": {"base", "image", "render", "streaming"},
    "archive": {"base", "archive"},
    "dicom": {"base", "image", "archive", "dicom"},
    "cluster": {"base", "archive", "cluster"},
    "app": {"base", "image", "render", "streaming", "archive", "dicom", "cluster", "app"},
}
EVERY_ROOM = ROOMS["app"]
# Not rooms: they may look at everything, and at their own.
ROOMS["tests"] = EVERY_ROOM | {"tests"}
ROOMS["benchmarks"] = EVERY_ROOM | {"benchmarks", "tests"}

# The back ends of the renderer do not know each other.
SIBLINGS = ("render/cpu/", "render/cuda/", "render/gl/")

# A library and the files that may know it, by the beginning of their path. Everything else from outside the standard
# library and the operating system is a new dependency and must be written down here.
ANYWHERE = ("",)
LIBRARIES = [
    (r"tl/expected\.hpp", ANYWHERE),
    (r"nlohmann/", ANYWHERE),
    (r"spdlog/", ("base/log",)),
    (r"toml\+\+/|toml\.hpp", ("base/config",)),
    (r"CLI/", ("app/",)),
    (r"dcmtk/", ("image/io/dicom", "dicom/")),
    (r"libdeflate\.h", ("image/io/",)),
    (r"zlib\.h", ("image/io/", "streaming/encoder/", "app/zip_stream", "app/api/leaving_stream", "archive/files/packed_head")),
    (r"zip\.h", ("archive/files/zip_unpack",)),
    (r"expat\.h", ("image/io/mesh_xml", "image/io/vtk_xml")),
    (r"openjpeg\.h", ("image/io/dicom_jpeg2000",)),
    (r"hdf5\.h|H5PLpublic\.h", ("image/io/minc_hdf5",)),
    (r"bzlib\.h", ("image/io/bzip2",)),
    (r"lzma\.h", ("image/io/packed_bytes", "image/io/vtk_xml")),
    (r"lz4\.h", ("image/io/vtk_xml",)),
    (r"tiffio\.h", ("image/io/tiff_pages",)),
    (r"seccomp\.h", ("image/io/reader_sandbox",)),
    (r"tbb/|oneapi/tbb", ("render/cpu/", "render/plan/", "render/geometry/")),
    (r"\w*mmintrin\.h|immintrin\.h|experimental/simd", ("render/cpu/", "render/kernel/")),
    (r"cuda|nv\w+\.h", ("render/cuda/",)),
    (r"vtk|EGL/|GL/", ("render/gl/",)),
    (r"turbojpeg\.h|jpeglib\.h|webp/|libyuv|libav\w+/", ("streaming/encoder/",)),
    (r"png\.h", ("streaming/encoder/", "image/io/tiff_pages")),
    (r"libwebsockets\.h", ("streaming/socket/",)),
    (r"sqlite3\.h", ("archive/index/sqlite_",)),
    (r"cppconn/|mysql_driver\.h", ("archive/index/mysql_database",)),
    (r"unicode/", ("archive/search/fold",)),
    (r"openssl/", ("streaming/socket/tls_certificate", "archive/access/digest", "archive/access/jwk")),
    (r"argon2\.h", ("archive/access/password",)),
    (r"ldap\.h", ("archive/access/ldap_connection",)),
    (r"curl/", ("archive/access/http_fetch",)),
]
# May be named in a header that others include; all other libraries stay in the .cpp of their adapter.
IN_HEADERS = re.compile(r"tl/expected\.hpp|nlohmann/|\w*mmintrin\.h|experimental/simd|cuda")
TEST_LIBRARIES = re.compile(r"itk\w+\.h|gtest/|gmock/|benchmark/|libwebsockets\.h|turbojpeg\.h|png\.h|webp/|libav\w+/|tbb/|oneapi/tbb|sqlite3\.h|cppconn/|mysql_driver\.h")
FREE_OF_LIBRARY_RULES = {"tests", "benchmarks"}

# C++ headers have neither dot nor slash; C and POSIX ones that are not of a library:
SYSTEM = re.compile(
    r"[a-z_0-9]+|(sys|linux|arpa|netinet|asm)/[a-z_0-9/]+\.h|"
    r"(unistd|fcntl|dirent|poll|signal|spawn|sched|pwd|grp|errno|endian|stdint|string|time|limits|ftw|glob|netdb|termios|"
    r"pthread|dlfcn|stdio|stdlib|math|syslog|cpuid|byteswap|iconv|langinfo|locale|getopt|semaphore|malloc)\.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CODE = (".cpp", ".hpp", ".h", ".cc", ".inl", ".cu", ".cuh")
COUNTED = CODE + (".ts", ".mjs", ".py", ".sh", ".cmake", ".css", ".html")
COUNTED_TOPS = sorted(ROOMS) + ["client", "tools"]
LEFT_OUT = {"node_modules", "dist", "data", "build", "__pycache__"}


def source_files(root, tops):
    for top in tops:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
            for name in sorted(names):
                yield os.path.relpath(os.path.join(folder, name), root)


def sibling_of(path):
    return next((folder for folder in SIBLINGS if path.startswith(folder)), None)


def check_own(root, path, included):
    room = path.split("/")[0]
    target = included.split("/")[0]
    if room == "tests" and os.path.exists(os.path.join(root, os.path.dirname(path), included)):
        return None
    if "/" not in included or target not in ROOMS or ".." in included.split("/"):
        return f'"{included}" does not name a file from the root of the repository'
    if target not in ROOMS[room]:
        return f"{room} may not include {target} (\"{included}\")"
    mine, theirs = sibling_of(path), sibling_of(included)
    if mine and theirs and mine != theirs:
        return f"{mine} may not include {theirs} (\"{included}\")"
    if not os.path.exists(os.path.join(root, included)):
        return f'there is no "{included}"'
    return None


def check_library(path, included):
    room = path.split("/")[0]
    if SYSTEM.fullmatch(included):
        return None
    if room in FREE_OF_LIBRARY_RULES and TEST_LIBRARIES.match(included):
        return None
    for pattern, places in LIBRARIES:
        if not re.match(pattern, included):
            continue
        if room not in FREE_OF_LIBRARY_RULES and not path.startswith(places):
            return f"<{included}> may be included only in {' and '.join(places)}"
        if path.endswith(".hpp") and not IN_HEADERS.match(included) and room not in FREE_OF_LIBRARY_RULES:
            return f"<{included}> belongs in a .cpp, not in a header"
        return None
    return f"<{included}> is of no library that tests/rules/include_rules.py knows"


def breaks(root):
    """One "file:line: what" for every rule that is broken."""
    found = []
    for path in source_files(root, COUNTED_TOPS):
        if not path.endswith(COUNTED):
            continue
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
        if len(lines) > MAX_LINES:
            found.append(f"{path}:{len(lines)}: longer than {MAX_LINES} lines: two subjects")
        if not path.endswith(CODE):
            continue
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            own = match[1] == '"'
            what = check_own(root, path, match[2]) if own else check_library(path, match[2])
            if what:
                found.append(f"{path}:{number}: {what}")
    return found


def self_test():
    fine = {
        "base/error.hpp": "#include <tl/expected.hpp>\n#include <vector>\n",
        "image/volume.hpp": '#include "base/error.hpp"\n',
        "image/io/dicom_header.cpp": "  #  include <dcmtk/dcmdata/dctk.h>\n",
        "archive/index/catalogue.hpp": '#include "base/error.hpp"\n#include <nlohmann/json.hpp>\n',
        "render/cpu/cpu.hpp": '#include "image/volume.hpp"\n',
        "render/gl/gl.hpp": '#include "image/volume.hpp"\n',
        "app/main.cpp": '#include "render/cpu/cpu.hpp"\n#include "render/gl/gl.hpp"\n#include <sys/stat.h>\n',
        "tests/a_test.cpp": '#include "archive/index/catalogue.hpp"\n#include <gtest/gtest.h>\n// #include "none"\n',
        "client/node_modules/x.ts": "\n" * 5000,
    }
    forbidden = {
        "base/a.cpp": '#include "image/volume.hpp"\n',
        "image/a.cpp": '#include "archive/index/catalogue.hpp"\n',
        "render/a.cpp": '#include "streaming/session.hpp"\n',
        "archive/a.cpp": '#include "image/volume.hpp"\n',
        "archive/b.cpp": '#include "dicom/net/scp.hpp"\n',
        "archive/c.cpp": '#include "cluster/job.hpp"\n',
        "dicom/a.cpp": '#include "cluster/job.hpp"\n',
        "cluster/a.cpp": '#include "image/volume.hpp"\n',
        "streaming/a.cpp": '#include "archive/index/catalogue.hpp"\n',
        "image/b.cpp": '#include "app/main.hpp"\n',
        "render/cpu/a.cpp": '#include "render/gl/gl.hpp"\n',
        "render/gl/a.cpp": '#include "render/cpu/cpu.hpp"\n',
        "image/c.cpp": '#include "volume.hpp"\n',
        "image/d.cpp": '#include "image/none.hpp"\n',
        "image/e.cpp": "#include <dcmtk/dcmdata/dctk.h>\n",
        "streaming/b.cpp": "#include <libwebsockets.h>\n",
        "streaming/socket/a.hpp": "#include <libwebsockets.h>\n",
        "streaming/c.cpp": "#include <turbojpeg.h>\n",
        "render/b.cpp": "#include <tbb/parallel_for.h>\n",
        "app/a.cpp": "#include <boost/asio.hpp>\n",
        "tests/long.cpp": "\n" * (MAX_LINES + 1),
        "client/src/long.ts": "\n" * (MAX_LINES + 1),
    }
    with tempfile.TemporaryDirectory() as root:
        for files in (fine, forbidden):
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
        named = {line.split(":")[0] for line in breaks(root)}
    missed, wronged = sorted(set(forbidden) - named), sorted(named - set(forbidden))
    for path in missed:
        print(f"not found: {path}: {forbidden[path][:60]!r}")
    for path in wronged:
        print(f"found for no reason: {path}")
    return 1 if missed or wronged else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    found = breaks(sys.argv[1])
    print("\n".join(found) if found else "no rule is broken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
