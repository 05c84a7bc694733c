//! The digest of a plan, by which it is confirmed.

use std::collections::BTreeSet;

use crate::id::RecoveryPointArn;
use crate::metadata::Digest;

/// The SHA-256 of the points' ARNs, sorted and joined by newlines (none at the end).
///
/// Anybody can work it out: `printf %s "$(sort arns.txt)" | sha256sum` (in the C locale).
///
/// ```
/// use dynachain::id::RecoveryPointArn;
/// use dynachain::retention::plan_digest;
///
/// let point: RecoveryPointArn = "arn:aws:backup:eu-central-1:111122223333:recovery-point:a".parse()?;
/// assert_eq!(
///     plan_digest([&point]).to_string(),
///     "503aecf1a344472fcf1a127fa1b52e0f8e48c6f0b8cb7d82ab32607ac9cfcb18",
/// );
/// # Ok::<(), dynachain::id::ParseIdError>(())
/// ```
pub fn plan_digest<'a>(points: impl IntoIterator<Item = &'a RecoveryPointArn>) -> Digest {
    let sorted: BTreeSet<&str> = points.into_iter().map(RecoveryPointArn::as_str).collect();
    let lines: Vec<_> = sorted.into_iter().collect();
    Digest::of(lines.join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(id: &str) -> RecoveryPointArn {
        format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{id}").parse().unwrap()
    }

    #[test]
    fn a_digest_is_of_the_set_of_points() {
        let (a, b) = (point("a"), point("b"));
        assert_eq!(plan_digest([&a, &b]), plan_digest([&b, &a, &b]));
        assert_ne!(plan_digest([&a]), plan_digest([&a, &b]));
    }

    #[test]
    fn a_digest_is_what_anybody_works_out() {
        // printf %s "$(printf '%s\n' …:b …:a | sort)" | sha256sum
        let expected = "70d4ff4f204f9e2e3ce817a54882086102d1500b5f2292e61a757d3a93b88e60";
        assert_eq!(plan_digest([&point("b"), &point("a")]).to_string(), expected);
    }

    #[test]
    fn nothing_has_a_digest_too() {
        assert!(plan_digest([]).to_string().starts_with("e3b0c44298fc1c14"));
    }
}
