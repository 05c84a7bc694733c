//! The price table: one file, `prices.json`, which says of when and from where its prices are.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::money::UnitPrice;
use crate::id::partition_of;

/// The table that is compiled in.
const TABLE: &str = include_str!("prices.json");

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// Recovery points in warm storage.
    WarmStorage,
    /// Recovery points in cold storage.
    ColdStorage,
    /// Copies that leave a Region.
    Transfer,
    /// KMS keys.
    KmsKeys,
    /// Calls of KMS.
    KmsRequests,
    /// Lambda invocations.
    LambdaRequests,
    /// Lambda's time on arm64.
    #[serde(rename = "lambda_compute_arm64")]
    LambdaComputeArm64,
    /// Lambda's time on x86_64.
    #[serde(rename = "lambda_compute_x86_64")]
    LambdaComputeX86,
    /// Writes to the catalog.
    CatalogWrites,
    /// Reads from the catalog.
    CatalogReads,
    /// What the catalog holds.
    CatalogStorage,
    /// The catalog's point-in-time recovery.
    CatalogRecovery,
    /// Wake-ups by EventBridge Scheduler.
    Schedules,
    /// Events of our own.
    Events,
    /// Log lines taken in.
    LogIngestion,
    /// Log lines kept.
    LogStorage,
    /// CloudWatch alarms.
    Alarms,
}

impl Item {
    /// What it is counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::WarmStorage
            | Self::ColdStorage
            | Self::CatalogStorage
            | Self::CatalogRecovery
            | Self::LogStorage => "GB-month",
            Self::Transfer | Self::LogIngestion => "GB",
            Self::KmsKeys => "key-month",
            Self::KmsRequests => "request",
            Self::LambdaRequests | Self::Schedules => "invocation",
            Self::LambdaComputeArm64 | Self::LambdaComputeX86 => "GB-second",
            Self::CatalogWrites => "write request unit",
            Self::CatalogReads => "read request unit",
            Self::Events => "event",
            Self::Alarms => "alarm-month",
        }
    }
}

/// The price table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the price table cannot be used: {0}")]
pub struct PricesError(String);

/// Prices by Region, and by pair of Regions for what leaves one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices {
    date: Date,
    everywhere: BTreeMap<Item, UnitPrice>,
    regions: BTreeMap<String, BTreeMap<Item, UnitPrice>>,
    transfer: BTreeMap<String, BTreeMap<String, UnitPrice>>,
}

impl Prices {
    /// The table that this version was built with.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn built_in() -> Result<Self, PricesError> {
        Self::read(TABLE)
    }

    /// Reads a table in the form of `prices.json`.
    ///
    /// # Errors
    /// When it is of another form, is not in US dollars, or a price is no number or has no known source.
    pub fn read(text: &str) -> Result<Self, PricesError> {
        let table: Table = serde_json::from_str(text).map_err(|error| PricesError(error.to_string()))?;
        if table.currency != "USD" {
            return Err(PricesError(format!("it is in {}, not in USD", table.currency)));
        }
        let priced = |prices: &BTreeMap<Item, Entry>| -> Result<BTreeMap<Item, UnitPrice>, PricesError> {
            prices.iter().map(|(item, entry)| Ok((*item, table.price(entry)?))).collect()
        };
        let pairs = |prices: &BTreeMap<String, Entry>| -> Result<BTreeMap<String, UnitPrice>, PricesError> {
            prices.iter().map(|(to, entry)| Ok((to.clone(), table.price(entry)?))).collect()
        };
        Ok(Self {
            date: table.date,
            everywhere: priced(&table.everywhere)?,
            regions: table
                .regions
                .iter()
                .map(|(name, prices)| Ok((name.clone(), priced(prices)?)))
                .collect::<Result<_, PricesError>>()?,
            transfer: table
                .transfer
                .iter()
                .map(|(from, prices)| Ok((from.clone(), pairs(prices)?)))
                .collect::<Result<_, PricesError>>()?,
        })
    }

    /// The day on which the table was put together.
    pub fn date(&self) -> Date {
        self.date
    }

    /// What an item costs in a Region, if that is known.
    pub fn of(&self, item: Item, region: &str) -> Option<&UnitPrice> {
        let own = self.regions.get(region).and_then(|prices| prices.get(&item));
        own.or_else(|| self.everywhere.get(&item).filter(|_| partition_of(region) == "aws"))
    }

    /// What data costs that leave one Region for another, if that is known.
    pub fn transfer(&self, from: &str, to: &str) -> Option<&UnitPrice> {
        self.transfer.get(from)?.get(to)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    date: Date,
    currency: String,
    #[serde(rename = "about")]
    _about: Vec<String>,
    sources: BTreeMap<String, Source>,
    everywhere: BTreeMap<Item, Entry>,
    regions: BTreeMap<String, BTreeMap<Item, Entry>>,
    transfer: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(rename = "page")]
    _page: String,
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "note")]
    _note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    usd: String,
    per: u64,
    source: String,
}

