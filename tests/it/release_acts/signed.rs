//! The statements of a release, signed through the program, checked by implementations of others.

use super::NOW;
use super::cli::Service;
use crate::proof::checked_by_others;

/// A release that was promoted, signed with both kinds of keys.
fn verified_by(variable: &str, script: &str) {
    let service = Service::new();
    service.inputs(NOW - 60, ("0.010", 4000), ("0.010", 4000));
    service.gate(NOW, &["--deployed"]).exits(0);
    service.orch(NOW + 30, &["stage", "promote"]).exits(0);
    for algorithm in ["ed25519", "p256"] {
        let key = service.env.path(algorithm).display().to_string();
        service.orch(NOW, &["attest", "keygen", &key, "--algorithm", algorithm]).exits(0);
        service.orch(NOW, &["attest", "sign", "--key", &key]).exits(0).says("attest/release.json");
        let public = format!("{key}.pub");
        service.orch(NOW, &["verify", "--key", &public]).exits(0).says("a promotion of what was decided");
        let checked =
            checked_by_others(&service.env, variable, script, &public, &service.folder().join("attest"));
        assert!(checked.is_none_or(|checked| checked == 2), "{checked:?}");
    }
}

#[test]
#[ignore = "needs Python packages: tests/stand-ins/run dsse"]
fn reference_implementations_verify_a_release() {
    verified_by("ORCH_STAND_IN_DSSE", "dsse/check.py");
}

#[test]
#[ignore = "needs npm packages: tests/stand-ins/run sigstore"]
fn sigstores_libraries_verify_a_release() {
    verified_by("ORCH_STAND_IN_SIGSTORE", "sigstore/check.cjs");
}
