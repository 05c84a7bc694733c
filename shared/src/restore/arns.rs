//! The old table's name in texts that go with the new one.

use serde_json::Value;

use super::Place;

/// A resource policy for the new table: wherever it names the old one, its indexes or its streams, it names the new one. A
/// text that is no JSON stays as it is, for DynamoDB to judge.
pub(super) fn policy(policy: &str, place: &Place) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(policy) else { return policy.to_owned() };
    rename(&mut document, place);
    document.to_string()
}

/// Whether two policies say the same, whatever their spaces and the order of their members.
pub(super) fn same_policy(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text);
    match (read(one), read(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn rename(value: &mut Value, place: &Place) {
    match value {
        Value::String(text) => *text = arn(text, place),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, place)),
        Value::Object(members) => members.values_mut().for_each(|member| rename(member, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The ARN of the new table, or of something of it, in place of the old one's. Another table whose name merely begins the
/// same is another table, and a pattern such as `table/orders*` stays what it is.
fn arn(text: &str, place: &Place) -> String {
    match text.strip_prefix(place.source.as_str()) {
        Some("") => place.target.to_string(),
        Some(rest) if rest.starts_with('/') => format!("{}{rest}", place.target),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn place() -> Place {
        Place {
            source: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
            target: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-2".parse().unwrap(),
        }
    }

    #[rstest]
    #[case::the_table(
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders",
        "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-2"
    )]
    #[case::an_index(
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/index/*",
        "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-2/index/*"
    )]
    #[case::another_table(
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders-archive",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders-archive"
    )]
    #[case::a_pattern(
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders*",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders*"
    )]
    #[case::anything("*", "*")]
    fn a_policy_that_names_the_old_table_names_the_new_one(#[case] old: &str, #[case] new: &str) {
        let document = |arn: &str| {
            serde_json::json!({"Statement": [{"Effect": "Allow", "Resource": [arn]}]}).to_string()
        };
        assert!(same_policy(&policy(&document(old), &place()), &document(new)));
    }

    #[test]
    fn policies_are_the_same_whatever_their_spaces() {
        assert!(same_policy(r#"{"a": 1, "b": [2]}"#, r#"{"b":[2],"a":1}"#));
        assert!(!same_policy(r#"{"a": 1}"#, r#"{"a": 2}"#));
        assert_eq!(policy("no JSON", &place()), "no JSON");
    }
}
