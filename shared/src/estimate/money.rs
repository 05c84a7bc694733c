//! Quantities, prices and amounts as exact decimals: what is added up is never a floating-point number.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Quantities and amounts count in millionths.
const MILLION: u128 = 1_000_000;
/// Prices count in millionths of millionths of a dollar: the price of a gigabyte-second has ten decimals.
const PRICE_DECIMALS: usize = 12;

/// How much of something is used, in millionths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(u128);

impl Quantity {
    /// A quotient, rounded to a millionth; nothing when the denominator is.
    pub fn ratio(numerator: u128, denominator: u128) -> Self {
        Self(divide(numerator.saturating_mul(MILLION), denominator))
    }

    /// A whole number.
    pub fn whole(number: u128) -> Self {
        Self::ratio(number, 1)
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// With at most three decimals.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = divide(self.0, 1000);
        if thousandths == 0 && self.0 > 0 {
            return f.write_str("less than 0.001");
        }
        let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An amount of money, in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(u128);

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.fold(0, |sum, amount| sum.saturating_add(amount.0)))
    }
}

/// In cents, for more would be pretence.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = divide(self.0, MILLION / 100);
        match (self.0, cents) {
            (1.., 0) => f.write_str("less than 0.01"),
            _ => write!(f, "{}.{:02}", cents / 100, cents % 100),
        }
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a number of units costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitPrice {
    /// In US dollars, as the price table has it.
    #[serde(rename = "usd")]
    text: String,
    /// For so many units.
    per: u64,
    #[serde(skip)]
    usd: u128,
}

impl UnitPrice {
    /// The price `usd`, such as `0.03`, for so many units; `None` when that is no such number, or the units are none.
    pub fn new(usd: &str, per: u64) -> Option<Self> {
        let (whole, decimals) = usd.split_once('.').unwrap_or((usd, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || decimals.len() > PRICE_DECIMALS
            || !digits(whole)
            || !digits(decimals)
            || per == 0
        {
            return None;
        }
        let padded = format!("{whole}{decimals:0<PRICE_DECIMALS$}");
        Some(Self { text: usd.to_owned(), per, usd: u128::from_str(&padded).ok()? })
    }

    /// What a quantity costs, rounded to a millionth of a dollar.
    pub fn of(&self, quantity: Quantity) -> Usd {
        let scale = 10_u128.pow(12).saturating_mul(u128::from(self.per));
        Usd(divide(quantity.0.saturating_mul(self.usd), scale))
    }
}

/// Rounded half up; nothing by nothing is nothing.
fn divide(numerator: u128, denominator: u128) -> u128 {
    numerator.saturating_add(denominator / 2).checked_div(denominator).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing(0, 1, "0")]
    #[case::a_whole_number(12, 1, "12")]
    #[case::a_fraction(1, 3, "0.333")]
    #[case::rounded_up(2, 3, "0.667")]
    #[case::trailing_zeros(5, 2, "2.5")]
    #[case::tiny(1, 100_000, "less than 0.001")]
    #[case::tens_stay(1000, 1, "1000")]
    #[case::of_nothing(1, 0, "0")]
    fn a_quantity_is_written_with_three_decimals(
        #[case] numerator: u128,
        #[case] denominator: u128,
        #[case] text: &str,
    ) {
        assert_eq!(Quantity::ratio(numerator, denominator).to_string(), text);
    }

    #[rstest]
    #[case::nothing("0.10", 1, 0, "0.00")]
    #[case::a_tenth("0.10", 1, 123, "12.30")]
    #[case::half_a_cent_rounds_up("0.005", 1, 1, "0.01")]
    #[case::less_than_a_cent("0.03", 10_000, 1000, "less than 0.01")]
    #[case::per_ten_thousand("0.03", 10_000, 1_000_000, "3.00")]
    #[case::ten_decimals("0.0000133334", 1, 1_000_000, "13.33")]
    #[case::whole_dollars("1", 1, 2, "2.00")]
    fn an_amount_is_written_in_cents(
        #[case] price: &str,
        #[case] per: u64,
        #[case] quantity: u128,
        #[case] text: &str,
    ) {
        let price = UnitPrice::new(price, per).unwrap();
        assert_eq!(price.of(Quantity::whole(quantity)).to_string(), text);
    }

    #[rstest]
    #[case::empty("", 1)]
    #[case::negative("-1", 1)]
    #[case::an_exponent("1e-3", 1)]
    #[case::no_whole_part(".5", 1)]
    #[case::two_points("1.2.3", 1)]
    #[case::too_fine("0.0000000000001", 1)]
    #[case::for_nothing("1", 0)]
    fn what_is_no_price_is_refused(#[case] usd: &str, #[case] per: u64) {
        assert_eq!(UnitPrice::new(usd, per), None);
    }

    proptest! {
        #[test]
        fn more_never_costs_less(a in 0_u128..1 << 60, b in 0_u128..1 << 60, by in 1_u128..1 << 40) {
            let price = UnitPrice::new("0.0000133334", 3).unwrap();
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(price.of(Quantity::ratio(less, by)) <= price.of(Quantity::ratio(more, by)));
        }
    }
}
