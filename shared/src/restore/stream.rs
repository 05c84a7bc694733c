//! A table's stream with its resource policy: what is wanted otherwise than recorded, and what is missing.

use serde_json::Value;

use super::change::missing;
use super::overrides::{document, word};
use super::{Change, Place, Setting, TableUpdate, arns};
use crate::request::Request;
use crate::table_config::{Part, Stream, StreamView, TableConfig};

const NAME: &str = "stream";
const HINT: &str = "say \"KEYS_ONLY\", \"NEW_IMAGE\", \"OLD_IMAGE\", \"NEW_AND_OLD_IMAGES\", {\"view\": <one of these>, \"policy\"?: \
                    <the policy document, or \"none\">}, or \"none\"";

/// A stream, otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StreamOverride {
    view: StreamView,
    /// Its policy; as recorded if `None`.
    policy: Option<Setting<Value>>,
}

impl StreamOverride {
    /// Reads the override: a view, a view with a policy, or none of it.
    pub(super) fn read(request: &mut Request<'_>) -> Option<Setting<Self>> {
        if request.raw(NAME).is_some_and(Value::is_object) {
            return request.object(NAME, Self::with_policy).map(Setting::To);
        }
        Some(match word(request, NAME, HINT, is_view)? {
            Setting::Off => Setting::Off,
            Setting::To(view) => Setting::To(Self { view, policy: None }),
        })
    }

    fn with_policy(request: &mut Request<'_>) -> Option<Self> {
        let policy = document(request, "policy");
        match word(request, "view", HINT, is_view) {
            Some(Setting::To(view)) => Some(Self { view, policy }),
            Some(Setting::Off) => {
                let path = request.path("view");
                request.problem(
                    "view",
                    &path,
                    "is something that every stream has: \"none\" cannot be said of it",
                );
                None
            }
            None => {
                if request.raw("view").is_none() {
                    request.missing("view", HINT);
                }
                None
            }
        }
    }

    /// The stream that is wanted in place of the recorded one.
    pub(super) fn over(&self, recorded: Option<Stream>, place: &Place) -> Stream {
        let policy = match &self.policy {
            None => recorded.map(|stream| stream.policy).unwrap_or_default(),
            Some(Setting::Off) => Part::Off,
            Some(Setting::To(policy)) => Part::On(arns::policy(&policy.to_string(), place)),
        };
        Stream { view: self.view.clone(), policy }
    }
}

fn is_view(view: &StreamView) -> bool {
    !matches!(view, StreamView::Other(_))
}

/// The stream first, for a policy is put to a stream that is there and cannot be given to one that is being made (Amazon
/// DynamoDB Developer Guide, "Attach a resource-based policy to a DynamoDB stream").
///
/// # Errors
/// Why nobody knows whether the policy is there.
pub(super) fn changes(
    wanted: &TableConfig,
    current: &TableConfig,
    arn: Option<&str>,
) -> Result<Vec<Change>, String> {
    let Some(wanted) = &wanted.stream else { return Ok(Vec::new()) };
    let there = current.stream.as_ref().filter(|there| there.view == wanted.view);
    let Some(there) = there else {
        return Ok(vec![Change::Table(TableUpdate::Stream(wanted.view.clone()))]);
    };
    let Some(policy) = wanted.policy.on() else { return Ok(Vec::new()) };
    let arn = arn.ok_or("DescribeTable: no LatestStreamArn")?;
    let policy = Part::On(arns::stream_policy(policy, arn));
    let policy = missing(&policy, &there.policy, |wanted, current| arns::same_policy(wanted, current))?;
    let put = |policy: &String| Change::StreamPolicy { stream: arn.to_owned(), policy: policy.clone() };
    Ok(policy.map(put).into_iter().collect())
}
