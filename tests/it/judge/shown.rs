//! What policy is there for: each of these is denied with what to do about it, and allowed once that is done.

use base64::Engine as _;

use super::{World, token};

/// A change that is denied, what the error has to say, and the same change mended.
struct Case {
    code: &'static str,
    base: Vec<(&'static str, String)>,
    bad: Vec<(&'static str, String)>,
    /// Where the finding is, and what help a person gets.
    place: &'static str,
    help: &'static str,
    /// Files after mending; an empty text takes the file away.
    mended: Vec<(&'static str, String)>,
}

/// A private key nobody has.
pub fn key() -> String {
    let dashes = "-----";
    let body: Vec<String> = (0..12u64)
        .map(|line| {
            let noise = |n: u64| (line * 48 + n + 7_u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            let bytes: Vec<u8> = (0..48).map(|n| noise(n)[2] ^ noise(n)[5]).collect();
            base64::engine::general_purpose::STANDARD.encode(bytes)
        })
        .collect();
    format!("{dashes}BEGIN RSA PRIVATE KEY{dashes}\n{}\n{dashes}END RSA PRIVATE KEY{dashes}", body.join("\n"))
}

const GPL: &str = "# SPDX-License-Identifier: GPL-3.0-only\n\ndef copied():\n    return 1\n";

const MIT: &str = include_str!("../../../LICENSE-MIT");

const TESTS: &str = "from shop import total\n\n\ndef test_total():\n    cart = [3, 4]\n    assert total(cart) == 7\n    assert total([]) == 0\n";

fn workflow(trigger: &str) -> String {
    format!(
        "name: check\non: {trigger}\npermissions:\n  contents: read\njobs:\n  test:\n    runs-on: ubuntu-latest\n    timeout-minutes: 5\n    steps:\n      - uses: actions/checkout@{}\n        with:\n          ref: ${{{{ github.event.pull_request.head.sha }}}}\n          persist-credentials: false\n      - run: make test\n",
        "11bd71901bbe5b1630ceea73d27597364c9af683"
    )
}

fn cases() -> Vec<Case> {
    let wrapped = base64::engine::general_purpose::STANDARD.encode(format!("key: {}\n", token()));
    let split = key().lines().map(|line| format!("    \"{line}\\n\"")).collect::<Vec<_>>().join("\n");
    let one = |path, text: &str| vec![(path, text.to_owned())];
    vec![
        Case {
            code: "secrets/env-file",
            base: Vec::new(),
            bad: one(".env", "STAGE=prod\n"),
            place: ".env:1",
            help: "add it to `.gitignore`",
            mended: vec![(".env", String::new()), (".env.example", "STAGE=\n".into())],
        },
        Case {
            code: "secrets/token",
            base: Vec::new(),
            bad: vec![(".env", format!("STRIPE_KEY={}\n", token()))],
            place: ".env:1",
            help: "Revoke the token",
            mended: one(".env", ""),
        },
        Case {
            code: "secrets/private-key",
            base: Vec::new(),
            bad: vec![("src/key.py", format!("KEY = (\n{split})\n"))],
            place: "src/key.py:2",
            help: "read it from a secret store",
            mended: one("src/key.py", "KEY = os.environ[\"KEY\"]\n"),
        },
        Case {
            code: "secrets/token",
            base: Vec::new(),
            bad: vec![("deploy/secret.yaml", format!("data:\n  config: {wrapped}\n"))],
            place: "deploy/secret.yaml:2",
            help: "Revoke the token",
            mended: one("deploy/secret.yaml", "data:\n  config: \"\"\n"),
        },
        Case {
            code: "licences/conflict",
            base: one("LICENSE", MIT),
            bad: one("src/copied.py", GPL),
            place: "src/copied.py:1",
            help: "licence",
            mended: one("src/copied.py", "def written():\n    return 1\n"),
        },
        Case {
            code: "tests/assertion-removed",
            base: vec![
                ("shop.py", "def total(cart):\n    return sum(cart)\n".into()),
                ("tests/test_shop.py", TESTS.into()),
            ],
            bad: one("tests/test_shop.py", &TESTS.replace("    assert total(cart) == 7\n", "")),
            place: "tests/test_shop.py",
            help: "assertion",
            mended: one("tests/test_shop.py", &TESTS.replace("[3, 4]", "[4, 3]")),
        },
        Case {
            code: "workflows/untrusted-checkout",
            base: one(".github/workflows/check.yml", &workflow("push")),
            bad: one(".github/workflows/check.yml", &workflow("pull_request_target")),
            place: ".github/workflows/check.yml:",
            help: "pull_request",
            mended: one(".github/workflows/check.yml", &workflow("push")),
        },
        Case {
            code: "content/hidden-unicode",
            base: Vec::new(),
            bad: one(
                "src/login.py",
                "if role == \"user\u{202e} \u{2066}# admin\u{2069} \u{2066}\":\n    pass\n",
            ),
            place: "src/login.py:1",
            help: "Remove the character",
            mended: one("src/login.py", "if role == \"user\":\n    pass\n"),
        },
    ]
}

#[test]
fn what_must_not_come_in_is_denied_and_once_mended_allowed() {
    for case in cases() {
        let base: Vec<(&str, &str)> = case.base.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let world = World::new(&[&[("README.md", "A shop.\n")], base.as_slice()].concat());
        for (path, text) in &case.bad {
            world.write(path, text);
        }
        world.git(&["add", "-A"]);
        let said = world.judge(&["--staged"]).exits(3).says(case.code).says(case.place).says(case.help);
        assert!(!said.stdout.contains(&token()), "the token is shown");
        for (path, text) in &case.mended {
            if text.is_empty() {
                world.remove(path);
            } else {
                world.write(path, text);
            }
        }
        world.git(&["add", "-A"]);
        world.judge(&["--staged"]).exits(0).says("allow");
    }
}
