//! Requests, read strictly: every problem at once, each with its JSON path, nothing unknown let through.

mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::str::FromStr;

use serde_json::{Map, Value};

pub use self::place::{NoPlace, Place};
use crate::error::{ErrorType, Problem, Refusal};
use crate::id::{TableArn, TableName};

/// Reads the members of a request one after the other and gathers what is wrong with them.
///
/// ```
/// use dynachain::request::Request;
/// use serde_json::json;
///
/// let request = json!({"policy": "no spaces", "tabels": []});
/// let mut request = Request::of(&request)?;
/// let policy: Option<dynachain::id::PolicyName> = request.parsed("policy");
/// let refusal = request.finish().unwrap_err();
/// assert!(refusal.to_string().contains("$.tabels: is unknown"));
/// assert_eq!(policy, None);
/// # Ok::<(), dynachain::error::Refusal>(())
/// ```
#[derive(Debug)]
pub struct Request<'a> {
    /// Where it stands: `$`, or the path of a member that is an object itself.
    at: String,
    members: &'a Map<String, Value>,
    known: BTreeSet<&'static str>,
    problems: Vec<(usize, Problem)>,
}

impl<'a> Request<'a> {
    /// The members of a request.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn of(value: &'a Value) -> Result<Self, Refusal> {
        let members = value.as_object().ok_or_else(|| {
            Refusal::new(ErrorType::InvalidRequest, format!("must be a JSON object, it is {}", kind(value)))
        })?;
        Ok(Self { at: "$".to_owned(), members, known: BTreeSet::new(), problems: Vec::new() })
    }

    /// A member that is an object, read as a request of its own; its problems are this one's.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Request<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.raw(name)?;
        self.inner(name, self.path(name), value, read)
    }

    /// A member that is a list of objects, each read as a request of its own; their problems are this one's.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Request<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.raw(name)?;
        let at = self.path(name);
        let Some(items) = value.as_array() else {
            self.problem(name, &at, format!("must be a list, it is {}", kind(value)));
            return None;
        };
        let items = items.iter().enumerate();
        let read: Vec<_> =
            items.map(|(i, item)| self.inner(name, format!("{at}[{i}]"), item, &mut read)).collect();
        read.into_iter().collect()
    }

    /// A member that is an object with members of any names, each an object and read as a request of its own; their problems
    /// are this one's.
    pub fn objects_by_name<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Request<'_>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let value = self.raw(name)?;
        let at = self.path(name);
        let Some(members) = value.as_object() else {
            self.problem(name, &at, format!("must be an object, it is {}", kind(value)));
            return None;
        };
        let read = members.iter().map(|(member, value)| {
            let read = self.inner(name, format!("{at}.{member}"), value, &mut read)?;
            Some((member.clone(), read))
        });
        // All of them are read, so that the problems of all are told.
        read.collect::<Vec<_>>().into_iter().collect()
    }

    fn inner<T>(
        &mut self,
        name: &'static str,
        at: String,
        value: &Value,
        read: impl FnOnce(&mut Request<'_>) -> Option<T>,
    ) -> Option<T> {
        let Some(members) = value.as_object() else {
            self.problem(name, &at, format!("must be an object, it is {}", kind(value)));
            return None;
        };
        let mut inner = Request { at, members, known: BTreeSet::new(), problems: Vec::new() };
        let result = read(&mut inner);
        let problems = inner.into_problems();
        let sound = problems.is_empty();
        for problem in problems {
            self.problem(name, &problem.path, problem.message);
        }
        result.filter(|_| sound)
    }

    /// The JSON path of a member.
    pub fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    /// A member as it stands; null counts as not there.
    pub fn raw(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member that is a text of some form, such as an ARN.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let value = self.raw(name)?;
        self.parse(name, &self.path(name), value)
    }

    /// A member that is a text of some form and has to be there; `why` tells the caller what to put there.
    pub fn required<T: FromStr<Err: Display>>(&mut self, name: &'static str, why: &str) -> Option<T> {
        if self.raw(name).is_none() {
            self.missing(name, why);
        }
        self.parsed(name)
    }

    /// A member that is a list of such texts.
    pub fn parsed_list<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<Vec<T>> {
        let value = self.raw(name)?;
        let Some(items) = value.as_array() else {
            self.problem(name, &self.path(name), format!("must be a list, it is {}", kind(value)));
            return None;
        };
        let parsed: Vec<_> = items
            .iter()
            .enumerate()
            .filter_map(|(i, item)| self.parse(name, &format!("{}[{i}]", self.path(name)), item))
            .collect();
        (parsed.len() == items.len()).then_some(parsed)
    }

    /// A member that is true or false; false when it is not there.
    pub fn flag(&mut self, name: &'static str) -> bool {
        match self.raw(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                let message = format!("must be true or false, it is {}", kind(other));
                self.problem(name, &self.path(name), message);
                false
            }
        }
    }

    /// Notes a problem with a member, or with something within it.
    pub fn problem(&mut self, name: &str, path: &str, message: impl Into<String>) {
        let place = self.members.keys().position(|member| member == name).unwrap_or(self.members.len());
        self.problems.push((place, Problem::new(path, message)));
    }

    /// Notes a problem with the request as a whole.
    pub fn problem_here(&mut self, message: impl Into<String>) {
        self.problems.push((0, Problem::new(self.at.clone(), message)));
    }

    /// Notes that a member must be there.
    pub fn missing(&mut self, name: &str, why: &str) {
        self.problem(name, &self.path(name), format!("is missing: {why}"));
    }

    /// All is well, or everything that is not, unknown members included, in document order.
    ///
    /// # Errors
    /// `InvalidRequest` with every problem.
    pub fn finish(self) -> Result<(), Refusal> {
        Refusal::of(ErrorType::InvalidRequest, self.into_problems()).map_or(Ok(()), Err)
    }

    fn into_problems(mut self) -> Vec<Problem> {
        let known = self.known.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        for (place, name) in self.members.keys().enumerate() {
            if !self.known.contains(name.as_str()) {
                let message = format!("is unknown; known are {known}");
                self.problems.push((place, Problem::new(self.path(name), message)));
            }
        }
        self.problems.sort_by_key(|(place, _)| *place);
        self.problems.into_iter().map(|(_, problem)| problem).collect()
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, name: &str, path: &str, value: &Value) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.problem(name, path, format!("must be a text, it is {}", kind(value)));
            return None;
        };
        text.parse().map_err(|error: T::Err| self.problem(name, path, error.to_string())).ok()
    }
}

