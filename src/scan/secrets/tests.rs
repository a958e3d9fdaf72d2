//! What is found and what is not; every token here is made up when the test runs.

use base64::Engine as _;
use proptest::prelude::*;

use super::check::{STANDARD, base62, crc32};
use crate::scan::{Confidence, Fact, Source, Worker};

pub(super) fn facts(path: &str, text: &[u8]) -> Vec<Fact> {
    let mut worker = Worker::new(&[&super::Secrets], Some("2026-11-27"));
    worker.scan(&Source::new(path, text));
    let mut facts = worker.into_facts();
    facts.sort();
    facts
}

fn codes(path: &str, text: &str) -> Vec<&'static str> {
    facts(path, text.as_bytes()).iter().map(|fact| fact.code).collect()
}

/// Letters and digits that look drawn, the same ones for the same seed.
fn noise(seed: u64, len: usize, alphabet: &[u8]) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(alphabet[(state >> 33) as usize % alphabet.len()])
        })
        .collect()
}

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn github() -> String {
    let value = noise(7, 30, ALNUM);
    format!("{}p_{value}{}", "gh", String::from_utf8_lossy(&base62(crc32(value.as_bytes()))))
}

fn tokens() -> Vec<(&'static str, String)> {
    let url = |text: &str| super::URL_SAFE.encode(text).trim_end_matches('=').to_owned();
    vec![
        ("github", github()),
        ("aws", format!("AK{}{}", "IA", noise(2, 16, UPPER))),
        ("stripe", format!("sk_{}_{}", "live", noise(3, 24, ALNUM))),
        (
            "slack",
            format!(
                "xox{}-{}-{}-{}",
                "b",
                noise(4, 12, b"123456789"),
                noise(5, 12, b"123456789"),
                noise(6, 24, ALNUM)
            ),
        ),
        ("npm", format!("npm{}{}", "_", noise(8, 36, ALNUM))),
        ("google", format!("AI{}{}", "za", noise(9, 35, ALNUM))),
        ("sendgrid", format!("S{}.{}.{}", "G", noise(10, 22, ALNUM), noise(11, 43, ALNUM))),
        ("gitlab", format!("glp{}-{}", "at", noise(12, 20, ALNUM))),
        ("anthropic", format!("sk-{}-api03-{}AA", "ant", noise(13, 93, ALNUM))),
        ("twilio", format!("A{}{}", "C", noise(14, 32, b"0123456789abcdef"))),
        (
            "jwt",
            format!(
                "{}.{}.{}",
                url(r#"{"alg":"HS256","typ":"JWT"}"#),
                url(r#"{"sub":"u-4711","admin":true}"#),
                noise(15, 43, ALNUM)
            ),
        ),
        ("docker", format!("SWMTKN{}-{}-{}", "-1", noise(16, 50, LOWER), noise(17, 25, LOWER))),
    ]
}

#[test]
fn tokens_of_issuers_are_found_wherever_they_stand() {
    for (name, token) in tokens() {
        for text in [
            format!("x = '{token}'\n"),
            format!("a\nb\n  header: {token}\n"),
            format!("curl -H 'X: {token}' https://a.dev\n"),
            token.clone(),
        ] {
            let found = facts("src/a.py", text.as_bytes());
            assert!(!found.is_empty(), "{name} in {text}");
            assert!(
                found.iter().all(|fact| !fact.evidence.contains(&token[4..])),
                "{name}: {}",
                found[0].evidence
            );
        }
    }
}

#[test]
fn a_token_with_a_wrong_checksum_is_less_sure() {
    let good = github();
    let mut wrong = good.clone();
    wrong.replace_range(10..11, if &good[10..11] == "A" { "B" } else { "A" });
    let sure = |token: &str| facts("a.js", format!("t = '{token}'").as_bytes())[0].confidence;
    assert_eq!((sure(&good), sure(&wrong)), (Confidence::High, Confidence::Medium));
}

#[test]
fn keywords_within_long_tokens_do_no_harm() {
    for gap in [300, 590, 610, 700, 990, 1_190] {
        let piece = format!("pypi{}{}", "-AgE", noise(7 + gap as u64, gap, ALNUM));
        for times in 1..3 {
            assert!(!facts("a.py", piece.repeat(times).as_bytes()).is_empty(), "{gap} {times}");
        }
    }
}

#[test]
fn samples_of_issuers_are_not_reported() {
    for token in [
        format!("AK{}IOSFODNN7EXAMPLE", "IA"),
        format!("gh{}_{}", "p", "x".repeat(36)),
        format!("sk_{}_{}", "live", "0".repeat(24)),
        format!("gh{}_{}", "p", "abcdefghijklmnopqrstuvwxyz0123456789"),
        format!("xox{}-{}", "b", "your-token-here"),
    ] {
        assert_eq!(codes("src/a.py", &format!("key = '{token}'")), [""; 0], "{token}");
    }
}

#[test]
fn a_token_ends_at_a_tag_a_bracket_or_a_comma() {
    let hex = |seed, len| noise(seed, len, b"0123456789abcdef");
    for (name, token) in [
        ("atlassian", format!("ATATT{}{}={}", "3xFfGF0", noise(31, 170, ALNUM), "1A2B3C4D")),
        ("doppler", format!("dp.{}.prd.{}", "st", noise(32, 43, ALNUM))),
        ("notion", format!("ntn{}{}{}", "_", noise(33, 11, b"123456789"), noise(34, 35, ALNUM))),
        ("google", format!("ya{}a0{}", "29.", noise(35, 120, ALNUM))),
        ("openrouter", format!("sk-{}-v1-{}", "or", hex(36, 64))),
        ("openai", format!("sk{}{}", "-", noise(37, 48, ALNUM))),
        ("tailscale", format!("tskey-{}-k{}CNTRL-{}", "auth", noise(38, 11, ALNUM), noise(39, 32, ALNUM))),
        ("hubspot", format!("pat-{}-{}-4a1b-4c2d-a3e4-{}", "na1", hex(40, 8), hex(41, 12))),
        ("new relic", format!("NR{}-{}", "AK", noise(42, 27, UPPER))),
        ("contentful", format!("CF{}-{}", "PAT", noise(43, 43, ALNUM))),
        ("nuget", format!("o{}{}", "y2", noise(44, 43, LOWER))),
        ("azure devops", format!("{}AZ{}{}", noise(45, 76, ALNUM), "DO", noise(46, 4, ALNUM))),
        (
            "discord",
            format!(
                "https://discord.com/api/{}/{}/{}",
                "webhooks",
                "812345678912345678",
                noise(47, 68, ALNUM)
            ),
        ),
        ("sonar", format!("squ{}{}", "_", hex(48, 40))),
        ("supabase", format!("sb_{}_{}_{}", "secret", noise(49, 22, ALNUM), noise(50, 8, ALNUM))),
        ("brevo", format!("xkey{}-{}-{}", "sib", hex(51, 64), noise(52, 16, ALNUM))),
    ] {
        for text in [
            format!("<a>{token}</a>"),
            format!("x: \"{token}\","),
            format!("f(a, {token}, 1)"),
            format!("Use {token}."),
        ] {
            assert_eq!(codes("src/a.xml", &text), [super::TOKEN], "{name} in {text}");
        }
    }
}

#[test]
fn a_private_key_in_json_is_one() {
    let (x, d) = (noise(53, 43, ALNUM), noise(54, 43, ALNUM));
    let whole = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}","d":"{d}"}}"#);
    let found = facts("a.json", whole.as_bytes());
    assert!(found.len() == 1 && !found[0].evidence.contains(&d[3..]), "{found:?}");
    let public = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}"#);
    assert_eq!(codes("a.json", &public), [""; 0]);
}

