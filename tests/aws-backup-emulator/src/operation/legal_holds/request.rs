//! What `CreateLegalHold` is given, checked.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::aws::Scope;
use crate::http::ApiError;
use crate::operation::recovery_points::is_arn;
use crate::operation::vaults::is_name;
use crate::state::legal_hold::{DateRange, LegalHold, Selection, Status};
use crate::state::tags::{self, Tags};

/// The request's body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateInput {
    title: Option<String>,
    description: Option<String>,
    idempotency_token: Option<String>,
    recovery_point_selection: Option<SelectionInput>,
    tags: Option<Tags>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SelectionInput {
    vault_names: Option<Vec<String>>,
    resource_identifiers: Option<Vec<String>>,
    date_range: Option<DateRangeInput>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DateRangeInput {
    from_date: Option<f64>,
    to_date: Option<f64>,
}

impl CreateInput {
    /// The hold, and the token that it is known by.
    pub(super) fn accept(
        self,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<(LegalHold, Option<String>), ApiError> {
        let title = text(self.title, "Title")?;
        let description = text(self.description, "Description")?;
        let selection = self.recovery_point_selection.map(SelectionInput::accept).transpose()?;
        let tags = self.tags.unwrap_or_default();
        check(&tags)?;
        let id = uuid::Uuid::new_v4().to_string();
        let hold = LegalHold {
            arn: scope.arn("backup", &format!("legal-hold:{id}")),
            id,
            title,
            description,
            selection,
            tags,
            created: now,
            status: Status::Creating,
            cancellation: None,
            released: None,
        };
        Ok((hold, self.idempotency_token.filter(|token| !token.is_empty())))
    }
}

fn text(value: Option<String>, name: &str) -> Result<String, ApiError> {
    match value {
        None => Err(ApiError::missing_parameter(name)),
        Some(empty) if empty.is_empty() => {
            Err(ApiError::invalid_parameter(format!("{name} must not be empty.")))
        }
        Some(text) => Ok(text),
    }
}

/// As other tags, but without `@` (AWS Backup API Reference, "CreateLegalHold").
fn check(tags: &Tags) -> Result<(), ApiError> {
    crate::operation::tagging::check(tags)?;
    if let Some(key) = tags.iter().find_map(|(k, v)| (k.contains('@') || v.contains('@')).then_some(k)) {
        let message =
            format!("The tag {key} has characters other than letters, numbers, spaces and + - = . _ : /.");
        return Err(ApiError::invalid_parameter(message));
    }
    if tags.len() > tags::MOST {
        return Err(ApiError::limit_exceeded("The resultant tag set must not have more than 50 user tags."));
    }
    Ok(())
}

impl SelectionInput {
    fn accept(self) -> Result<Selection, ApiError> {
        let vaults = self.vault_names.unwrap_or_default();
        if let Some(name) = vaults.iter().find(|name| !is_name(name)) {
            return Err(ApiError::invalid_parameter(format!("Invalid backup vault name: {name}")));
        }
        let resources = self.resource_identifiers.unwrap_or_default();
        if let Some(arn) = resources.iter().find(|arn| !is_arn(arn)) {
            return Err(ApiError::invalid_parameter(format!("Invalid resource ARN: {arn}")));
        }
        Ok(Selection {
            vaults: vaults.into_iter().collect(),
            resources: resources.into_iter().collect(),
            dates: self.date_range.map(DateRangeInput::accept).transpose()?,
        })
    }
}

impl DateRangeInput {
    fn accept(self) -> Result<DateRange, ApiError> {
        let (from, to) = (date(self.from_date, "FromDate")?, date(self.to_date, "ToDate")?);
        if from > to {
            return Err(ApiError::invalid_parameter(
                "DateRange.FromDate must not be after DateRange.ToDate.",
            ));
        }
        Ok(DateRange { from, to })
    }
}

/// Seconds since 1970, to the millisecond.
fn date(seconds: Option<f64>, name: &str) -> Result<Timestamp, ApiError> {
    let name = format!("RecoveryPointSelection.DateRange.{name}");
    let seconds = seconds.ok_or_else(|| ApiError::missing_parameter(&name))?;
    // Rounded, as a float has most decimal fractions only nearly.
    let since = SignedDuration::try_from_secs_f64((seconds * 1_000.0).round() / 1_000.0).ok();
    since
        .map(|since| SignedDuration::from_millis_i128((since.as_nanos() + 500_000).div_euclid(1_000_000)))
        .and_then(|since| Timestamp::from_duration(since).ok())
        .ok_or_else(|| ApiError::invalid_parameter(format!("Invalid timestamp for {name}: {seconds}")))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn accept(body: Value) -> Result<LegalHold, String> {
        let scope = Scope { account: "111122223333".to_owned(), region: "eu-central-1".to_owned() };
        let input: CreateInput =
            serde_json::from_value(body).map_err(|_| "SerializationException".to_owned())?;
        let accepted = input.accept(&scope, Timestamp::UNIX_EPOCH);
        accepted.map(|(hold, _)| hold).map_err(|error| error.kind.to_owned())
    }

    fn with(member: &str, value: Value) -> Value {
        let mut body = json!({ "Title": "case", "Description": "42" });
        body[member] = value;
        body
    }

    fn selecting(selection: Value) -> Value {
        with("RecoveryPointSelection", selection)
    }

    const MISSING: &str = "MissingParameterValueException";
    const INVALID: &str = "InvalidParameterValueException";
    const WRONG: &str = "SerializationException";

    #[rstest]
    #[case::title(with("Title", Value::Null), MISSING)]
    #[case::description(with("Description", Value::Null), MISSING)]
    #[case::no_title(with("Title", json!("")), INVALID)]
    #[case::number(with("Title", json!(1)), WRONG)]
    #[case::token(with("IdempotencyToken", json!(["t"])), WRONG)]
    #[case::selection(selecting(json!("all")), WRONG)]
    #[case::vaults(selecting(json!({ "VaultNames": "one" })), WRONG)]
    #[case::vault_name(selecting(json!({ "VaultNames": ["v"] })), INVALID)]
    #[case::resource(selecting(json!({ "ResourceIdentifiers": ["orders"] })), INVALID)]
    #[case::nothing_in_a_list(selecting(json!({ "ResourceIdentifiers": [null] })), WRONG)]
    #[case::from(selecting(json!({ "DateRange": { "ToDate": 2 } })), MISSING)]
    #[case::to(selecting(json!({ "DateRange": { "FromDate": 2 } })), MISSING)]
    #[case::order(selecting(json!({ "DateRange": { "FromDate": 2, "ToDate": 1 } })), INVALID)]
    #[case::far(selecting(json!({ "DateRange": { "FromDate": 1, "ToDate": 1e300 } })), INVALID)]
    #[case::text_date(selecting(json!({ "DateRange": { "FromDate": "2025-01-06", "ToDate": 2 } })), WRONG)]
    #[case::tags(with("Tags", json!([{ "Key": "a", "Value": "b" }])), WRONG)]
    #[case::tag_key(with("Tags", json!({ "aws:a": "b" })), INVALID)]
    #[case::no_value(with("Tags", json!({ "a": null })), WRONG)]
    fn createlegalhold_refuses_what_its_model_does_not_allow(#[case] body: Value, #[case] kind: &str) {
        assert_eq!(accept(body).map(|hold| hold.title), Err(kind.to_owned()));
    }

    #[test]
    fn tags_of_a_new_hold_may_not_have_an_at_sign() {
        assert_eq!(accept(with("Tags", json!({ "team": "a+b-c=d._:/" }))).map(|hold| hold.tags.len()), Ok(1));
        for tags in [json!({ "a@b": "" }), json!({ "a": "me@here" })] {
            assert_eq!(accept(with("Tags", tags)).map(|hold| hold.tags), Err(INVALID.to_owned()));
        }
        let many: Tags = (0..51).map(|n| (format!("t{n}"), String::new())).collect();
        let refused = accept(with("Tags", json!(many))).map(|hold| hold.tags.len());
        assert_eq!(refused, Err("LimitExceededException".to_owned()));
    }

    #[test]
    fn dates_are_kept_to_the_millisecond() {
        let body =
            selecting(json!({ "DateRange": { "FromDate": 1_516_925_490.087, "ToDate": 1_516_925_491 } }));
        let dates = accept(body).unwrap().selection.unwrap().dates.unwrap();
        assert_eq!(
            (dates.from.as_millisecond(), dates.to.as_millisecond()),
            (1_516_925_490_087, 1_516_925_491_000)
        );
    }
}
