//! The wire: restJson1 as AWS Backup speaks it. Every path is served with and without a trailing slash, because the AWS CLI
//! and boto3 send one where the Rust SDK does not.

mod authorization;
mod connection;
mod error;
mod gate;
mod input;
mod page;
mod server;

pub(crate) use connection::{Connection, Listener};
pub(crate) use error::ApiError;
pub(crate) use input::Call;
pub(crate) use page::{Page, newest_first};
pub(crate) use server::{query, router};

use serde_json::Value;

/// An answer without the members that are null, which AWS leaves out.
pub(crate) fn without_nulls(mut value: Value) -> Value {
    drop_nulls(&mut value);
    value
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_without_a_value_is_left_out_of_an_answer() {
        let given = json!({ "a": null, "b": [{ "c": null, "d": 0 }], "e": { "f": null }, "g": false });
        assert_eq!(without_nulls(given), json!({ "b": [{ "d": 0 }], "e": {}, "g": false }));
    }
}
