# The commands of CONTRIBUTING.md by short names. No check needs just: each line works without it.

# List the recipes
default:
    @just --list

# Check format, lints, spelling and dependencies (the last two where their tools are installed)
check:
    cargo fmt --check && cargo clippy --all-targets -- -D warnings
    if command -v typos; then typos; fi
    if command -v cargo-deny; then cargo deny check licenses bans sources; fi

# Run the tests as the current user; an ordinary user starts no containers
test *ARGS:
    cargo test {{ ARGS }}

# Run the tests as root, then the life of containers on another kernel
test-root *ARGS:
    cargo test --config "target.'cfg(unix)'.runner = '{{ as_root }}'" {{ ARGS }}
    tests/vm/run

as_root := if `id -u` == "0" { "env" } else { "sudo -E" }

# Put all faults to the engine and write RELIABILITY.md; needs root, and takes hours
faults:
    LIFEBOX_FAULTS=whole cargo test --test faults

# Accept the texts of all snapshots as they are now; read the diff before committing it
accept *ARGS:
    UPDATE_EXPECT=1 cargo test {{ ARGS }}
    git diff --stat

# Build the documentation of the library and fail on warnings, such as a link that leads nowhere
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# Compare speed with crun, runc, tar and Podman; needs root and hyperfine
bench:
    benches/peers.sh
    benches/load.sh

# Build the binary that is shipped and measured
dist:
    cargo build --profile dist