#[test]
fn a_token_longer_than_the_search_does_not_show_its_end() {
    let token = format!("sk-{}-api03-{}", "ant", noise(55, 110, ALNUM));
    let long = format!("pypi{}{}", "-AgE", noise(56, 1_900, ALNUM));
    for (text, end) in [(format!("a = '{token}'"), &token[60..]), (format!("a = '{long}'"), &long[1_700..])] {
        let found = facts("a.py", text.as_bytes());
        assert!(!found.is_empty() && found.iter().all(|f| !f.evidence.contains(end)), "{found:?}");
    }
}

#[test]
fn logins_pairs_elements_and_connections() {
    let password = "q7!kv2#LmZ8x";
    for (path, text) in [
        ("a.go", format!("req.SetBasicAuth(user, \"{password}\")")),
        ("A.java", format!("new UsernamePasswordCredentials(\"svc\", \"{password}\")")),
        ("a.cs", format!("new NetworkCredential(\"svc\", \"{password}\")")),
        ("a.rs", format!("c.basic_auth(\"svc\", Some(\"{password}\"))")),
        ("a.php", format!("new PDO('mysql:host=db', 'svc', '{password}')")),
        ("a.php", format!("mysqli_connect($host, 'svc', '{password}')")),
        ("A.java", format!("DriverManager.getConnection(url, \"svc\", \"{password}\")")),
        ("a.go", format!("dsn := \"svc:{password}@tcp(10.0.0.4:3306)/shop\"")),
        ("a.R", format!("password <- \"{password}\"")),
        ("a.json", format!("{{\"name\": \"DB_PASSWORD\", \"value\": \"{password}\"}}")),
        ("a.json", format!("{{\"ParameterKey\": \"DBPassword\",\n  \"ParameterValue\": \"{password}\"}}")),
        ("a.xml", "<string name=\"api_key\">q7kv2LmZ8xPw3Rt9</string>".to_owned()),
        ("a.plist", "<key>APIKey</key>\n<string>q7kv2LmZ8xPw3Rt9</string>".to_owned()),
        ("a.xml", "<AdministratorPassword><Value>q7kv2LmZ8x</Value></AdministratorPassword>".to_owned()),
        ("Dockerfile", "ENV API_KEY q7kv2LmZ8xPw3Rt9".to_owned()),
        ("ks.cfg", "rootpw --plaintext q7kv2LmZ8x".to_owned()),
        ("wpa.conf", format!(" psk=\"{password}\"")),
        ("a.kt", "buildConfigField(\"String\", \"API_KEY\", \"\\\"q7kv2LmZ8xPw3Rt9\\\"\")".to_owned()),
        ("a.js", "const c = { password: '@kv5Z+Jr3+J1TW' };".to_owned()),
        (".htpasswd", "bob:{SHA}o2uwLNXJcY8ustnirucbadtB+mA=".to_owned()),
    ] {
        assert!(!facts(path, text.as_bytes()).is_empty(), "{path}: {text}");
    }
}

