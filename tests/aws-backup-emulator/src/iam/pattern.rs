//! Text patterns of policies: `*` for any run of characters, `?` for one, and policy variables.

use super::Context;

/// A pattern, taken apart so that a variable's value is never read as a wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(char),
    One,
    Many,
}

/// Does the text match the pattern, its variables filled in? `None` when a variable has no value.
pub(super) fn matches(pattern: &str, text: &str, context: &Context, wildcards: bool) -> Option<bool> {
    let pieces = pieces(pattern, context, wildcards)?;
    Some(glob(&pieces, &text.chars().collect::<Vec<_>>()))
}

/// As [`matches()`], letters of either case alike and without variables: how actions are compared.
pub(super) fn matches_action(pattern: &str, action: &str) -> bool {
    matches_wildcards(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// As [`matches()`], without variables.
pub(crate) fn matches_wildcards(pattern: &str, text: &str) -> bool {
    let pieces: Vec<Piece> = pattern.chars().map(|c| piece(c, true)).collect();
    glob(&pieces, &text.chars().collect::<Vec<_>>())
}

/// ARNs match part by part: a wildcard does not reach over a colon, except in the last part.
pub(super) fn matches_arn(pattern: &str, arn: &str, context: &Context) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    let (patterns, parts) = (arn_parts(pattern), arn_parts(arn));
    if patterns.len() != 6 || parts.len() != 6 {
        return matches(pattern, arn, context, true);
    }
    let mut all = true;
    for (pattern, part) in patterns.iter().zip(parts) {
        all &= matches(pattern, part, context, true)?;
    }
    Some(all)
}

/// Split at the first five colons that stand outside a variable.
fn arn_parts(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '{' if text[..at].ends_with('$') => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ':' if depth == 0 && parts.len() < 5 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn piece(c: char, wildcards: bool) -> Piece {
    match c {
        '*' if wildcards => Piece::Many,
        '?' if wildcards => Piece::One,
        c => Piece::Literal(c),
    }
}

fn pieces(pattern: &str, context: &Context, wildcards: bool) -> Option<Vec<Piece>> {
    let (mut pieces, mut rest) = (Vec::new(), pattern);
    while let Some(c) = rest.chars().next() {
        let variable = rest.strip_prefix("${").and_then(|inner| inner.split_once('}'));
        if let Some((name, after)) = variable {
            let value = match name {
                "*" | "?" | "$" => name,
                name => context.single(name)?,
            };
            pieces.extend(value.chars().map(Piece::Literal));
            rest = after;
        } else {
            pieces.push(piece(c, wildcards));
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(pieces)
}

/// Greedy matching with one way back, to the last `*`.
fn glob(pattern: &[Piece], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Piece::Many) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Piece::One) => (p, t) = (p + 1, t + 1),
            Some(Piece::Literal(c)) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (p, t) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|piece| *piece == Piece::Many)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("backup:*", "backup:StartBackupJob", true)]
    #[case("Backup:startbackupjob", "backup:StartBackupJob", true)]
    #[case("backup:List*", "backup:DescribeBackupJob", false)]
    #[case("*", "backup:DescribeBackupJob", true)]
    #[case("backup:?istTags", "backup:ListTags", true)]
    fn actions_match_whatever_their_case(#[case] pattern: &str, #[case] action: &str, #[case] matched: bool) {
        assert_eq!(matches_action(pattern, action), matched);
    }

    #[rstest]
    #[case("arn:aws:backup:*:*:recovery-point:*", "arn:aws:backup:eu-west-1:1:recovery-point:ab", true)]
    #[case("arn:aws:backup:*:recovery-point:*", "arn:aws:backup:eu-west-1:1:recovery-point:ab", false)]
    #[case(
        "arn:aws:backup:eu-west-1:${aws:PrincipalAccount}:*",
        "arn:aws:backup:eu-west-1:1:backup-vault:v",
        true
    )]
    #[case("arn:aws:dynamodb:*:1:table/o*", "arn:aws:dynamodb:eu-west-1:1:table/orders", true)]
    #[case("arn:aws:dynamodb:*:1:table/Orders", "arn:aws:dynamodb:eu-west-1:1:table/orders", false)]
    #[case("*", "arn:aws:dynamodb:eu-west-1:1:table/orders", true)]
    fn arns_match_part_by_part(#[case] pattern: &str, #[case] arn: &str, #[case] matched: bool) {
        let context = Context::default().with("aws:PrincipalAccount", "1");
        assert_eq!(matches_arn(pattern, arn, &context), Some(matched));
    }

    #[test]
    fn a_variable_without_a_value_gives_no_answer_and_its_value_is_no_wildcard() {
        let context = Context::default().with("aws:PrincipalArn", "*");
        assert_eq!(matches("${aws:userid}", "x", &context, true), None);
        assert_eq!(matches("${aws:PrincipalArn}", "x", &context, true), Some(false));
        assert_eq!(matches("${*}", "*", &context, true), Some(true));
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_and_a_star_anywhere_in_it(text in "[a-z:/*?]{0,12}", at in 0_usize..12) {
            let at = at.min(text.len());
            let starred = format!("{}*{}", &text[..at], &text[at..]);
            prop_assert_eq!(matches(&text, &text, &Context::default(), false), Some(true));
            prop_assert_eq!(matches(&starred, &text, &Context::default(), true), Some(true));
        }
    }
}
