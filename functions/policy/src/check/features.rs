//! AWS Backup's advanced features for DynamoDB.

use super::finding::Finding;
use crate::Deps;

const CHECK: &str = "advanced_features";

pub(super) async fn check(deps: &Deps) -> Vec<Finding> {
    let region = &deps.home.region;
    vec![match deps.features.advanced_features_on().await {
        Ok(on) => judge(region, on, deps.stack.manages_backup_settings),
        Err(error) => Finding::untold(region, CHECK, &error),
    }]
}

fn judge(region: &str, on: bool, managed: bool) -> Finding {
    if on {
        return Finding::holds(region, CHECK, "AWS Backup's advanced features for DynamoDB are on");
    }
    let off = "AWS Backup's advanced features for DynamoDB are off";
    if managed {
        return Finding::holds(region, CHECK, format!("{off}; the next session turns them on"));
    }
    let message = format!(
        "{off}, and without them backups carry no tags and cannot be copied; turn them on, or set the stack parameter \
         ManageBackupSettings to true"
    );
    Finding::fails(region, CHECK, message).run(format!(
        "aws backup update-region-settings --resource-type-opt-in-preference DynamoDB=true \
         --resource-type-management-preference DynamoDB=true --region {region}"
    ))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::on(true, false, Some(true))]
    #[case::turned_on_by_itself(false, true, Some(true))]
    #[case::off(false, false, Some(false))]
    fn features_must_be_on_or_managed(#[case] on: bool, #[case] managed: bool, #[case] ok: Option<bool>) {
        let finding = judge("eu-central-1", on, managed);
        assert_eq!((finding.ok, finding.remedy.is_some()), (ok, ok == Some(false)));
    }
}
