# shellcheck shell=bash
# What ./run, ./check and ./bench share: install what is missing, configure, build. Sourced, with $me and $root set.
# Every failure is one line on standard error and a non-zero exit; nothing ever asks a question.

say() { printf '%s: %s\n' "$me" "$*"; }
die() { printf '%s: %s\n' "$me" "$*" >&2; exit 1; }

readonly oldestNode=18

# The names in package lists: lines without comments.
package_names() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"; }

# Sets `missing` to the packages of the lists that are not installed.
find_missing_packages() {
  local wanted installed name
  command -v dpkg-query >/dev/null ||
    die "this is not a Debian system; install by hand what tools/packages*.txt name, or use Debian 12"
  mapfile -t wanted < <(package_names "$@")
  installed=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "${wanted[@]}" 2>/dev/null || true)"
  missing=()
  for name in "${wanted[@]}"; do
    # Node from elsewhere conflicts with Debian's packages.
    if [[ $name == nodejs || $name == npm ]] && command -v node >/dev/null && command -v npm >/dev/null; then continue; fi
    [[ $installed == *" $name=installed "* ]] || missing+=("$name")
  done
}

# The command that gives root's rights, as words; empty for root.
root_command() {
  if ((EUID == 0)); then return; fi
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && { echo "sudo -n"; return; }
  die "packages are missing and neither root nor sudo without a password is there; run: apt-get install ${missing[*]}"
}

# What of apt's talk a person wants to see: that it goes on, and errors.
news_of_apt() { grep --line-buffered -E '^(Hit|Get|Err|Ign|Need to get|Setting up|[EW]:)' || true; }

# Installs the missing packages of the lists named as arguments.
install_packages() {
  find_missing_packages "$@"
  ((${#missing[@]} == 0)) && return
  local asRoot log options reason
  asRoot=$(root_command)
  say "installing ${#missing[@]} packages: ${missing[*]}"
  log=$(mktemp)
  options=(-o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=120)
  # A single broken source must not stop us: the installation says whether the lists are good enough.
  # $asRoot is empty or two words.
  $asRoot env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" update </dev/null 2>&1 | tee "$log" | news_of_apt || true
  if ! $asRoot env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install -y --no-install-recommends \
    "${missing[@]}" </dev/null 2>&1 | tee -a "$log" | news_of_apt; then
    reason=$(grep '^E: ' "$log" | head -n 1 || true)
    if grep -qE 'Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|Cannot initiate|timed out' "$log"; then
      reason="the network could not be reached"
    fi
    rm -f "$log"
    die "missing packages were not installed (${reason:-apt-get failed}): ${missing[*]}"
  fi
  rm -f "$log"
}

check_node() {
  local version
  version=$(node --version 2>/dev/null) || die "node does not run; install nodejs $oldestNode or newer"
  version=${version#v}
  ((${version%%.*} >= oldestNode)) || die "node $version is too old; $oldestNode or newer is needed"
}

# The page's packages, by the lock file; again when that has changed.
install_page_packages() {
  local stamp=$root/client/node_modules/.package-lock.json log reason
  check_node
  [[ -e $stamp && ! $root/client/package-lock.json -nt $stamp ]] && return
  say "installing the page's packages (npm ci)"
  log=$(mktemp)
  if ! npm --prefix "$root/client" ci --no-audit --no-fund --fetch-retries=1 --fetch-timeout=60000 </dev/null >"$log" 2>&1; then
    reason="npm ci failed: $(grep -iE 'npm (err!|error)' "$log" | head -n 2 | tail -n 1 || true)"
    if grep -qE 'EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT' "$log"; then
      reason="the network could not be reached"
    fi
    rm -f "$log"
    die "the page's packages in client/package-lock.json were not installed ($reason)"
  fi
  rm -f "$log"
  touch "$stamp"
}

# Configures build/ where that was not done yet, or was done for another place.
configure_build() {
  local cache=$root/build/CMakeCache.txt options=()
  if [[ -e $root/build/build.ninja ]] && grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then return; fi
  [[ -e $cache ]] && options+=(--fresh)
  command -v ccache >/dev/null &&
    options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
  say "configuring"
  (cd "$root" && cmake --preset release "${options[@]}") || die "configuring failed, see above"
}

# build_targets [TARGET...]: builds them, or all.
build_targets() {
  local arguments=()
  (($# > 0)) && arguments=(--target "$@")
  configure_build
  say "building ${*:-everything}"
  cmake --build "$root/build" "${arguments[@]}" || die "the build failed, see above"
}