impl Table {
    fn price(&self, entry: &Entry) -> Result<UnitPrice, PricesError> {
        let Entry { usd, per, source } = entry;
        if !self.sources.contains_key(source) {
            return Err(PricesError(format!("{source:?} is none of its sources")));
        }
        UnitPrice::new(usd, *per).ok_or_else(|| PricesError(format!("{usd:?} for {per} is no price")))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn table() -> Value {
        serde_json::from_str(TABLE).unwrap()
    }

    #[test]
    fn the_table_is_of_its_form_and_states_its_date_and_its_sources() {
        let prices = Prices::built_in().unwrap();
        assert_eq!(prices.date().to_string(), table()["date"].as_str().unwrap());
        for (name, source) in table()["sources"].as_object().unwrap() {
            let text = |member: &str| source[member].as_str().unwrap().to_owned();
            assert!(text("page").starts_with("https://aws.amazon.com/"), "{name}");
            let as_of: Date = format!("{}-01", text("as_of")).parse().unwrap();
            assert!(as_of <= prices.date(), "{name} is later than the table");
            assert!(!text("note").is_empty(), "{name}");
            assert!(TABLE.contains(&format!("\"source\": \"{name}\"")), "{name} is the source of nothing");
        }
    }

    #[test]
    fn every_region_is_named_as_aws_names_it() {
        let prices = Prices::built_in().unwrap();
        let pairs = prices.transfer.iter().flat_map(|(from, to)| to.keys().chain([from]));
        for region in prices.regions.keys().chain(pairs) {
            let arn = format!("arn:aws:backup:{region}:111122223333:backup-vault:dynachain");
            assert!(arn.parse::<crate::id::VaultArn>().is_ok(), "{region}");
        }
    }

    #[test]
    fn a_region_has_its_own_price_or_that_of_everywhere_in_its_partition() {
        let prices = Prices::built_in().unwrap();
        assert!(prices.of(Item::WarmStorage, "us-east-1").is_some());
        assert_eq!(prices.of(Item::WarmStorage, "xx-nowhere-1"), None);
        assert_eq!(prices.of(Item::KmsKeys, "xx-nowhere-1"), prices.of(Item::KmsKeys, "us-east-1"));
        assert_eq!(prices.of(Item::KmsKeys, "cn-north-1"), None, "China is another partition");
        assert!(prices.transfer("us-east-1", "us-west-2").is_some());
        assert_eq!(prices.transfer("us-west-2", "us-east-1"), None, "directions are priced apart");
    }

    #[rstest]
    #[case::no_date("/date", json!("last year"), "")]
    #[case::another_currency("/currency", json!("EUR"), "it is in EUR, not in USD")]
    #[case::no_number("/regions/us-east-1/warm_storage/usd", json!("cheap"), "\"cheap\" for 1 is no price")]
    #[case::no_source("/everywhere/kms_keys/source", json!("hearsay"), "\"hearsay\" is none of its sources")]
    #[case::unknown_item("/regions/us-east-1", json!({"gold": {}}), "unknown variant `gold`")]
    fn a_malformed_table_is_refused(#[case] pointer: &str, #[case] value: Value, #[case] said: &str) {
        let mut table = table();
        *table.pointer_mut(pointer).unwrap() = value;
        let error = Prices::read(&table.to_string()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
