#!/usr/bin/env bash
# Times `lifebox run --rm host true` against `crun run` and `runc run` of the same root, in turn,
# in one run. Needs root, hyperfine, and the peers: apt-get install crun runc hyperfine
# Absolute times hold for one machine only: quote the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in hyperfine crun runc; do
    command -v "$tool" >/dev/null || { echo "missing: $tool (apt-get install crun runc hyperfine)"; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "run as root: containers are started"; exit 1; }

cargo build --release
target=$(rustc -vV | sed -n 's/^host: //p')
lifebox=$PWD/target/$target/release/lifebox
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LIFEBOX_ROOT=$work/root

# The same files for all: the one layer of `host` is the peers' root.
"$lifebox" -e 'image("host")' >/dev/null
layer=$("$lifebox" image inspect --format '{{.GraphDriver.Data.UpperDir}}' host)
[ -d "$layer" ] || layer=$(find "$work/root/images/layers" -mindepth 1 -maxdepth 1 -type d | head -n 1)
mkdir -p "$work/bundle"
cp -a "$layer" "$work/bundle/rootfs"
(cd "$work/bundle" && runc spec)
sed -i 's/"terminal": true/"terminal": false/; s/"sh"$/"true"/; s/"readonly": true/"readonly": false/' "$work/bundle/config.json"

# crun refuses hybrid control groups: it gets a view without the unified hierarchy.
crun="crun run --bundle $work/bundle bench-crun"
if mountpoint -q /sys/fs/cgroup/unified; then
    exec_in=(unshare -m sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh)
    crun="unshare -m sh -c 'umount /sys/fs/cgroup/unified && exec $crun'"
    # The price of that view is taken off by timing it alone.
    "${exec_in[@]}" true
    extra=(-n 'the view for crun alone' "unshare -m sh -c 'umount /sys/fs/cgroup/unified && exec true'")
else
    extra=()
fi

hyperfine -N --warmup 10 --runs "${RUNS:-100}" --export-markdown "$work/table.md" \
    -n 'lifebox run --rm host true' "$lifebox run --rm host true" \
    -n 'runc run' "runc run --bundle $work/bundle bench-runc" \
    -n 'crun run' "$crun" "${extra[@]}" \
    -n 'lifebox ps -a' "$lifebox ps -a" \
    -n 'lifebox --version' "$lifebox --version"
cat "$work/table.md"
