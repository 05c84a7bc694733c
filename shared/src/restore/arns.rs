//! The old table's name in texts that go with the new one.

use serde_json::Value;

use super::Place;

/// A resource policy for the new table: wherever it names the old one, its indexes or its streams, it names the new one. A
/// text that is no JSON stays as it is, for DynamoDB to judge.
pub(super) fn policy(policy: &str, place: &Place) -> String {
    renamed(policy, &|text| arn(text, place))
}

/// The policy of a table's stream, for the stream that the table has now: whatever stream of the table it names, it names this
/// one. A stream is another one each time it is switched on, and a policy is of one stream alone (Amazon DynamoDB Developer
/// Guide, "Attach a resource-based policy to a DynamoDB stream").
pub(super) fn stream_policy(policy: &str, stream: &str) -> String {
    let Some((streams, _)) = stream.rsplit_once('/') else { return policy.to_owned() };
    renamed(policy, &|text| {
        let label = text.strip_prefix(streams).and_then(|rest| rest.strip_prefix('/'));
        let is_one = label.is_some_and(|label| !label.contains(['*', '?']));
        if is_one { stream.to_owned() } else { text.to_owned() }
    })
}

/// Whether two policies say the same, whatever their spaces and the order of their members.
pub(super) fn same_policy(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text);
    match (read(one), read(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn renamed(policy: &str, new: &dyn Fn(&str) -> String) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(policy) else { return policy.to_owned() };
    rename(&mut document, new);
    document.to_string()
}

fn rename(value: &mut Value, new: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = new(text),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, new)),
        Value::Object(members) => members.values_mut().for_each(|member| rename(member, new)),
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

    #[rstest]
    #[case::the_old_stream(
        "table/orders-2/stream/2026-01-05T07:00:00.123",
        Some("table/orders-2/stream/NEW")
    )]
    #[case::one_more_of_it(
        "table/orders-2/stream/2025-01-05T07:00:00.123",
        Some("table/orders-2/stream/NEW")
    )]
    #[case::any_of_it("table/orders-2/stream/*", None)]
    #[case::the_table("table/orders-2", None)]
    #[case::of_another_table("table/orders-20/stream/2026-01-05T07:00:00.123", None)]
    fn a_policy_of_a_stream_names_the_stream_that_is_there(#[case] old: &str, #[case] new: Option<&str>) {
        let arn = |of: &str| format!("arn:aws:dynamodb:eu-west-1:111122223333:{of}");
        let document = |of: &str| {
            serde_json::json!({"Statement": [{"Effect": "Allow", "Resource": arn(of)}]}).to_string()
        };
        let now = arn("table/orders-2/stream/NEW");
        let expected = document(new.unwrap_or(old));
        assert!(same_policy(&stream_policy(&document(old), &now), &expected));
        assert!(same_policy(&stream_policy(&expected, &now), &expected), "it stays");
        assert_eq!(stream_policy("no JSON", &now), "no JSON");
    }

    #[test]
    fn policies_are_the_same_whatever_their_spaces() {
        assert!(same_policy(r#"{"a": 1, "b": [2]}"#, r#"{"b":[2],"a":1}"#));
        assert!(!same_policy(r#"{"a": 1}"#, r#"{"a": 2}"#));
        assert_eq!(policy("no JSON", &place()), "no JSON");
    }
}
