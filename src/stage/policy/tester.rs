//! The tests of rules: every `test_*` rule of a `_test.rego` file, evaluated beside the rule it is for.
//!
//! Must never pass a test that did not run: undefined, false and an error are failures.

use std::time::Duration;

use regorus::Value;

use super::bundle::{SourceFile, Sources};
use super::engine::Fault;
use super::rule::Module;
use crate::rego::policies::Options;
use crate::rego::{Policies, Version};

/// One test of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// The file.
    pub file: String,
    /// The test's name; absent when the file itself could not be used.
    pub name: Option<String>,
    /// Why it failed; absent when it passed.
    pub failure: Option<String>,
}

/// The time of one test.
const TIME: Duration = Duration::from_secs(5);

/// Runs every test of a bundle, file by file.
pub fn run(sources: &Sources) -> Vec<TestOutcome> {
    let (tests, others): (Vec<_>, Vec<_>) = sources.files().iter().partition(|file| file.is_test());
    let is_library = |file: &&&SourceFile| {
        text(file).and_then(|text| Module::parse(&file.name, text)).is_ok_and(|module| module.is_library())
    };
    let data = Value::from(sources.data().0);
    let libraries: Vec<&SourceFile> = others.iter().filter(is_library).copied().collect();
    tests
        .into_iter()
        .flat_map(|file| {
            let rule = file.name.replace("_test.rego", ".rego");
            // The rule itself and every library: tests may only name what the rule can.
            let mut beside = libraries.clone();
            beside.extend(others.iter().filter(|f| f.name == rule && !libraries.contains(f)));
            run_file(file, &beside, &data).unwrap_or_else(|fault| {
                vec![TestOutcome { file: file.name.clone(), name: None, failure: Some(fault.to_string()) }]
            })
        })
        .collect()
}

fn text(file: &SourceFile) -> Result<&str, Fault> {
    let text = file.bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.ok_or_else(|| Fault(format!("{}: is not a regular file with UTF-8 text", file.name)))
}

fn run_file(file: &SourceFile, beside: &[&SourceFile], data: &Value) -> Result<Vec<TestOutcome>, Fault> {
    let mut files = Vec::new();
    for file in beside.iter().copied().chain([file]) {
        files.push((file.name.clone(), text(file)?.to_owned()));
    }
    let options = Options { version: Some(Version::V1), ..Options::default() };
    let policies = Policies::load(&files, data.clone(), options)?;
    if let Some(broken) = policies.broken.first() {
        return Err(broken.why.clone());
    }
    let module = policies.modules.iter().find(|module| module.file == file.name);
    let module = module.ok_or_else(|| Fault(format!("{}: was not read", file.name)))?;
    let mut outcomes = Vec::new();
    for test in module.definitions.iter().filter(|definition| definition.name.starts_with("test_")) {
        let path = format!("data.{}.{}", module.package, test.name);
        let mut session = policies.session();
        session.input(Value::new_object());
        let answer = policies.refusal(&path).map_or_else(|| session.rule(&path, TIME), Err);
        let failure = match answer {
            Ok(Value::Bool(true)) => None,
            Ok(Value::Undefined) => Some(format!("line {}: `{path}` is undefined", test.line)),
            Ok(other) => Some(format!("line {}: is {other}, not true", test.line)),
            Err(fault) => Some(format!("line {}: {fault}", test.line)),
        };
        outcomes.push(TestOutcome { file: file.name.clone(), name: Some(test.name.clone()), failure });
    }
    if outcomes.is_empty() {
        return Err(Fault(format!("{}: has no `test_` rule", file.name)));
    }
    Ok(outcomes)
}
