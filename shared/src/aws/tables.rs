//! The tables of the Region: their names, and their tags in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_resourcegroupstagging::Client as Tagging;

use super::{AwsError, Rate};
use crate::id::{TableArn, TableName};
use crate::policy::Table;

/// The most that `GetResources` gives in one page (Resource Groups Tagging API Reference).
const TAGS_PAGE: i32 = 100;

/// Which tags are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags<'a> {
    /// Those with these keys; for no key no call is made.
    Of(BTreeSet<&'a str>),
    /// All.
    All,
}

impl Tags<'_> {
    fn include(&self, key: &str) -> bool {
        match self {
            Self::Of(keys) => keys.contains(key),
            Self::All => true,
        }
    }
}

/// Lists tables. Ten thousand tables are 100 calls of `ListTables`, and 100 of `GetResources` when tags are asked for: both
/// have pages of 100, and no call is made for a single table. Only the names and the tags that were asked for are kept, so
/// that memory does not depend on what else the tables carry.
#[derive(Clone, Debug)]
pub struct TableLister {
    dynamodb: DynamoDb,
    tagging: Tagging,
    names_rate: Rate,
    tags_rate: Rate,
}

impl TableLister {
    /// Lists the tables of the client's Region, with at most so many calls a second for names and for tags.
    pub fn new(config: &SdkConfig, names_rate: Rate, tags_rate: Rate) -> Self {
        Self { dynamodb: DynamoDb::new(config), tagging: Tagging::new(config), names_rate, tags_rate }
    }

    /// All tables, in name order, with these of their tags.
    ///
    /// # Errors
    /// When AWS refuses a call.
    pub async fn tables(&self, tags: &Tags<'_>) -> Result<Vec<Table>, AwsError> {
        let (names, mut tags) = if *tags == Tags::Of(BTreeSet::new()) {
            (self.names().await?, HashMap::new())
        } else {
            futures::try_join!(self.names(), self.tags(tags))?
        };
        let table = |name: TableName| Table { tags: tags.remove(&name).unwrap_or_default(), name };
        Ok(names.into_iter().map(table).collect())
    }

    /// The names of all tables, in order.
    async fn names(&self) -> Result<Vec<TableName>, AwsError> {
        const OPERATION: &str = "ListTables";
        let mut names = Vec::new();
        let mut start = None;
        loop {
            let call = self.dynamodb.list_tables().set_exclusive_start_table_name(start);
            let page = self
                .names_rate
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new(OPERATION, &error))?;
            for name in page.table_names() {
                names.push(
                    name.parse().map_err(|_| AwsError::incomplete(OPERATION, "well-formed table name"))?,
                );
            }
            start = page.last_evaluated_table_name;
            if start.is_none() {
                names.sort();
                return Ok(names);
            }
        }
    }

    /// The tags of every table that has any of these.
    async fn tags(
        &self,
        wanted: &Tags<'_>,
    ) -> Result<HashMap<TableName, BTreeMap<String, String>>, AwsError> {
        let mut tags: HashMap<TableName, BTreeMap<String, String>> = HashMap::new();
        let mut token = None;
        loop {
            let call = self
                .tagging
                .get_resources()
                .resource_type_filters("dynamodb:table")
                .resources_per_page(TAGS_PAGE)
                .set_pagination_token(token);
            let page = self
                .tags_rate
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new("GetResources", &error))?;
            for resource in page.resource_tag_mapping_list() {
                // Other resources of DynamoDB, such as streams, are no tables.
                let arn = resource.resource_arn().and_then(|arn| arn.parse::<TableArn>().ok());
                let Some(name) = arn.and_then(|arn| arn.name().parse().ok()) else { continue };
                let pairs: BTreeMap<_, _> = resource
                    .tags()
                    .iter()
                    .filter(|tag| wanted.include(tag.key()))
                    .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                    .collect();
                if !pairs.is_empty() {
                    tags.entry(name).or_default().extend(pairs);
                }
            }
            token = page.pagination_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(tags);
            }
        }
    }
}

#[cfg(test)]
mod tests;