fn spell(text: &str, each: impl Fn(u8) -> String) -> String {
    text.bytes().map(each).collect::<Vec<_>>().concat()
}

#[test]
fn layers_are_taken_off() {
    let token = github();
    let wrap = |text: &str| STANDARD.encode(text);
    let hex = |text: &str| spell(text, |b| format!("{b:02x}"));
    let percent = |text: &str| spell(text, |b| format!("%{b:02X}"));
    let escaped = |text: &str| spell(text, |b| format!("\\u{b:04x}"));
    for (name, text) in [
        ("base64", format!("data: {}", wrap(&format!("token={token}")))),
        ("bare base64", wrap(&token)),
        ("hex", format!("data: {}", hex(&token))),
        ("twice", format!("data: {}", wrap(&format!("inner {}", wrap(&token))))),
        ("hex in base64", format!("data: {}", wrap(&hex(&token)))),
        ("url", format!("next=https%3A%2F%2Fa.dev%2F%3Ft%3D{}", percent(&token))),
        ("escapes", format!("\"t\": \"{}\"", escaped(&token))),
    ] {
        let found = facts("a.yml", text.as_bytes());
        assert!(
            found.iter().any(|fact| fact.code == super::TOKEN && fact.attributes.contains_key("layer")),
            "{name}: {text} {found:?}"
        );
        assert!(found.iter().all(|fact| !fact.evidence.contains(&token)), "{name}");
    }
    let thrice = wrap(&wrap(&wrap(&token)));
    assert_eq!(codes("a.yml", &format!("data: {thrice}")), [""; 0], "two layers are enough");
}

