#!/bin/sh
# Installs neurodex: ./install.sh [PREFIX]     (default: /usr/local)
set -eu
cd "$(dirname "$0")"
prefix=${1:-/usr/local}
mkdir -p "$prefix"
cp -R bin lib share "$prefix/"
echo "neurodex is at $prefix/bin/neurodex"
case ":$PATH:" in *":$prefix/bin:"*) ;; *) echo "add it to your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;; esac