/// What a JSON value is, for a message.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A table as requests name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableRef {
    /// Its name.
    Name(TableName),
    /// Its ARN.
    Arn(TableArn),
}

impl FromStr for TableRef {
    type Err = crate::id::ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("arn:") { text.parse().map(Self::Arn) } else { text.parse().map(Self::Name) }
    }
}

impl Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Arn(arn) => arn.fmt(f),
        }
    }
}

impl TableRef {
    /// Whether this names the table.
    pub fn names(&self, table: &TableArn) -> bool {
        match self {
            Self::Name(name) => name.as_str() == table.name(),
            Self::Arn(arn) => arn == table,
        }
    }

    /// The one table that is meant among those with points in a vault: copies may be of a table of the same name in another
    /// Region. `path` is where the request names it.
    ///
    /// # Errors
    /// `TableNotFound` when none is meant, `Ambiguous` when several are.
    pub fn the_one_of(
        &self,
        tables: impl IntoIterator<Item = TableArn>,
        vault: &str,
        path: &str,
    ) -> Result<TableArn, Refusal> {
        let meant: BTreeSet<_> = tables.into_iter().filter(|table| self.names(table)).collect();
        let mut rest = meant.iter();
        match (rest.next(), rest.next()) {
            (Some(table), None) => Ok(table.clone()),
            (None, _) => {
                let message = format!("no recovery point of a table {self} lies in the vault {vault}");
                Err(Refusal::at(ErrorType::TableNotFound, path, message))
            }
            (Some(_), Some(_)) => {
                let all: Vec<_> = meant.iter().map(TableArn::as_str).collect();
                let all = all.join(", ");
                let message = format!("several tables are called {self}; say which by its ARN: {all}");
                Err(Refusal::at(ErrorType::Ambiguous, path, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_problem_is_reported_in_document_order() {
        let value = json!({"zebra": 1, "tables": ["orders", 7, "a"], "dry_run": "yes", "policy": 3});
        let mut request = Request::of(&value).unwrap();
        let policy: Option<TableName> = request.parsed("policy");
        let tables: Option<Vec<TableName>> = request.parsed_list("tables");
        assert_eq!((policy, tables, request.flag("dry_run")), (None, None, false));
        request.missing("keep", "say how long");
        let said = request.finish().unwrap_err().to_string();
        let paths: Vec<_> = said.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(paths, ["$.zebra", "$.tables[1]", "$.tables[2]", "$.dry_run", "$.policy", "$.keep"]);
    }

    #[test]
    fn a_member_that_is_an_object_is_read_as_strictly() {
        let read = |value: &Value| {
            let mut request = Request::of(value).unwrap();
            let table = request.object("backup_now", |inner| inner.required::<TableName>("table", "name it"));
            (table, request.finish().map_err(|refusal| refusal.to_string()))
        };
        assert_eq!(
            read(&json!({"backup_now": {"table": "orders"}})),
            (Some("orders".parse().unwrap()), Ok(()))
        );
        for (value, said) in [
            (json!({"backup_now": {}}), "$.backup_now.table: is missing"),
            (json!({"backup_now": {"table": "orders", "valt": "x"}}), "$.backup_now.valt: is unknown"),
            (json!({"backup_now": "orders"}), "$.backup_now: must be an object"),
        ] {
            let (table, refused) = read(&value);
            assert!(table.is_none() && refused.unwrap_err().starts_with(said), "{value}");
        }
    }

    #[test]
    fn the_problems_of_a_list_of_objects_say_which_one_they_are_about() {
        let value = json!({"restores": [{"table": "orders"}, {"table": 1}, 2]});
        let mut request = Request::of(&value).unwrap();
        let read = request.objects("restores", |inner| inner.required::<TableName>("table", "name it"));
        let said = request.finish().unwrap_err().to_string();
        assert!(read.is_none() && said.contains("$.restores[1].table: must be a text"), "{said}");
        assert!(said.contains("$.restores[2]: must be an object"), "{said}");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for value in [json!(null), json!([]), json!("x"), json!(1)] {
            assert_eq!(Request::of(&value).unwrap_err().error_type(), ErrorType::InvalidRequest);
        }
    }

    #[test]
    fn a_table_is_named_only_where_nothing_else_is_meant() {
        let table = |region: &str, name: &str| -> TableArn {
            format!("arn:aws:dynamodb:{region}:111122223333:table/{name}").parse().unwrap()
        };
        let tables =
            [table("eu-west-1", "orders"), table("eu-central-1", "orders"), table("eu-west-1", "users")];
        let ask =
            |text: &str| text.parse::<TableRef>().unwrap().the_one_of(tables.clone(), "dynachain", "$.table");
        assert_eq!(ask("users"), Ok(tables[2].clone()));
        assert_eq!(ask(tables[0].as_str()), Ok(tables[0].clone()));
        assert_eq!(ask("carts").unwrap_err().error_type(), ErrorType::TableNotFound);
        let refusal = ask("orders").unwrap_err();
        assert_eq!(refusal.error_type(), ErrorType::Ambiguous);
        assert!(refusal.to_string().contains("eu-central-1:111122223333:table/orders, arn:"), "{refusal}");
    }

    #[test]
    fn null_counts_as_not_there() {
        let value = json!({"policy": null});
        let mut request = Request::of(&value).unwrap();
        assert_eq!(request.parsed::<TableName>("policy"), None);
        assert!(request.finish().is_ok());
    }
}
