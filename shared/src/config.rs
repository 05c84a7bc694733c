//! A function's settings: environment variables of the names that the stack's parameters have, in upper snake case.
//!
//! They are read once at cold start, with every problem reported at once, and printed to the log; none is a secret.

use std::fmt::Display;
use std::str::FromStr;

/// The settings cannot be used; each line names a variable and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

/// Reads variables one after the other and gathers what is wrong with them.
///
/// ```
/// use dynachain::config::Variables;
///
/// let mut variables = Variables::of(|name| (name == "START_WINDOW_MINUTES").then(|| "120".to_owned()));
/// let window: Option<u32> = variables.required("START_WINDOW_MINUTES");
/// let rate: Option<u32> = variables.number("START_RATE", 1..=1000, 5);
/// variables.finish()?;
/// assert_eq!((window, rate), (Some(120), Some(5)));
/// # Ok::<(), dynachain::config::ConfigError>(())
/// ```
pub struct Variables<'a> {
    variable: Lookup<'a>,
    problems: Vec<String>,
}

type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

impl std::fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Variables").field("problems", &self.problems).finish_non_exhaustive()
    }
}

impl<'a> Variables<'a> {
    /// Variables from anywhere; an empty one counts as not set.
    pub fn of(variable: impl Fn(&str) -> Option<String> + 'a) -> Self {
        let filled = move |name: &str| variable(name).filter(|value| !value.is_empty());
        Self { variable: Box::new(filled), problems: Vec::new() }
    }

    /// A variable that must be there. `None` only after a problem has been noted.
    pub fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let Some(text) = (self.variable)(name) else {
            self.problems.push(format!("{name}: is not set; the stack's template sets it"));
            return None;
        };
        text.parse().map_err(|error| self.problems.push(format!("{name}: {error}"))).ok()
    }

    /// A whole number within bounds, with what stands when the variable is not set.
    pub fn number(&mut self, name: &str, bounds: std::ops::RangeInclusive<u32>, default: u32) -> Option<u32> {
        let Some(text) = (self.variable)(name) else { return Some(default) };
        match text.parse() {
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => {
                let (low, high) = (bounds.start(), bounds.end());
                self.problems.push(format!("{name}: {text:?} is not a whole number from {low} to {high}"));
                None
            }
        }
    }

    /// A `true` or `false`, with what stands when the variable is not set.
    pub fn flag(&mut self, name: &str, default: bool) -> Option<bool> {
        match (self.variable)(name).as_deref() {
            None => Some(default),
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(other) => {
                self.problems.push(format!("{name}: {other:?} is neither true nor false"));
                None
            }
        }
    }

    /// Any number of values with commas between them; none when the variable is not set.
    pub fn list<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<Vec<T>> {
        let text = (self.variable)(name).unwrap_or_default();
        let values = text.split(',').map(str::trim).filter(|value| !value.is_empty());
        let read: Result<Vec<T>, _> = values.map(str::parse).collect();
        read.map_err(|error| self.problems.push(format!("{name}: {error}"))).ok()
    }

    /// All is well, or everything that is not.
    ///
    /// # Errors
    /// When any variable read before was missing or malformed.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_be_empty_and_each_of_its_values_must_be_right() {
        let read = |text: &'static str| {
            let mut variables = Variables::of(move |_| Some(text.to_owned()));
            let list: Option<Vec<u32>> = variables.list("NUMBERS");
            (list, variables.finish().err().map(|error| error.to_string()))
        };
        assert_eq!(read(""), (Some(vec![]), None));
        assert_eq!(read("1, 2"), (Some(vec![1, 2]), None));
        let (list, error) = read("1,x");
        assert_eq!(list, None);
        assert!(error.unwrap().starts_with("NUMBERS: "));
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let mut variables = Variables::of(|name| match name {
            "KEY_ARN" => Some("nonsense".to_owned()),
            "START_RATE" => Some("0".to_owned()),
            "MANAGE_BACKUP_SETTINGS" => Some("yes".to_owned()),
            "CATALOG_NAME" => Some(String::new()),
            _ => None,
        });
        let key: Option<crate::id::KeyArn> = variables.required("KEY_ARN");
        let catalog: Option<String> = variables.required("CATALOG_NAME");
        let rate = variables.number("START_RATE", 1..=100, 5);
        let manage = variables.flag("MANAGE_BACKUP_SETTINGS", true);
        assert_eq!((key, catalog, rate, manage), (None, None, None, None));
        let error = variables.finish().unwrap_err().to_string();
        let said: Vec<&str> = error.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
        assert_eq!(said, ["KEY_ARN", "CATALOG_NAME", "START_RATE", "MANAGE_BACKUP_SETTINGS"]);
    }
}
