#!/usr/bin/env bash
# Times lifebox beside crun and runc: the same root, in turn, in one run; then its other commands.
#
#     benches/peers.sh            # about two minutes; RUNS=300 for steadier figures
#
# Needs root and hyperfine; a peer that is missing is left out and named. On Debian:
# apt-get install crun runc hyperfine
# Absolute times hold for one machine only: quote the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "run as root: containers are started"; exit 1; }
command -v hyperfine >/dev/null || { echo "missing: hyperfine (apt-get install hyperfine)"; exit 1; }
peers=()
for peer in crun runc; do
    if command -v "$peer" >/dev/null; then
        peers+=("$peer")
    else
        echo "LEFT OUT: $peer is not installed (apt-get install $peer)"
    fi
done

cargo build --profile dist
lifebox=$PWD/target/$(rustc -vV | sed -n 's/^host: //p')/dist/lifebox
work=$(mktemp -d)
export LIFEBOX_ROOT=$work/root LIFEBOX_CGROUP_PARENT=lifebox-bench-$$
clean() {
    "$lifebox" ps -aq | xargs -r "$lifebox" rm -f >/dev/null || true
    find /sys/fs/cgroup -maxdepth 2 -type d -name "$LIFEBOX_CGROUP_PARENT" -exec rmdir {} \; -prune
    rm -rf "$work"
}
trap clean EXIT

# The same files for all: the one layer of `host` is the peers' root.
"$lifebox" -e 'image("host")'
layer=$("$lifebox" image inspect --format '{{.GraphDriver.Data.UpperDir}}' host)
mkdir "$work/bundle"
cp -a "$layer" "$work/bundle/rootfs"
for peer in "${peers[@]:0:1}"; do
    (cd "$work/bundle" && "$peer" spec)
    sed -i 's/"terminal": true/"terminal": false/; s/"sh"$/"true"/; s/"readonly": true/"readonly": false/' \
        "$work/bundle/config.json"
done

# Medians from hyperfine's CSV: name, milliseconds, ratio to the first line.
table() {
    echo
    printf '| %-32s | %8s | %7s |\n|%s|%s|%s|\n' "$1" 'median' 'ratio' \
        "$(printf -- '-%.0s' {1..34})" "$(printf -- '-%.0s' {1..9}):" "$(printf -- '-%.0s' {1..8}):"
    awk -F, 'NR == 2 { first = $4 }
        NR > 1 { printf "| %-32s | %5.2f ms | %7.2f |\n", $1, $4 * 1000, $4 / first }' "$work/times.csv"
}
time_it() { hyperfine --style none -N --warmup 10 --runs "${RUNS:-100}" --export-csv "$work/times.csv" "$@" >/dev/null; }

# crun refuses hosts with both cgroup versions: there all three run where only v1 is to be seen.
same_view() {
    if mountpoint -q /sys/fs/cgroup/unified; then
        unshare -m bash -c "umount /sys/fs/cgroup/unified; $(declare -f time_it); work=$work; time_it \"\$@\"" bash "$@"
    else
        time_it "$@"
    fi
}
beside=(-n 'lifebox run --rm host true' "$lifebox run --rm host true")
# The least that a container takes: no image, no log, no state, no confinement.
if cc -O2 -static -o "$work/bare" benches/bare.c 2>/dev/null; then
    mkdir "$work/bare.d"
    beside+=(-n 'bare C' "$work/bare $work/bundle/rootfs $work/bare.d 1 /bin/true")
else
    echo 'LEFT OUT: bare C; there is no compiler (apt-get install gcc libc6-dev)'
fi
for peer in "${peers[@]}"; do
    beside+=(-n "$peer run" "$peer run --bundle $work/bundle lifebox-bench-$peer")
done
same_view "${beside[@]}"
table 'one container, from command to end'

# What the kernel asks of anybody: starting a process that does nothing.
"$lifebox" run -d --name bench host sleep 100000 >/dev/null
time_it -n '/bin/true' /bin/true \
    -n 'lifebox --version' "$lifebox --version" \
    -n 'lifebox ps -a' "$lifebox ps -a" \
    -n 'lifebox inspect' "$lifebox inspect bench" \
    -n 'lifebox run --rm host true' "$lifebox run --rm host true"
table 'commands, beside a process'

quietly() { printf "sh -c '%s >/dev/null 2>&1 || true'" "$1"; }
fresh="$lifebox rm -f bench; $lifebox create --name bench host sleep 100000"
time_it --prepare "$(quietly "$lifebox unpause bench")" -n 'lifebox pause' "$lifebox pause bench" \
    --prepare "$(quietly "$lifebox pause bench")" -n 'lifebox unpause' "$lifebox unpause bench" \
    --prepare "$(quietly "$lifebox rm -f bench")" -n 'lifebox create' "$lifebox create --name bench host true" \
    --prepare "$(quietly "$fresh")" -n 'lifebox start' "$lifebox start bench" \
    --prepare "$(quietly "$fresh; $lifebox start bench")" -n 'lifebox rm -f (running)' "$lifebox rm -f bench" \
    --prepare "$(quietly "$fresh")" -n 'lifebox rm (created)' "$lifebox rm bench"
table 'steps of a life, beside pause'
