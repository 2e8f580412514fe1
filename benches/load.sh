#!/usr/bin/env bash
# Times the loading of a docker-archive of about 200 MB into an empty store, beside `tar -x` of
# the same files and beside the peers that are installed; then the saving of it.
#
#     benches/load.sh             # about two minutes; RUNS=10 for steadier figures
#     benches/load.sh FILE        # an archive of `docker save` of your own
#
# Needs root, hyperfine and, to make the archive, mmdebstrap and skopeo and umoci. On Debian:
# apt-get install hyperfine mmdebstrap skopeo umoci podman
# Absolute times hold for one machine and its disk only: quote the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "run as root: owners and devices are made"; exit 1; }
command -v hyperfine >/dev/null || { echo "missing: hyperfine (apt-get install hyperfine)"; exit 1; }

cargo build --profile dist
lifebox=$PWD/target/$(rustc -vV | sed -n 's/^host: //p')/dist/lifebox
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

archive=${1:-$PWD/target/bench-image.tar}
if [ ! -e "$archive" ]; then
    mmdebstrap --quiet --variant=apt --include=python3 bookworm "$work/root.tar" \
        "deb http://deb.debian.org/debian bookworm main"
    LIFEBOX_ROOT=$work/make "$lifebox" import "$work/root.tar" bench:latest >/dev/null
    LIFEBOX_ROOT=$work/make "$lifebox" save -o "$archive" bench
    rm -rf "$work/root.tar" "$work/make"
fi
mkdir "$work/layers" && tar -x -C "$work/layers" -f "$archive"
layers=$(find "$work/layers" -type f -size +1M -printf '%p ')

clean="rm -rf $work/x $work/store $work/podman $work/run; mkdir $work/x; sync"
commands=(
    -n 'tar -x' "for layer in $layers; do tar -x -p --numeric-owner -C $work/x -f \$layer; done"
    -n 'lifebox load' "LIFEBOX_ROOT=$work/store $lifebox load -q -i $archive"
)
if command -v podman >/dev/null; then
    commands+=(-n 'podman load'
        "podman --root $work/podman --runroot $work/run --storage-driver overlay load -q -i $archive")
else
    echo "LEFT OUT: podman is not installed (apt-get install podman)"
fi
hyperfine --style none --warmup 1 --runs "${RUNS:-5}" --prepare "$clean" \
    --export-csv "$work/times.csv" "${commands[@]}" >/dev/null

echo
printf '| %-14s | %8s | %8s |\n|----------------|---------:|---------:|\n' 'load' 'median' 'of tar'
awk -F, 'NR == 2 { first = $4 }
    NR > 1 { printf "| %-14s | %6.2f s | %8.2f |\n", $1, $4, $4 / first }' "$work/times.csv"

rm -rf "$work/store"
LIFEBOX_ROOT=$work/store "$lifebox" load -q -i "$archive" >/dev/null
echo
memory=$(LIFEBOX_ROOT=$work/again python3 - "$lifebox" "$archive" <<'PY' || echo unknown
import resource, subprocess, sys
subprocess.run([sys.argv[1], "load", "-q", "-i", sys.argv[2]], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, "MB")
PY
)
rm -rf "$work/again"
echo "memory of lifebox load at its peak: $memory"
hyperfine --style basic --warmup 1 --runs "${RUNS:-5}" \
    -n 'lifebox save' "LIFEBOX_ROOT=$work/store $lifebox save -o $work/saved.tar \$(LIFEBOX_ROOT=$work/store $lifebox images -q)" \
    2>/dev/null | grep -E 'Time|Range'
