//! How the local AWS shall be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

/// The Region with the tables and the primary key.
pub const SOURCE_REGION: &str = "eu-central-1";
/// The Region that copies go to.
pub const TARGET_REGION: &str = "eu-west-1";
/// Another Region that copies go to.
pub const THIRD_REGION: &str = "eu-north-1";
/// The name of the stack wherever it is.
pub const STACK: &str = "dynachain";
/// The name of the vault wherever it is.
pub const VAULT: &str = "dynachain";

/// How the local AWS shall be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The emulated time at the start; `None` for the real one.
    pub now: Option<Timestamp>,
    /// Emulated seconds in a real one, from the start on: 0 for a clock that stands still.
    pub speed: f64,
    /// Stack parameters other than the template's defaults, for all stacks.
    pub parameters: BTreeMap<String, String>,
    /// The further Regions of the account that get a stack.
    pub target_regions: Vec<&'static str>,
    /// Whether [`OTHER_ACCOUNT`](crate::OTHER_ACCOUNT) gets a stack in [`TARGET_REGION`], into which the account may copy.
    pub other_account: bool,
    /// Where the functions' binaries are, by the names in [`crate::FUNCTIONS`]; `None` for where
    /// [`crate::function_binaries`] finds them.
    pub binaries: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            now: None,
            speed: 1.0,
            parameters: BTreeMap::new(),
            target_regions: vec![TARGET_REGION],
            other_account: false,
            binaries: None,
        }
    }
}
