//! The seeds of the fuzz targets, and whatever has crashed one of them, held against the same laws.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use oncall::fakes::pagerduty::signature;
use oncall::properties::{LAWS, SIGNING_SECRET};

fn fuzz(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(place)
}

/// The files of a folder; a folder that isn't there has none.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn every_seed_and_every_crasher_obeys_its_law() {
    for (target, law) in LAWS {
        let seeds = files(&fuzz("seeds").join(target));
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for (path, bytes) in seeds.into_iter().chain(files(&fuzz("crashers").join(target))) {
            // A test that fails here names the law; this names the file.
            println!("{}", path.display());
            law(&bytes);
        }
    }
}

#[test]
fn every_law_has_its_fuzz_target() {
    let targets: BTreeSet<_> =
        files(&fuzz("fuzz_targets")).iter().map(|(path, _)| path.file_stem().unwrap().to_owned()).collect();
    assert_eq!(targets, LAWS.iter().map(|(target, _)| (*target).into()).collect());
}

/// Without one, the fuzzer would only ever see what is refused.
#[test]
fn a_seed_of_a_signature_is_a_right_one() {
    let seeds = files(&fuzz("seeds/signature"));
    let is_signed = |(_, seed): &(PathBuf, Vec<u8>)| {
        let seed = String::from_utf8_lossy(seed);
        seed.split_once("\n\n").is_some_and(|(head, body)| head.contains(&signature(SIGNING_SECRET, body.as_bytes())))
    };
    assert!(seeds.iter().any(is_signed));
}
