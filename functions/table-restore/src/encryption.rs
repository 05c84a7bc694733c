//! The key of the new table, looked at before anything is started.

use dynachain::aws::Fault;
use dynachain::error::{ErrorType, Refusal};

use dynachain::restore::{Encryption, Known, Property, RestoreRequest, encryption};

use crate::Deps;

/// The encryption that AWS Backup is told. A recorded key that AWS manages is told as such: AWS Backup takes no ARN of it.
pub(crate) async fn choose(
    deps: &Deps,
    request: &RestoreRequest,
    known: &Known,
) -> Result<Encryption, Refusal> {
    let path = format!("{}.overrides.encryption", request.path);
    let chosen = encryption(known.config(), &request.overrides, &deps.region);
    let chosen =
        chosen.map_err(|error| Refusal::at(ErrorType::KeyUnavailable, path.clone(), error.to_string()))?;
    let Encryption::Key(key) = chosen else { return Ok(chosen) };
    if key.region() != deps.region {
        let message = format!("{key} is of another Region than the new table, {}", deps.region);
        return Err(Refusal::at(ErrorType::InvalidRequest, path, message));
    }
    let state = deps.key_states.of(&key).await.map_err(|error| match error.fault() {
        Fault::NotFound | Fault::AccessDenied => {
            let message = format!(
                "the key {key} is not there, or not for this function: {error}; {}",
                instead(request)
            );
            Refusal::at(ErrorType::KeyUnavailable, path.clone(), message)
        }
        _ => Refusal::at(ErrorType::Internal, path.clone(), error.to_string()),
    })?;
    if !state.is_enabled() {
        let message = format!("the key {key} is {}; {}", state.state, instead(request));
        return Err(Refusal::at(ErrorType::KeyUnavailable, path, message));
    }
    Ok(if state.aws_managed { Encryption::AwsManaged } else { Encryption::Key(key) })
}

fn instead(request: &RestoreRequest) -> &'static str {
    if request.overrides.has(Property::Encryption) {
        "say another key"
    } else {
        "make it usable, or say another with \"overrides\": {\"encryption\": …}"
    }
}
