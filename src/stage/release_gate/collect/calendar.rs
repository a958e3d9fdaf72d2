//! Times without releases: from the config, and from iCalendar or JSON files.
//!
//! Must never leave out an entry it cannot read: then the whole fact is missing, and the gate holds.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use super::file::{json, most, put, read, time};
use super::{Collector, Gathered, Gathering, line, whole_seconds};
use crate::artifact::id::Slug;
use crate::artifact::types::release::{FactName, FreezeSeen};
use crate::ports::observe::{Seen, Unseen};

/// The collector.
pub struct CalendarCollector;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    freezes: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    from: String,
    to: String,
    #[serde(default)]
    environments: Vec<Slug>,
    reason: String,
}

impl Collector for CalendarCollector {
    fn name(&self) -> &'static str {
        "calendar"
    }

    fn collect(&self, of: &Gathering<'_>, into: &mut Gathered) {
        let own = of.config.release.freezes.iter().map(|(name, freeze)| {
            let (from, to) = (freeze.from.clone(), freeze.to.clone());
            let (environments, reason) = (freeze.environments.clone(), freeze.reason.clone());
            row(Row { name: name.to_string(), from, to, environments, reason })
        });
        let mut all = match own.collect::<Seen<Vec<_>>>() {
            Ok(all) => all,
            Err(unseen) => return into.failed(FactName::Freezes, "orch.yml", unseen),
        };
        into.found_value(FactName::Freezes, "orch.yml", &all);
        for path in &of.config.release.calendars {
            let Some((from, bytes)) = read(of, into, FactName::Freezes, path) else { return };
            let is_ical = bytes.trim_ascii_start().starts_with(b"BEGIN:VCALENDAR");
            let seen = if is_ical { ical(&bytes) } else { json_file(&bytes) };
            let Some(more) = put(into, FactName::Freezes, &from, &bytes, seen) else { return };
            all.extend(more);
        }
        all.sort_by(|a, b| (a.from_seconds, &a.name).cmp(&(b.from_seconds, &b.name)));
        into.facts.freezes = Some(all);
    }
}

fn json_file(bytes: &[u8]) -> Seen<Vec<FreezeSeen>> {
    most(json::<File>(bytes)?.freezes)?.into_iter().map(row).collect()
}

fn row(row: Row) -> Seen<FreezeSeen> {
    let ((from, from_seconds), (to, to_seconds)) = (time(&row.from)?, time(&row.to)?);
    if to_seconds <= from_seconds {
        return Err(Unseen::new(format!(
            "has the freeze `{}`, which ends before it begins",
            line(&row.name)
        )));
    }
    let (name, reason) = (line(&row.name), line(&row.reason));
    Ok(FreezeSeen { name, from, from_seconds, to, to_seconds, environments: row.environments, reason })
}

/// Reads the events of an iCalendar (RFC 5545): whole days and UTC times.
fn ical(bytes: &[u8]) -> Seen<Vec<FreezeSeen>> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unseen::new("is not UTF-8 text"))?;
    // A line that begins with space goes on where the one before ended.
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut events: Vec<FreezeSeen> = Vec::new();
    let mut open: Option<Vec<(String, String, String)>> = None;
    for raw in unfolded.lines() {
        match (raw.trim_end(), &mut open) {
            ("BEGIN:VEVENT", None) => open = Some(Vec::new()),
            ("END:VEVENT", Some(_)) => events.push(event(&open.take().unwrap_or_default())?),
            (_, None) => {}
            (raw, Some(parts)) => {
                let Some((head, value)) = raw.split_once(':') else { continue };
                let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
                parts.push((name.to_ascii_uppercase(), parameters.to_ascii_uppercase(), value.to_owned()));
            }
        }
    }
    if open.is_some() || !unfolded.contains("END:VCALENDAR") {
        return Err(Unseen::new("is cut off"));
    }
    most(events)
}

