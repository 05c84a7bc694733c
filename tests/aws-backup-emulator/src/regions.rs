//! Regions that are off, as in a disaster: nobody answers there, and nothing goes on there.
//!
//! AWS Backup is off here, the other services are in the local AWS. Jobs stand still ([`crate::agenda`]) and go on when the
//! Region is back; whose start or completion window has ended by then has expired. Events wait likewise.

use crate::aws::switch;
use crate::service::Service;

/// Is this a Region's name, such as `eu-central-1`?
pub(crate) fn is_name(text: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match text.split('-').collect::<Vec<_>>()[..] {
        [area, ref places @ .., number] if !places.is_empty() => {
            area.len() == 2 && letters(area) && places.iter().all(|place| letters(place)) && digits(number)
        }
        _ => false,
    }
}

/// Switches a Region off or on, here and in the local AWS.
///
/// # Errors
/// When the local AWS does not do it, with what it said; nothing has changed then.
pub(crate) async fn switch(service: &Service, region: &str, available: bool) -> Result<(), String> {
    switch::set(&service.aws, region, available).await?;
    if available {
        service.agenda.release(region);
    } else {
        service.agenda.hold(region);
    }
    Ok(())
}

/// Switches on all Regions that are off.
///
/// # Errors
/// As [`switch`].
pub(crate) async fn switch_all_on(service: &Service) -> Result<(), String> {
    for region in service.agenda.held() {
        switch(service, &region, true).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::commercial("eu-central-1", true)]
    #[case::government("us-gov-west-1", true)]
    #[case::no_number("eu-central", false)]
    #[case::a_path("eu-central-1/..", false)]
    #[case::capitals("EU-CENTRAL-1", false)]
    #[case::other_letters("éu-central-1", false)]
    #[case::nothing("", false)]
    #[case::one_part("eu", false)]
    fn regions_have_names_such_as_eu_central_1(#[case] text: &str, #[case] good: bool) {
        assert_eq!(is_name(text), good);
    }
}