#[test]
fn look_alikes_are_left_alone() {
    let hex = |n| noise(21, n, b"0123456789abcdef");
    for (path, text) in [
        ("a.py", "password = os.environ['DB_PASSWORD']".to_owned()),
        ("a.py", "password = getpass.getpass('Password: ')".to_owned()),
        ("a.py", "def login(user, password='changeme'): pass".to_owned()),
        ("a.yml", "password: ${{ secrets.DB_PASSWORD }}".to_owned()),
        ("a.yml", "password: \"{{ vault_password }}\"".to_owned()),
        ("a.yml", "api_key: <your-api-key>".to_owned()),
        ("a.ts", "const password: string = props.password;".to_owned()),
        ("a.ts", "token: string; apiKey?: string".to_owned()),
        ("a.json", "{\"password\": \"Please enter your password\", \"token\": \"tokenName\"}".to_owned()),
        ("a.json", format!("{{\"integrity\": \"sha512-{}==\"}}", noise(22, 86, ALNUM))),
        ("a.json", format!("{{\"commit\": \"{}\"}}", hex(40))),
        ("a.go", format!("publicKey := \"{}\"", noise(23, 60, ALNUM))),
        ("a.go", "key := fmt.Sprintf(\"%s-%d\", prefix, n)".to_owned()),
        ("a.java", "String tokenType = \"AbstractTokenFactoryBean2\";".to_owned()),
        ("a.rb", "key: :primary_key, foreign_key: 'account_id'".to_owned()),
        ("a.html", "<input type=\"password\" name=\"password\" placeholder=\"Password1\">".to_owned()),
        ("a.sh", "export TOKEN=$(cat /run/secrets/token)".to_owned()),
        ("a.env", "SECRET_KEY=\nTOKEN=xxxxxxxxxxxxxxxx\nPASSWORD=********".to_owned()),
        ("a.md", "password: something only you know".to_owned()),
        (
            "a.sh",
            "curl -u $USER:$TOKEN https://a.dev; curl -u user:pass https://a.dev; mysql -u root -p shop"
                .to_owned(),
        ),
        ("a.js", "url = 'postgres://user:password@localhost:5432/db'".to_owned()),
        ("a.js", "const url = `https://${user}:${password}@host/`".to_owned()),
        ("a.conf", "ssl_certificate_key /etc/nginx/ssl/server.key;".to_owned()),
        ("a.c", "static const char *key = \"KEY_LEFTSHIFT\"; auth_method = \"scram-sha-256\";".to_owned()),
        ("a.baseline", format!("\"hashed_secret\": \"{}\"", hex(40))),
        ("a.js", format!("const TOKEN = '0x{}';", hex(40))),
        ("a.txt", format!("# public key: age1{}", noise(25, 58, b"023456789acdefghjklmnpqrstuvwxyz"))),
        ("locales/de.json", "{\"secret\": \"Geheimnis\", \"password\": \"Kennwort\"}".to_owned()),
        ("a.yaml", format!("kind: SealedSecret\n  token: AgB{}", noise(26, 400, ALNUM))),
        ("a.env", format!("DISCORD_SHA256={}", hex(64))),
        ("a.env", "DISCORD_CLIENT_ID=812345678912345678".to_owned()),
        ("A.java", "new UsernamePasswordCredentials(user, password)".to_owned()),
        ("a.php", "new PDO($dsn, $user, getenv('PW')); new PDO($dsn, 'root', '')".to_owned()),
        ("a.json", "{\"name\": \"password\", \"type\": \"string\", \"value\": \"$PW\"}".to_owned()),
        ("a.svg", format!("<image href=\"data:image/png;base64,{}\"/>", noise(24, 400, ALNUM))),
    ] {
        let found = facts(path, text.as_bytes());
        assert!(found.is_empty(), "{text}: {found:#?}");
    }
}

#[test]
fn passwords_in_many_places_are_found() {
    let (word, strong) = (noise(31, 14, ALNUM), format!("{}!{}", noise(32, 6, ALNUM), noise(33, 5, LOWER)));
    for (path, text) in [
        ("a.py", format!("DB_PASSWORD = '{word}'")),
        ("a.yml", format!("password: {word}")),
        ("a.yml", format!("- name: API_TOKEN\n  value: {word}")),
        (".env", format!("SMTP_PASS={strong}")),
        ("a.java", format!("connection.setPassword(\"{strong}\");")),
        ("a.js", format!("const url = 'postgres://app:{word}@db.internal/x'")),
        ("a.sh", format!("mysql --password={word} -u root")),
        ("a.sh", format!("curl -u me:{word} https://a.dev")),
        ("a.sh", format!("sshpass -p {word} ssh a.dev; true")),
        ("a.sh", format!("mysql -uroot -p{word} shop")),
        ("a.rs", format!("let password = String::from(\"{word}\");")),
        ("a.xml", format!("<password>{word}</password>")),
        ("a.sql", format!("ALTER USER app IDENTIFIED BY '{word}';")),
        ("a.php", format!("define('DB_PASSWORD', '{word}');")),
        ("a.tf", format!("variable \"db_password\" {{\n  default = \"{word}\"\n}}")),
        ("a.py", format!("get(url, auth=(\"deploy\", \"{word}\"))")),
        ("a.sh", format!("docker login -u bot -p {word} r.a.dev")),
        ("a.sh", format!("redis-cli -h a.dev -a {word} ping")),
        ("a.ps1", format!("ConvertTo-SecureString \"{strong}\" -AsPlainText -Force")),
        ("redis.conf", format!("requirepass {word}")),
        (".netrc", format!("machine a.dev login me password {word}")),
        (".pgpass", format!("db.internal:5432:*:app:{word}")),
        (".npmrc", format!("//registry.a.dev/:_authToken={word}")),
        (".git-credentials", format!("https://me:{word}@git.a.dev")),
        ("a.json", format!("{{\\\"password\\\": \\\"{word}\\\"}}")),
    ] {
        let found = facts(path, text.as_bytes());
        assert!(!found.is_empty(), "{path}: {text}");
        assert!(
            found.iter().all(|f| !f.evidence.contains(&word) && !f.evidence.contains(&strong)),
            "{}",
            found[0].evidence
        );
    }
}