fn event(parts: &[(String, String, String)]) -> Seen<FreezeSeen> {
    let part = |name: &str| parts.iter().find(|(found, ..)| found == name);
    let text =
        |name: &str| part(name).map(|(.., value)| line(&value.replace("\\,", ",").replace("\\n", " ")));
    let name = text("SUMMARY").or_else(|| text("UID")).unwrap_or_else(|| "an event".into());
    let refuse = |why: &str| Unseen::new(format!("has the event `{name}`, which {why}"));
    if ["RRULE", "RDATE", "RECURRENCE-ID", "DURATION"].iter().any(|repeated| part(repeated).is_some()) {
        return Err(refuse("repeats or has a duration; write each time out, with its end"));
    }
    let moment = |name: &str| match part(name) {
        None => Ok(None),
        Some((_, parameters, value)) => {
            let refused = || refuse("has a time that is neither a day nor UTC, as `20261224T170000Z`");
            instant(parameters, value).map(Some).ok_or_else(refused)
        }
    };
    let (from, whole_day) = moment("DTSTART")?.ok_or_else(|| refuse("has no start"))?;
    let to = match moment("DTEND")? {
        Some((to, _)) => to,
        None if whole_day => {
            from.checked_add(24.hours()).map_err(|_| refuse("ends after the end of time"))?
        }
        None => return Err(refuse("has no end")),
    };
    let names = text("CATEGORIES").unwrap_or_default();
    let environments: Result<Vec<Slug>, _> = names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| name.to_lowercase().parse())
        .collect();
    row(Row {
        from: whole_seconds(from),
        to: whole_seconds(to),
        environments: environments.map_err(|_| refuse("has categories that are no environments"))?,
        reason: text("DESCRIPTION").unwrap_or_else(|| name.clone()),
        name,
    })
}

/// Returns a moment, and whether it is a whole day.
fn instant(parameters: &str, value: &str) -> Option<(Timestamp, bool)> {
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    if let Some(time) = value.strip_suffix('Z').filter(|_| !parameters.contains("TZID")) {
        return Some((utc(DateTime::strptime("%Y%m%dT%H%M%S", time).ok()?)?, false));
    }
    let date = Date::strptime("%Y%m%d", value).ok()?;
    Some((utc(date.to_datetime(jiff::civil::Time::midnight()))?, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(event: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    }

    #[test]
    fn days_and_utc_times_are_read() {
        let text = calendar(
            "SUMMARY:Year end\r\n fre\r\n eze\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20270102\r\nCATEGORIES:production,staging",
        );
        let seen = ical(text.as_bytes()).unwrap();
        assert_eq!(seen[0].name, "Year endfreeze");
        assert_eq!(
            (seen[0].from.as_str(), seen[0].to.as_str()),
            ("2026-12-24T00:00:00Z", "2027-01-02T00:00:00Z")
        );
        assert_eq!(seen[0].environments.len(), 2);
        let day = ical(calendar("SUMMARY:x\r\nDTSTART;VALUE=DATE:20261224").as_bytes()).unwrap();
        assert_eq!(day[0].to_seconds - day[0].from_seconds, 24 * 3600);
        let hours = calendar("UID:x\r\nDTSTART:20261224T170000Z\r\nDTEND:20261224T180000Z");
        assert_eq!(ical(hours.as_bytes()).unwrap()[0].from, "2026-12-24T17:00:00Z");
    }

    #[test]
    fn an_event_that_cannot_be_read_spoils_the_file() {
        for event in [
            "SUMMARY:x\r\nDTSTART;TZID=Europe/Berlin:20261224T170000\r\nDTEND;TZID=Europe/Berlin:20261224T180000",
            "SUMMARY:x\r\nDTSTART:20261224T170000\r\nDTEND:20261224T180000",
            "SUMMARY:x\r\nDTSTART:20261224T170000Z\r\nDTEND:20261224T180000Z\r\nRRULE:FREQ=YEARLY",
            "SUMMARY:x\r\nDTSTART:20261224T170000Z\r\nDURATION:PT1H",
            "SUMMARY:x\r\nDTSTART:20261224T170000Z",
            "SUMMARY:x\r\nDTSTART:20261224T170000Z\r\nDTEND:20261224T170000Z",
            "SUMMARY:x\r\nDTSTART:20261324T170000Z\r\nDTEND:20261224T170000Z",
            "SUMMARY:x\r\nDTEND:20261224T170000Z",
        ] {
            assert!(ical(calendar(event).as_bytes()).is_err(), "{event}");
        }
        let whole = calendar("SUMMARY:x\r\nDTSTART;VALUE=DATE:20261224");
        assert!(ical(whole.split("END:VEVENT").next().unwrap().as_bytes()).is_err());
    }
}
