//! Which template serves a request on a tree, and if none does, why.
//!
//! Must never pick one of two that fit equally well, and must never bend a request until something fits.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use minijinja::value::{Serde, Value};

use crate::artifact::types::task::Task;
use crate::engine::EngineError;

use super::detect;
use super::manifest::{Language, Stop, StopOutcome, Variant};
use super::parameters::{ParameterError, capture, resolve};
use super::render::Renderer;
use super::request::{Match, compare, concerns, words};
use super::source::{Template, broken};
use super::tree::Tree;

/// A template, ready to be built.
pub struct Choice<'t> {
    /// The template.
    pub template: &'t Template,
    /// The variant.
    pub variant: &'t Variant,
    /// The values.
    pub parameters: BTreeMap<String, String>,
    /// Evaluates its texts.
    pub renderer: Renderer<'t>,
    /// Clauses of the request that only give a reason.
    pub reasons: Vec<String>,
}

/// How well a template fits.
enum Fit<'t> {
    /// The request is about something else.
    Unrelated,
    /// It is about this, but the template must not be used; to be read after its name.
    Near(String),
    /// It fits: it extends what is there, it matches so many words.
    Fits { extends: bool, score: usize, found: Result<Box<Choice<'t>>, EngineError> },
}

/// Returns the one template that fits best.
pub fn choose<'t>(
    templates: &'t [Template],
    task: &Task,
    tree: &Tree<'_>,
) -> Result<Choice<'t>, EngineError> {
    let chooser = Chooser { task, tree, languages: OnceCell::new() };
    let mut near = Vec::new();
    let mut fits = Vec::new();
    for template in templates {
        match chooser.fit(template)? {
            Fit::Unrelated => {}
            Fit::Near(why) => near.push(format!("`{}` {why}", template.name())),
            Fit::Fits { extends, score, found } => fits.push(((extends, score), template, found)),
        }
    }
    fits.sort_by_key(|(rank, ..)| std::cmp::Reverse(*rank));
    let tied = fits.iter().filter(|(rank, ..)| *rank == fits[0].0).count();
    if tied > 1 {
        let names: Vec<_> = fits[..tied].iter().map(|(_, t, _)| format!("`{}`", t.name())).collect();
        let examples: Vec<_> = fits[..tied]
            .iter()
            .filter_map(|(_, t, _)| t.manifest.examples.last())
            .map(|e| format!("`{e}`"))
            .collect();
        return Err(EngineError::NoFit {
            what: format!("the request fits more than one template equally well: {}", names.join(", ")),
            help: format!("Say which you mean, as in {}.", examples.join(" or ")),
        });
    }
    match fits.into_iter().next() {
        Some((_, _, found)) => found.map(|choice| *choice),
        None => Err(nothing_fits(templates, &near)),
    }
}

/// Returns the template a plan was made from, with the plan's values.
pub fn resume<'t>(
    templates: &'t [Template],
    task: &Task,
    used: &crate::artifact::types::plan::TemplateUse,
    tree: &Tree<'_>,
) -> Result<Choice<'t>, EngineError> {
    let gone = |why: &str| broken(used.name.as_str(), why);
    let template = templates
        .iter()
        .find(|t| t.manifest.name == used.name)
        .ok_or_else(|| gone("it is not there any more"))?;
    if template.digest != used.digest {
        return Err(gone("it has changed since the plan was made; start the run again"));
    }
    let variants = &template.manifest.variants;
    let variant = variants
        .iter()
        .find(|v| v.name == used.variant)
        .ok_or_else(|| gone("it lacks the plan's variant"))?;
    let chooser = Chooser { task, tree, languages: OnceCell::new() };
    let mut values = chooser.values(template)?;
    let given =
        used.parameters.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect();
    let parameters = match resolve(template, &given, &values) {
        Ok(parameters) => parameters,
        Err(ParameterError::Request(why)) => return Err(gone(&why)),
        Err(ParameterError::Engine(error)) => return Err(error),
    };
    values.extend(parameters.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))));
    let renderer = Renderer::new(template.name(), values);
    Ok(Choice { template, variant, parameters, renderer, reasons: Vec::new() })
}

struct Chooser<'a, 'r> {
    task: &'a Task,
    tree: &'a Tree<'r>,
    languages: OnceCell<Vec<Language>>,
}

