//! Writes the JSON Schema of the policy document to standard output: the content of `docs/policy.schema.json`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let schema = serde_json::to_string_pretty(&dynachain::policy::json_schema())?;
    writeln!(std::io::stdout(), "{schema}")
}
