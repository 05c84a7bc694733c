//! JSON paths, as far as EventBridge takes them (EventBridge User Guide, "Amazon EventBridge input transformation"): names
//! after dots, indices and `*` in brackets, a quoted name in brackets.

use serde_json::Value;

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    /// All that is there, as an array.
    All,
}

/// What is there at a path; `None`: nothing.
///
/// # Errors
/// When it is no path.
pub(super) fn find(event: &Value, path: &str) -> Result<Option<Value>, String> {
    let steps = steps(path).ok_or_else(|| format!("not delivered: {path:?} is no JSON path"))?;
    Ok(walk(event, &steps))
}

fn walk(value: &Value, steps: &[Step]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value.clone()) };
    match step {
        Step::Name(name) => walk(value.get(name)?, rest),
        Step::Index(index) => walk(value.get(index)?, rest),
        Step::All => {
            let found: Vec<Value> = match value {
                Value::Array(values) => values.iter().filter_map(|value| walk(value, rest)).collect(),
                Value::Object(members) => members.values().filter_map(|value| walk(value, rest)).collect(),
                _ => return None,
            };
            Some(Value::Array(found))
        }
    }
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let (mut steps, mut rest) = (Vec::new(), path.strip_prefix('$')?);
    while !rest.is_empty() {
        let (step, after) = if let Some(dotted) = rest.strip_prefix('.') {
            let end = dotted.find(['.', '[']).unwrap_or(dotted.len());
            let (name, after) = dotted.split_at(end);
            (named(name)?, after)
        } else {
            let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
            (bracketed(inner)?, after)
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

fn named(name: &str) -> Option<Step> {
    let good = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_/".contains(c));
    if name == "*" { Some(Step::All) } else { good.then(|| Step::Name(name.to_owned())) }
}

fn bracketed(inner: &str) -> Option<Step> {
    let quoted = |quote: char| inner.strip_prefix(quote)?.strip_suffix(quote);
    if inner == "*" {
        return Some(Step::All);
    }
    quoted('\'')
        .or_else(|| quoted('"'))
        .map(|name| Step::Name(name.to_owned()))
        .or_else(|| inner.parse().ok().map(Step::Index))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::all("$", Some(json!({"detail-type": "x", "a": [{"b": 1}, {"b": 2}, {"c": 3}]})))]
    #[case::dash("$.detail-type", Some(json!("x")))]
    #[case::quoted("$['detail-type']", Some(json!("x")))]
    #[case::index("$.a[1].b", Some(json!(2)))]
    #[case::wildcard("$.a[*].b", Some(json!([1, 2])))]
    #[case::members("$.a[0].*", Some(json!([1])))]
    #[case::nothing("$.a.b", None)]
    #[case::beyond("$.a[7]", None)]
    fn paths_lead_to_parts_of_the_event(#[case] path: &str, #[case] part: Option<Value>) {
        let event = json!({"detail-type": "x", "a": [{"b": 1}, {"b": 2}, {"c": 3}]});
        assert_eq!(find(&event, path).unwrap(), part);
    }

    #[rstest]
    fn what_is_no_path_is_refused(
        #[values("", "detail", "$detail", "$.", "$..a", "$.a[", "$.a[x]", "$.a b")] path: &str,
    ) {
        assert!(find(&json!({}), path).unwrap_err().contains("no JSON path"));
    }
}
