#!/usr/bin/env bash
# ./run and ./check: what they refuse, what they say, what they start. Installs and builds nothing: the scripts run in a
# copy of their own, with apt, npm, cmake and nora replaced by recorders.
set -uo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
listener=
trap '[[ -n $listener ]] && kill "$listener"; rm -rf "$work"' EXIT
failures=0

# A copy of the scripts beside stand-ins for the programs that they call.
place=$work/place
bin=$work/bin
mkdir -p "$place/tests/data/demo" "$place/client/node_modules" "$place/build/bin" "$bin"
cp -r "$source/run" "$source/check" "$source/tools" "$place/"
touch "$place/client/package-lock.json" "$place/client/node_modules/.package-lock.json" "$place/build/build.ninja"
echo "CMAKE_HOME_DIRECTORY:INTERNAL=$place" >"$place/build/CMakeCache.txt"

stand_in() {  # NAME BODY
  printf '#!/bin/bash\necho "%s $*" >>%q\n%s\n' "$1" "$work/calls" "$2" >"$bin/$1"
  chmod +x "$bin/$1"
}
reset_stand_ins() {
  stand_in dpkg-query 'for a in "${@:4}"; do printf "%s=installed " "$a"; done'
  stand_in apt-get 'exit 0'
  stand_in sudo 'shift; exec "$@"'
  stand_in npm 'exit 0'
  stand_in node 'echo v18.19.0'
  stand_in cmake 'exit 0'
  stand_in ctest 'exit 0'
}
reset_stand_ins
printf '#!/bin/bash\nprintf "<%%s>" "$@" >%q\n' "$work/served" >"$place/build/bin/nora"
chmod +x "$place/build/bin/nora"

# invoke SCRIPT ARGUMENTS...: sets status, output, errors.
invoke() {
  : >"$work/calls"
  rm -f "$work/served"
  output=$(cd "$work" && PATH="$bin:$PATH" timeout 20 "$place/$1" "${@:2}" 2>"$work/errors" </dev/null)
  status=$?
  errors=$(cat "$work/errors")
}
fail() {
  echo "FAILED: $1"
  echo "  status $status, errors: $errors"
  failures=$((failures + 1))
}
# refuses WHY TEXT SCRIPT ARGUMENTS...: one line with TEXT, non-zero, and nothing installed, built or served.
refuses() {
  invoke "${@:3}"
  ((status != 0)) || fail "$1: exit status"
  [[ $(wc -l <"$work/errors") == 1 && $errors == *"$2"* ]] || fail "$1: one line that says '$2'"
  ! grep -qE '^(apt-get (update|install)|npm|cmake|ctest)' "$work/calls" || fail "$1: something was started first"
  [[ ! -e $work/served ]] || fail "$1: served all the same"
}
# breaks WHY TEXT...: as refuses, but found out on the way: the last line on standard error says TEXT.
breaks() {
  invoke "${@:3}"
  ((status != 0)) || fail "$1: exit status"
  [[ $(tail -n 1 "$work/errors") == *"$2"* ]] || fail "$1: a line that says '$2'"
  [[ ! -e $work/served ]] || fail "$1: served all the same"
}
serves() {  # WHY EXPECTED SCRIPT ARGUMENTS...
  invoke "${@:3}"
  ((status == 0)) || fail "$1: exit status"
  [[ -e $work/served && $(cat "$work/served") == "$2" ]] || fail "$1: started $(cat "$work/served" 2>/dev/null)"
}

# A port that is taken: by a listener on 127.0.0.1 that names it.
/usr/bin/python3 -c '
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(60)' >"$work/port" &
listener=$!
for _ in $(seq 100); do
  [[ -s $work/port ]] && break
  sleep 0.05
done
taken=$(cat "$work/port")
# One that is free: asked of the system and given back.
free=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')

touch "$work/file"
refuses "unknown option" "unknown option --colour" run --colour
refuses "missing folder" "does not exist" run "$work/no such folder"
refuses "a file for a folder" "not a folder" run "$work/file"
refuses "two folders" "second" run "$work" "$work"
refuses "port without number" "needs a number" run --port
refuses "port of letters" "port http is not a number" run --port http
refuses "port too large" "port 65536" run --port 65536
refuses "port zero" "port 0" run --port 0
refuses "negative port" "port -1" run --port -1
refuses "bad address" "not an IP address" run --bind 127.0.0.256
refuses "name for address" "not an IP address" run --bind example
refuses "port in use" "port $taken is in use" run --port "$taken"
refuses "port in use, for all addresses" "port $taken is in use" run --port "$taken" --bind 0.0.0.0
refuses "unknown label" "unknown argument fast" check fast
refuses "two labels" "one label" check unit e2e

serves "sample data by default" "<serve><$place/tests/data/demo><--port><$free><--bind><127.0.0.1>" run --port "$free"
serves "port on another address" "<serve><$place/tests/data/demo><--port><$taken><--bind><127.0.0.2>" \
  run --port "$taken" --bind 127.0.0.2
odd="$work/it's \"odd\" "$'é\n'
mkdir "$odd"
serves "odd folder name" "<serve><$odd><--port><$free><--bind><0.0.0.0>" run "$odd" --bind=0.0.0.0 --port="$free"
serves "folder relative to the caller" "<serve><$odd><--port><$free><--bind><127.0.0.1>" run "./${odd##*/}" --port "$free"
! grep -q '^apt-get' "$work/calls" || fail "asked apt although nothing was missing"

invoke run --build-only --port "$taken"
((status == 0)) && [[ ! -e $work/served ]] && grep -q '^cmake --build' "$work/calls" || fail "--build-only"

# No network: apt has nothing, npm neither.
stand_in dpkg-query ''
stand_in apt-get 'echo "Temporary failure resolving deb.debian.org"; [[ $* == *update* ]] && exit 0; exit 100'
breaks "apt without network" "network could not be reached" run --port "$free"
[[ $errors == *libwebsockets-dev* ]] || fail "the missing packages are named"
! grep -q '^cmake' "$work/calls" || fail "built without its packages"
reset_stand_ins
rm "$place/client/node_modules/.package-lock.json"
stand_in npm 'echo "npm error code EAI_AGAIN" >&2; exit 1'
refuse_npm="the network could not be reached"
breaks "npm without network" "$refuse_npm" run --port "$free"
[[ $(wc -l <"$work/errors") == 1 ]] || fail "npm without network: one line"
reset_stand_ins
stand_in node 'echo v16.3.0'
breaks "old node" "too old" run --port "$free"
reset_stand_ins
touch "$place/client/node_modules/.package-lock.json"
stand_in cmake 'exit 1'
breaks "failed build" "build failed" run --port "$free"
reset_stand_ins

# ./check fails when anything fails, and ctest comes last.
invoke check
((status == 0)) && [[ $output == *"all passed"* ]] || fail "check passes"
[[ $(tail -n 1 "$work/calls") == ctest* ]] || fail "ctest is the last to run"
stand_in ctest 'exit 8'
breaks "failed test" "FAILED: tests of the program" check
reset_stand_ins
stand_in npm '[[ $* == *typecheck* ]] && exit 2; exit 0'
breaks "failed type check" "FAILED: types of the page" check unit
grep -q '^ctest.*-L ^unit\$' "$work/calls" || fail "the label is passed on, after a failure too"

((failures == 0)) && echo "all as expected"
exit $((failures > 0))
