# What is done every day, by name. `just` alone lists it; CONTRIBUTING.md says when to use which.

[private]
list:
    @just --list --unsorted

# Format, lints, and all tests but the long ones (faults, properties): a minute or so, before each commit
check:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
    cargo test --locked --workspace --lib --bins --quiet
    cargo test --locked --workspace --test it --quiet -- --skip faults:: --skip properties::
    cargo test --locked --package oncall --test demo --test page --quiet

# All tests that need nothing but this machine
test *ARGS:
    cargo test --locked --workspace {{ ARGS }}

# Everything that must hold before a change lands: also the built functions, the template and the supply chain
ci:
    .ci/run

# The whole story on this machine, without accounts (such as `just demo --language en`)
demo *ARGS:
    cargo demo {{ ARGS }}

# A page in the browser to play with: the sheet, events and faults beside both chats
page *ARGS:
    cargo demo --page {{ ARGS }}

# The documents' pictures anew, from that page; needs Chromium
pictures:
    PICTURES=docs/pictures cargo test --locked --workspace --test page -- --ignored pictures

# The code's documentation, into target/doc
docs:
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items

# Cold start, cold path, warm invocation and memory of what `just ci` has built, beside a function that does nothing
bench:
    AWS_LAMBDA_RIE="${AWS_LAMBDA_RIE:-$(find target/tools -name "aws-lambda-rie-$(uname -m | sed s/aarch64/arm64/)")}" \
        BOOTSTRAPS="${BOOTSTRAPS:-$PWD/target/deployed}" cargo test --locked --workspace --bench lambda -- --bench

# A fuzz target for so many seconds (such as `just fuzz webhook 120`); needs cargo-fuzz, see fuzz/README.md
fuzz TARGET SECONDS:
    cp Cargo.lock fuzz/
    mkdir -p fuzz/corpus/{{ TARGET }}
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{ TARGET }} --fuzz-dir fuzz -s none -- \
        fuzz/corpus/{{ TARGET }} fuzz/seeds/{{ TARGET }} -max_total_time={{ SECONDS }}
