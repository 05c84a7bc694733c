//! Which tables a session backs up: what its policy covers now, narrowed down where somebody asked for some only.

use dynachain::aws::tables::Tags;
use dynachain::catalog::StoredPolicy;
use dynachain::error::{ErrorType, Problem, Refusal};
use dynachain::id::{TableArn, TableName};
use dynachain::policy::{Document, assign, tag_keys};
use dynachain::request::TableRef;

use crate::Deps;

/// The tables of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cover {
    /// To be backed up.
    pub(crate) covered: Vec<TableArn>,
    /// In the policy's scope, but a stronger policy's; with its name.
    pub(crate) skipped: Vec<(TableArn, String)>,
    /// Named in the policy and not there.
    pub(crate) missing: Vec<TableArn>,
}

/// What the policy covers at this moment.
pub(crate) async fn resolve(deps: &Deps, policy: &Document) -> Result<Cover, Refusal> {
    let stored = deps.catalog.policies().list().await?;
    let enabled = StoredPolicy::enabled(&stored);
    let tags = Tags::Of(tag_keys(policy, &enabled));
    let tables = deps.tables.tables(&tags).await.map_err(|error| error.refusal())?;
    let assignment = assign(policy, &enabled, &tables);
    let arn = |name: &TableName| {
        TableArn::of(&deps.settings.region, &deps.settings.account, name)
            .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    };
    Ok(Cover {
        covered: assignment.covered.iter().map(arn).collect::<Result<_, _>>()?,
        skipped: assignment
            .skipped
            .iter()
            .map(|(table, by)| Ok((arn(table)?, by.to_string())))
            .collect::<Result<_, Refusal>>()?,
        missing: assignment.missing.iter().map(arn).collect::<Result<_, _>>()?,
    })
}

impl Cover {
    /// Only the tables that somebody asked for; each must be the policy's.
    ///
    /// # Errors
    /// With every table that is not: `TableNotFound` when none of those exists, otherwise `InvalidRequest`.
    pub(crate) fn only(self, wanted: &[TableRef]) -> Result<Self, Refusal> {
        let mut problems = Vec::new();
        let mut exist = false;
        let mut covered = Vec::new();
        for (i, table) in wanted.iter().enumerate() {
            if let Some(found) = self.covered.iter().find(|covered| table.names(covered)) {
                covered.push(found.clone());
                continue;
            }
            let skipped = self.skipped.iter().find(|(skipped, _)| table.names(skipped));
            let missing = self.missing.iter().any(|missing| table.names(missing));
            exist |= !missing;
            problems.push(Problem::new(
                format!("$.tables[{i}]"),
                match skipped {
                    Some((_, by)) => {
                        format!("{table} is backed up by the stronger policy {by}; run that one")
                    }
                    None if missing => format!("there is no table {table}"),
                    None => format!(
                        "{table} is no table that the policy covers; widen its scope, or leave it out"
                    ),
                },
            ));
        }
        let error_type = if exist { ErrorType::InvalidRequest } else { ErrorType::TableNotFound };
        match Refusal::of(error_type, problems) {
            Some(refusal) => Err(refusal),
            None => {
                covered.sort();
                covered.dedup();
                Ok(Self { covered, ..Self::default() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(name: &str) -> TableArn {
        format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{name}").parse().unwrap()
    }

    fn cover() -> Cover {
        Cover {
            covered: vec![arn("orders"), arn("users")],
            skipped: vec![(arn("audit"), "gold".to_owned())],
            missing: vec![arn("gone")],
        }
    }

    fn wanted(tables: &[&str]) -> Vec<TableRef> {
        tables.iter().map(|table| table.parse().unwrap()).collect()
    }

    #[test]
    fn a_session_can_be_narrowed_to_tables_of_its_policy_by_name_or_arn() {
        let narrowed = cover().only(&wanted(&["users", arn("users").as_str()])).unwrap();
        assert_eq!(narrowed, Cover { covered: vec![arn("users")], ..Cover::default() });
    }

    #[test]
    fn every_table_that_is_not_the_policys_is_named() {
        let refusal = cover().only(&wanted(&["users", "audit", "gone", "other"])).unwrap_err();
        assert_eq!(refusal.error_type(), ErrorType::InvalidRequest);
        let text = refusal.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("$.tables[1]: audit is backed up by the stronger policy gold"));
        assert!(lines[1].starts_with("$.tables[2]: there is no table gone"));
        assert!(lines[2].starts_with("$.tables[3]: other is no table that the policy covers"));
        assert_eq!(cover().only(&wanted(&["gone"])).unwrap_err().error_type(), ErrorType::TableNotFound);
    }
}
