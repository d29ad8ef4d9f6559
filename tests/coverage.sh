#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Prints how many of the library's lines the tests reach, file by file. $BUILD is the build
# directory (default: build-coverage in the source directory). Not part of tests/run.sh.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$source/build-coverage}
. "$source/tests/packages.sh"
# shellcheck disable=SC2086 # a list of words
install_missing $PACKAGES_TO_TEST gcovr

[ -f "$build/build.ninja" ] ||
  meson setup "$build" "$source" -Db_coverage=true -Dbuildtype=debug -Dintrospection=disabled
ninja -C "$build" all meson-test-prereq
find "$build" -name '*.gcda' -delete
meson test -C "$build" --no-rebuild --no-suite lint --timeout-multiplier 2 || echo "Some tests failed"
gcovr --root "$source" --object-directory "$build" --filter "$source/libimgimport/" \
  --exclude-throw-branches --print-summary "$build"