impl Chooser<'_, '_> {
    fn fit<'t>(&self, template: &'t Template) -> Result<Fit<'t>, EngineError> {
        if !concerns(&self.task.request, &template.manifest.request) {
            return Ok(Fit::Unrelated);
        }
        let captured = capture(template, &self.task.request)?;
        let names = words(self.task.service.as_str());
        let (score, reasons) =
            match compare(&self.task.request, &template.manifest.request, &captured.taken, &names) {
                Match::Unrelated => return Ok(Fit::Unrelated),
                Match::Refused { why } => {
                    return Ok(Fit::Near(format!("would not do all of it: the request {why}")));
                }
                Match::Covered { score, reasons } => (score, reasons),
            };
        if let Some(why) = self.wrong_language(template) {
            return Ok(Fit::Near(why));
        }
        let mut values = self.values(template)?;
        let parameters = match resolve(template, &captured.values, &values) {
            Ok(parameters) => parameters,
            Err(ParameterError::Request(why)) => return Ok(Fit::Near(why)),
            Err(ParameterError::Engine(error)) => return Err(error),
        };
        values.extend(parameters.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))));
        let renderer = Renderer::new(template.name(), values);
        for stop in &template.manifest.stops {
            if renderer.holds(Some(&stop.when))? {
                return stopped(stop, &renderer, score);
            }
        }
        for variant in &template.manifest.variants {
            if renderer.holds(variant.when.as_deref())? {
                let choice = Choice { template, variant, parameters, renderer, reasons };
                return Ok(Fit::Fits { extends: variant.extends, score, found: Ok(Box::new(choice)) });
            }
        }
        Ok(Fit::Near("has no variant for this repository".into()))
    }

    fn wrong_language(&self, template: &Template) -> Option<String> {
        let wanted = &template.manifest.repository.languages;
        let have = self.languages.get_or_init(|| detect::languages(self.tree));
        let fits = wanted.is_empty() || have.is_empty() || wanted.iter().any(|w| have.contains(w));
        (!fits).then(|| format!("is for {}, and this repository holds {}", list(wanted), list(have)))
    }

    /// Returns the values every expression may use: `repo` and `task`.
    fn values(&self, template: &Template) -> Result<BTreeMap<String, Value>, EngineError> {
        let facts = detect::facts(self.tree, &template.manifest.repository.detect)?;
        let year = self
            .task
            .created_at
            .get(..4)
            .filter(|y| y.bytes().all(|b| b.is_ascii_digit()))
            .unwrap_or_default();
        let task: BTreeMap<&str, &str> = BTreeMap::from([
            ("service", self.task.service.as_str()),
            ("year", year),
            ("title", &self.task.title),
        ]);
        Ok(BTreeMap::from([
            ("repo".to_owned(), Value::from(Serde(facts))),
            ("task".to_owned(), Value::from(Serde(task))),
        ]))
    }
}

fn stopped<'t>(stop: &Stop, renderer: &Renderer<'_>, score: usize) -> Result<Fit<'t>, EngineError> {
    let why = renderer.text("stops.why", &stop.why)?;
    let error = match stop.outcome {
        StopOutcome::NoFit => return Ok(Fit::Near(why)),
        StopOutcome::AlreadyDone => EngineError::AlreadyDone { what: why },
        StopOutcome::Conflict => EngineError::Conflict {
            path: renderer.text("stops.path", stop.path.as_deref().unwrap_or_default())?,
            why,
            help: renderer.text("stops.help", &stop.help)?,
        },
    };
    Ok(Fit::Fits { extends: true, score, found: Err(error) })
}

fn list(languages: &[Language]) -> String {
    let name = |l: &Language| match l {
        Language::Python => "Python",
        Language::Rust => "Rust",
        Language::Typescript => "TypeScript",
        Language::Javascript => "JavaScript",
        Language::Go => "Go",
        Language::Jvm => "Java or Kotlin",
        Language::Ruby => "Ruby",
        Language::Csharp => "C#",
        Language::Php => "PHP",
    };
    languages.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn nothing_fits(templates: &[Template], near: &[String]) -> EngineError {
    let what = match near {
        [] => "no template does what the request asks for".to_owned(),
        near => format!("no template fits the request: {}", near.join("; ")),
    };
    let mut help = String::from("The template engine can do this, one request at a time:\n");
    for t in templates {
        let example = t.manifest.examples.first().map_or("", String::as_str);
        let _ = writeln!(help, "  {:<16} {}: `{example}`", t.name(), t.manifest.summary);
    }
    help.push_str(
        "For anything else write a template and name its folder under `templates.folders` in orch.yml. Model providers \
         are to be configured in orch.yml too, but are not part of this version yet.",
    );
    EngineError::NoFit { what, help }
}
