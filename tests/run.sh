#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds the library and runs its tests: tests/run.sh [--all]
#
# Installs with apt what is missing. --all adds the long ones: clang, AddressSanitizer with
# UndefinedBehaviorSanitizer, ThreadSanitizer, builds with parts left out, larger inputs.
# $BUILD is where the build directories go (default: build-tests in the source directory). After
# $TIME_LIMIT seconds (default: 5200) what runs is ended, and what has not begun is left out; both
# count as failures. Programs have limits of their own, of some six times what they take.
# The last line is "N passed, N failed"; the exit status is 0 where nothing failed.
set -u

source=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$source/build-tests}
end=$(($(date +%s) + ${TIME_LIMIT:-5200}))
export DEBIAN_FRONTEND=noninteractive
exec </dev/null

all=
case "$*" in
  "") ;;
  --all) all=yes ;;
  *) echo "usage: tests/run.sh [--all]" >&2; exit 2 ;;
esac

. "$source/tests/packages.sh"
# shellcheck disable=SC2086 # lists of words
install_missing $PACKAGES_TO_TEST ${all:+$PACKAGES_TO_TEST_ALL} || exit 1

mkdir -p "$build" || exit 1
totals=$build/totals
: > "$totals"

step ()
{
  printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"
}

# Runs a program that ends with the time there is, and that Ctrl-C reaches. Meson and Ninja end what
# they have begun.
in_time ()
{
  left=$((end - $(date +%s)))
  if [ "$left" -le 0 ]; then
    echo "There is no time left for it"
    return 1
  fi
  timeout --foreground --kill-after=30 "$left" "$@"
}

# A check that is no test program: passes where the command does. Its output is shown if it fails.
check ()
{
  title=$1
  shift
  if "$@" > "$build/check.log" 2>&1; then
    echo "  $title: passed"
    echo "1 0 0" >> "$totals"
    return 0
  fi
  echo "  FAILED $title"
  tail -n 60 "$build/check.log" | sed 's/^/    /'
  echo "0 1 0" >> "$totals"
  return 1
}

configure_and_compile ()
{
  directory=$1
  shift
  set -- "$directory" "$source" -Dwerror=true "$@"
  [ -f "$directory/build.ninja" ] && set -- --reconfigure "$@"
  # From Meson 1.7 on, "all" is without the programs of tests.
  in_time meson setup "$@" && in_time ninja -C "$directory" all meson-test-prereq
}

# build NAME MESON_OPTION...
build ()
{
  target=$1
  shift
  check "builds: $target" configure_and_compile "$build/$target" "$@"
}

failed_with ()
{
  cat "$1"
  return 1
}

# tests NAME MESON_TEST_ARGUMENT...: runs tests of a build and counts their cases
tests ()
{
  log=$build/$1/meson-logs/testlog.json
  directory=$build/$1
  shift
  rm -f "$log"
  in_time meson test -C "$directory" --no-rebuild --quiet "$@" > "$build/test.log" 2>&1
  status=$?
  if [ -f "$log" ]; then
    "$python" "$source/tests/count.py" "$totals" "$log"
  else
    check "tests in $directory" failed_with "$build/test.log"
  fi
  # Those of timeout: what had not begun is in no log.
  if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
    check "tests in $directory end in time" failed_with "$build/test.log"
  fi
}

default_suite ()
{
  step "gcc"
  build gcc && tests gcc
}

with_clang ()
{
  step "clang"
  CC=clang build clang -Dintrospection=enabled && tests clang --suite unit --suite contract --suite abi
}

with_address_sanitizer ()
{
  step "AddressSanitizer, UndefinedBehaviorSanitizer"
  build asan -Db_sanitize=address,undefined -Db_lundef=false || return
  ASAN_OPTIONS=detect_leaks=1:halt_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    G_SLICE=always-malloc tests asan --timeout-multiplier 2
}

with_thread_sanitizer ()
{
  step "ThreadSanitizer"
  build tsan -Db_sanitize=thread -Db_lundef=false || return
  tests tsan --suite unit --suite contract --suite tsan
}

# Each part left out alone, and all of them.
with_parts_left_out ()
{
  step "Parts left out"
  for parts in sqlite crypto introspection "sqlite crypto introspection"; do
    options=
    for part in $parts; do
      options="$options -D$part=disabled"
    done
    name=without-$(echo "$parts" | tr ' ' -)
    # shellcheck disable=SC2086 # a list of words
    build "$name" -Dbuildtype=debug $options &&
      tests "$name" --suite unit --suite contract --suite abi
  done
}

with_larger_inputs ()
{
  step "Larger inputs"
  IMGIMPORT_TEST_LONG=1 tests gcc --suite unit --suite integration --suite crash \
    --timeout-multiplier 3
}

scripts ()
{
  step "Scripts"
  check "shellcheck" shellcheck -x "$source/.ci/run" "$source/examples/quickstart.sh" \
    "$source/tests/run.sh" "$source/tests/packages.sh" "$source/tests/coverage.sh"
  check "quick start" in_time env BUILD="$build/quickstart" "$source/examples/quickstart.sh"
}

python=$(command -v /usr/bin/python3 || command -v python3)
default_suite
if [ -n "$all" ]; then
  with_clang
  with_address_sanitizer
  with_thread_sanitizer
  with_parts_left_out
  with_larger_inputs
  scripts
fi

awk '
  { passed += $1; failed += $2; skipped += $3 }
  END {
    printf "\n%d passed, %d failed", passed, failed
    if (skipped) printf ", %d skipped", skipped
    print ""
    exit failed > 0 || passed == 0
  }' "$totals"
