#!/bin/sh
# Builds the plugin in the current folder: build.sh [PLUGIN.wasm]. Needs Go 1.24 or
# newer, and holdfast, which makes a component of what Go has written; the
# variables GO and HOLDFAST name others than those on the path.
set -e
output=${1:-plugin.wasm}
module=$(mktemp -t holdfast-XXXXXX.wasm)
trap 'rm -f "$module"' EXIT
GOOS=wasip1 GOARCH=wasm "${GO:-go}" build -trimpath -buildmode=c-shared -ldflags=-w -o "$module" .
"${HOLDFAST:-holdfast}" component "$module" --output "$output"
echo "$output ($(wc -c < "$output") bytes)"
