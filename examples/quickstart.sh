#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# From a bare Debian 12 or later to an imported image: installs what is missing, builds the library
# and its command-line program, imports a real disk image, reads it back and compares.
#
#   examples/quickstart.sh [ROOT]
#
# ROOT is where the program keeps everything; a temporary directory, removed at the end, if it is
# not given. $BUILD is the build directory (default: build-quickstart in the source directory).
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$source/build-quickstart}
PATH=$PATH:/usr/sbin:/sbin # mkfs.ext4 and debugfs, where only root's PATH has them

. "$source/tests/packages.sh"
install_missing gcc libc6-dev meson ninja-build pkg-config libglib2.0-dev libjson-glib-dev \
  libarchive-dev liblzma-dev libsqlite3-dev libssl-dev qemu-utils e2fsprogs

step ()
{
  printf '\n== %s\n' "$*"
}

fail ()
{
  echo "quickstart failed: $*" >&2
  exit 1
}

# The string that a member of record.json has.
member ()
{
  sed -n "s/^ *\"$1\" *: *\"\\(.*\\)\",\\{0,1\\}\$/\\1/p" "$work/record.json"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "Building in $build"
[ -f "$build/build.ninja" ] || meson setup "$build" "$source"
ninja -C "$build" examples/imgimport
imgimport=$build/examples/imgimport

step "Making a qcow2 image of an ext4 file system with a file in it"
mkdir "$work/tree"
echo "Hello from inside the image" > "$work/tree/hello.txt"
mkfs.ext4 -q -d "$work/tree" "$work/disk.raw" 16M
qemu-img convert -f raw -O qcow2 "$work/disk.raw" "$work/disk.qcow2"
ls -l "$work/disk.qcow2"

step "Importing it"
IMGIMPORT_ROOT=${1:-$work/root}
export IMGIMPORT_ROOT
"$imgimport" image-create-via-import --name quickstart --disk-format qcow2 \
  --container-format bare --file "$work/disk.qcow2" --format json > "$work/record.json"
id=$(member id)
[ "$(member status)" = active ] || fail "the image is $(member status), not active"

step "The record"
"$imgimport" image-show --human-readable "$id"

step "Reading it back"
"$imgimport" image-download --file "$work/copy.qcow2" "$id"
digest=$(sha256sum < "$work/disk.qcow2")
[ "$(sha256sum < "$work/copy.qcow2")" = "$digest" ] || fail "other bytes came back"
[ "$(member os_hash_algo)" = sha512 ] || fail "os_hash_algo is $(member os_hash_algo)"
[ "$(sha512sum < "$work/disk.qcow2")" = "$(member os_hash_value)  -" ] ||
  fail "os_hash_value is not the digest of the file"
qemu-img convert -f qcow2 -O raw "$work/copy.qcow2" "$work/copy.raw"
[ "$(debugfs -R 'cat /hello.txt' "$work/copy.raw" 2>/dev/null)" = "Hello from inside the image" ] ||
  fail "the file inside the image is gone"
echo "SHA-256 of both: ${digest%% *}"
echo "SHA-512 in the record: as sha512sum computes it"

step "Quickstart succeeded: image $id is active, and its bytes are what went in"
