//! Reading a JSON document member by member: every problem is noted with its JSON path, and nothing stops at the first.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::error::Problem;

/// The problems found so far, each with its place in the document.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<(Vec<usize>, Problem)>>);

impl Problems {
    /// What was read, or every problem in document order. A missing member counts as standing where its object begins.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<Problem>> {
        let mut noted = self.0.into_inner();
        noted.sort_by(|(a, _), (b, _)| a.cmp(b));
        match read {
            Some(read) if noted.is_empty() => Ok(read),
            _ if noted.is_empty() => Err(vec![Problem::new("$", "cannot be read")]),
            _ => Err(noted.into_iter().map(|(_, problem)| problem).collect()),
        }
    }
}

/// A value in the document, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    value: &'a Value,
    path: String,
    trail: Vec<usize>,
    problems: &'a Problems,
}

impl<'a> Spot<'a> {
    /// The whole document.
    pub(super) fn root(value: &'a Value, problems: &'a Problems) -> Self {
        Self::at("$", value, problems)
    }

    /// A value that stands at a path of something larger.
    pub(super) fn at(path: &str, value: &'a Value, problems: &'a Problems) -> Self {
        Self { value, path: path.to_owned(), trail: Vec::new(), problems }
    }

    fn child(&self, value: &'a Value, index: usize, step: &str) -> Self {
        let mut trail = self.trail.clone();
        trail.push(index);
        Self { value, path: format!("{}{step}", self.path), trail, problems: self.problems }
    }

    /// The value itself.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// Notes a problem with this value.
    pub(super) fn note(&self, message: impl Into<String>) {
        self.note_at(self.path.clone(), message);
    }

    /// Notes a problem with a member that is not there.
    pub(super) fn note_missing(&self, name: &str, message: &str) {
        self.note_at(format!("{}{}", self.path, step(name)), format!("is missing; {message}"));
    }

    fn note_at(&self, path: String, message: impl Into<String>) {
        self.problems.0.borrow_mut().push((self.trail.clone(), Problem::new(path, message)));
    }

    /// Notes that the value is not what is expected here.
    pub(super) fn note_unlike<T>(&self, expected: &str) -> Option<T> {
        self.note(format!("is {}, it must be {expected}", brief(self.value)));
        None
    }

    /// An object whose members are all among `known`; others are noted with the nearest known name.
    pub(super) fn object(&self, known: &[&str]) -> Option<Members<'a>> {
        let members = self.map(&format!("an object with {}", one_of(known)))?;
        for member in members.iter() {
            if !known.contains(&member.name) {
                member.spot.note(unknown(member.name, known));
            }
        }
        Some(members)
    }

    /// An object with any members.
    pub(super) fn map(&self, expected: &str) -> Option<Members<'a>> {
        match self.value {
            Value::Object(map) => Some(Members { map, spot: self.clone() }),
            _ => self.note_unlike(expected),
        }
    }

    /// A list's items; an empty list is noted as well.
    pub(super) fn list(&self, expected: &str) -> Option<Vec<Spot<'a>>> {
        match self.value {
            Value::Array(items) if items.is_empty() => {
                self.note(format!("is empty, it must be {expected}"));
                None
            }
            Value::Array(items) => Some(self.items(items)),
            _ => self.note_unlike(expected),
        }
    }

    fn items(&self, items: &'a [Value]) -> Vec<Spot<'a>> {
        let spot = |(i, value)| self.child(value, i, &format!("[{i}]"));
        items.iter().enumerate().map(spot).collect()
    }

    /// A list's items, of which there may be none.
    pub(super) fn list_or_empty(&self, expected: &str) -> Option<Vec<Spot<'a>>> {
        match self.value {
            Value::Array(items) => Some(self.items(items)),
            _ => self.note_unlike(expected),
        }
    }

    /// A text.
    pub(super) fn text(&self, expected: &str) -> Option<&'a str> {
        match self.value {
            Value::String(text) => Some(text),
            _ => self.note_unlike(expected),
        }
    }

    /// A text that is an identifier.
    pub(super) fn id<T: FromStr<Err: Display>>(&self, expected: &str) -> Option<T> {
        match self.text(expected)?.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.note(error.to_string());
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(*value),
            _ => self.note_unlike("true or false"),
        }
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, bounds: RangeInclusive<u32>) -> Option<u32> {
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number {
            Some(number) if bounds.contains(&number) => Some(number),
            _ => self.note_unlike(&format!("a whole number from {} to {}", bounds.start(), bounds.end())),
        }
    }

    /// Items read one by one, each of which may stand there only once; `None` after any problem.
    pub(super) fn distinct<T: PartialEq>(
        items: &[Spot<'a>],
        read: impl Fn(&Spot<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut found: Vec<T> = Vec::new();
        let mut sound = true;
        for item in items {
            match read(item) {
                Some(value) if found.contains(&value) => {
                    item.note(format!("{} is listed twice; list it once", brief(item.value)));
                    sound = false;
                }
                Some(value) => found.push(value),
                None => sound = false,
            }
        }
        sound.then_some(found)
    }
}

/// An object's members.
#[derive(Debug)]
pub(super) struct Members<'a> {
    map: &'a Map<String, Value>,
    spot: Spot<'a>,
}