#[test]
fn text_in_other_encodings_is_read() {
    let text = format!("# one\npassword = '{}'\n", noise(41, 14, ALNUM));
    let le: Vec<u8> = [0xfeffu16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin = [b"caf\xe9 \xff\n".as_slice(), text.as_bytes()].concat();
    for (bytes, line) in [(le, 2), (be, 2), (latin, 3), ([b"\0\n".as_slice(), text.as_bytes()].concat(), 3)] {
        let found = facts("a.py", &bytes);
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [line]);
    }
}

#[test]
fn huge_lines_take_time_in_proportion() {
    let piece = "password=a(key token secret auth eyJ -----BEGIN sk_live_ :// bearer \\u0041%3d AKIA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ";
    let time = |times: usize| {
        let text = piece.repeat(times);
        let start = std::time::Instant::now();
        facts("a.js", text.as_bytes());
        start.elapsed().as_secs_f64()
    };
    time(50);
    let (small, large) = (time(500), time(4_000));
    assert!(large < small.max(0.02) * 40.0, "{small} then {large}");
}

#[test]
fn comments_allow_until_their_day() {
    let word = noise(51, 14, ALNUM);
    let line = |comment: &str| codes("a.py", &format!("password = '{word}'  # {comment}\n"));
    for allowed in [
        "orch:allow secrets/password until=2026-12-31 only for the demo",
        "gitleaks:allow",
        "pragma: allowlist secret",
    ] {
        assert_eq!(line(allowed), [""; 0], "{allowed}");
    }
    for refused in [
        "orch:allow secrets/password until=2026-11-26 over",
        "orch:allow secrets/token until=2026-12-31 other code",
        "orch:allow secrets/password until=2026-12-31",
        "orch:allow secrets/password no date",
        "orch:allow secrets/password until=9999 no day",
        "orch:allow",
    ] {
        assert_eq!(line(refused), [super::PASSWORD], "{refused}");
    }
    let above = format!("# orch:allow secrets/password until=2026-12-31 demo\npassword = '{word}'\n");
    assert_eq!(codes("a.py", &above), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..2_000), at in 0usize..2_000, seed in 0u64..30) {
        let hard = ["-----BEGIN RSA PRIVATE KEY-----", "password='", "eyJ", "://a:", "%3d", "\\u00", "AccountKey=", "PuTTY-User-Key-File-2: ", "key = \"", "MIIBVQIBADANBgkqhkiG9w0BAQ"];
        let mut text = bytes;
        let at = at.min(text.len());
        let piece = hard[usize::try_from(seed).unwrap() % hard.len()];
        text.splice(at..at, piece.bytes());
        for path in ["a.py", ".env", ".netrc", "config.json", "x"] {
            facts(path, &text);
        }
    }

    #[test]
    fn the_secret_is_never_shown_and_survives_a_move(seed in 1u64..5_000, lines in 0usize..30, indent in 0usize..9) {
        let secret = noise(seed, 18, ALNUM);
        let text = format!("password = '{secret}' # {secret}\n");
        let moved = format!("{}{}{text}", "x = 1\n".repeat(lines), " ".repeat(indent));
        let (here, there) = (facts("a.py", text.as_bytes()), facts("b/c.py", moved.as_bytes()));
        for fact in here.iter().chain(&there) {
            prop_assert!(!fact.evidence.contains(&secret));
            prop_assert!(!serde_json::to_string(fact).unwrap().contains(&secret));
        }
        let prints = |facts: &[Fact]| facts.iter().map(|f| f.fingerprint.clone()).collect::<Vec<_>>();
        prop_assert_eq!(prints(&here), prints(&there));
    }
}
