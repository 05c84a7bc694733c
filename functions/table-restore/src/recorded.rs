//! What a restore that was written down knows of its table.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dynachain::catalog::RestoreRecord;
use dynachain::error::{ErrorType, Refusal};
use dynachain::point_reader::SealedConfig;
use dynachain::request::Request;
use dynachain::restore::{Known, Overrides, Plan, plan};

use crate::{Deps, prepare};

/// The recorded configuration, opened again; or why nothing is known of it.
///
/// # Errors
/// When it cannot be opened now.
pub(crate) async fn known(deps: &Deps, record: &RestoreRecord) -> Result<Known, Refusal> {
    if let Some(why) = &record.unknown {
        return Ok(Known::Nothing(why.clone()));
    }
    let config = match sealed(record) {
        Some(sealed) => deps.points.open_config(&sealed, &record.source).await,
        None => Err("the catalog does not hold it whole".to_owned()),
    };
    config.map(|config| Known::Config(Box::new(config))).map_err(|why| {
        let message = format!("the configuration of restore {} cannot be opened: {why}", record.name());
        Refusal::new(ErrorType::KeyUnavailable, message)
    })
}

fn sealed(record: &RestoreRecord) -> Option<SealedConfig> {
    let bytes = |text: &String| STANDARD.decode(text).ok();
    let keys = record.keys.iter().map(|(recipient, key)| Some((*recipient, bytes(key)?)));
    Some(SealedConfig { keys: keys.collect::<Option<_>>()?, record: bytes(record.sealed_config.as_ref()?)? })
}

/// The plan once more: it follows from what was recorded and asked for.
///
/// # Errors
/// When what was asked for cannot be read any more.
pub(crate) fn planned(record: &RestoreRecord, known: &Known) -> Result<Plan, Refusal> {
    let unreadable = |why: String| {
        let message = format!("the overrides of restore {} cannot be read: {why}", record.name());
        Refusal::new(ErrorType::Internal, message)
    };
    let overrides = match &record.overrides {
        None => Overrides::default(),
        Some(text) => {
            let given = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
            let mut request = Request::of(&given)?;
            let read = Overrides::read(&mut request);
            request.finish()?;
            read.ok_or_else(|| unreadable("they are not whole".to_owned()))?
        }
    };
    plan(known, &overrides, &prepare::place(record)).map_err(|misfits| {
        let said: Vec<_> = misfits.iter().map(|(property, why)| format!("{property}: {why}")).collect();
        unreadable(said.join("; "))
    })
}