/// One member of an object.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    pub(super) spot: Spot<'a>,
}

impl<'a> Members<'a> {
    /// The members in document order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Member<'a>> {
        self.map
            .iter()
            .enumerate()
            .map(|(i, (name, value))| Member { name, spot: self.spot.child(value, i, &step(name)) })
    }

    /// A member that may be missing.
    pub(super) fn get(&self, name: &str) -> Option<Spot<'a>> {
        let index = self.map.keys().position(|key| key == name)?;
        Some(self.spot.child(self.map.get(name)?, index, &step(name)))
    }

    /// A member that must be there; `advice` says what to write.
    pub(super) fn required(&self, name: &str, advice: &str) -> Option<Spot<'a>> {
        let member = self.get(name);
        if member.is_none() {
            self.spot.note_missing(name, advice);
        }
        member
    }

    /// A member that may be missing, in which case `default` stands; `None` only after a problem.
    pub(super) fn or<T>(&self, name: &str, default: T, read: impl Fn(&Spot<'a>) -> Option<T>) -> Option<T> {
        match self.get(name) {
            Some(member) => read(&member),
            None => Some(default),
        }
    }

    /// A member that may be missing: `Some(None)`. `None` only after a problem.
    pub(super) fn optional<T>(&self, name: &str, read: impl Fn(&Spot<'a>) -> Option<T>) -> Option<Option<T>> {
        match self.get(name) {
            Some(member) => read(&member).map(Some),
            None => Some(None),
        }
    }

    /// Whether there are no members.
    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many members there are.
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }
}

/// A member's step in a JSON path: `.name`, or `["odd name"]` where the name is not a plain word.
fn step(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(plain) {
        format!(".{}", cut(name))
    } else {
        format!("[{:?}]", cut(name))
    }
}

/// A value as it may stand in a message: compact JSON, cut when long.
pub(super) fn brief(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    const MOST: usize = 80;
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Why an unknown member is one, with the nearest known name.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("is not known here; did you mean {near:?}?"),
        None => format!("is not known here; known are {}", one_of(known)),
    }
}

/// `"a", "b" and "c"`.
pub(super) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The candidate that is so near to `name` that it is likely meant.
pub(super) fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let letters: Vec<char> = name.to_lowercase().chars().take(64).collect();
    let most = (letters.len() / 3).clamp(1, 3);
    candidates
        .map(|candidate| (edits(&letters, &candidate.to_lowercase()), candidate))
        .filter(|(edits, _)| *edits <= most)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out or changed to get from one word to the other (Levenshtein).
fn edits(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("timezon", Some("timezone"))]
    #[case("Time_Zone", Some("timezone"))]
    #[case("month", Some("months"))]
    #[case("retention", None)]
    #[case("", None)]
    fn the_nearest_name_is_suggested_only_when_it_is_near(#[case] name: &str, #[case] near: Option<&str>) {
        assert_eq!(nearest(name, ["timezone", "months", "keep"].into_iter()), near);
    }

    #[test]
    fn problems_come_in_document_order_whatever_order_they_were_found_in() {
        let value = json!({"b": {"x": 1}, "a": [true, "no"]});
        let problems = Problems::default();
        let root = Spot::root(&value, &problems);
        let members = root.object(&["a", "b"]).unwrap();
        for item in members.get("a").unwrap().list("a list").unwrap() {
            item.boolean();
        }
        members.get("b").unwrap().object(&["y"]);
        members.required("c", "write it");
        let said: Vec<String> =
            problems.finish::<()>(None).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                r#"$.c: is missing; write it"#,
                r#"$.b.x: is not known here; did you mean "y"?"#,
                r#"$.a[1]: is "no", it must be true or false"#,
            ]
        );
    }

    #[test]
    fn odd_names_and_long_values_stay_on_one_short_line() {
        assert_eq!(step("a b\n"), r#"["a b\n"]"#);
        assert_eq!(step(""), r#"[""]"#);
        assert_eq!(brief(&json!("x".repeat(500))).chars().count(), 81);
    }
}
