# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Sourced by scripts that need Debian packages: install_missing PACKAGE...

run_as_root ()
{
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "This needs root, and there is no sudo: $*" >&2
    return 1
  fi
}

# The words are "installed" once for each architecture; "not-installed" is another word.
package_is_installed ()
{
  case " $(dpkg-query -W -f '${db:Status-Status} ' "$1" 2>/dev/null) " in
    *" installed "*) return 0 ;;
    *) return 1 ;;
  esac
}

# Installs those that are missing, after saying which. Where none is, apt is not called at all.
install_missing ()
{
  missing=
  if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian: make sure that there is what these packages hold: $*" >&2
    return 0
  fi
  for package in "$@"; do
    package_is_installed "$package" || missing="$missing $package"
  done
  if [ -z "$missing" ]; then
    return 0
  fi
  echo "Installing with apt:$missing"
  run_as_root apt-get update --quiet || return 1
  # shellcheck disable=SC2086 # a list of words
  run_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --no-install-recommends $missing
}

# What building and running the tests takes, for those who source this. Linking libarchive statically
# takes libraries whose packages its own does not ask for: those of acl, lz4 and zstd.
# shellcheck disable=SC2034
PACKAGES_TO_TEST="gcc g++ libc6-dev binutils meson ninja-build pkg-config libglib2.0-dev
  libjson-glib-dev libarchive-dev liblzma-dev libsqlite3-dev libssl-dev gobject-introspection
  libgirepository1.0-dev python3 python3-gi gir1.2-glib-2.0 qemu-utils e2fsprogs fdisk xz-utils
  bzip2 zstd lz4 zip xorriso genisoimage udftools cryptsetup-bin btrfs-progs xfsprogs
  strace libacl1-dev liblz4-dev libzstd-dev"
# shellcheck disable=SC2034
PACKAGES_TO_TEST_ALL="clang shellcheck"
