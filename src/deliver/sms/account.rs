//! How an account at an SMS company stands: what `bongsu check --online` and the hourly look ask.

/// What can be asked about an account; one request each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Balance,
    /// Whether `from` may send.
    Sender,
    Account,
}

impl Look {
    /// In the order in which answers help.
    pub const ALL: [Self; 3] = [Self::Account, Self::Sender, Self::Balance];
}

#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    Balance(Balance),
    Good(String),
    /// It works with limits that people should know of.
    Limited(String),
    /// Texts will not go out like this.
    Bad(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    pub amount: f64,
    /// Of what: `KRW`, `USD`, …
    pub currency: String,
}

/// About 100 short texts in Korea, in won.
const LOW_WON: f64 = 2_000.0;
/// About 100 texts elsewhere, in dollars.
const LOW_OTHER: f64 = 5.0;

impl Balance {
    pub fn is_low(&self) -> bool {
        self.amount < if self.currency == "KRW" { LOW_WON } else { LOW_OTHER }
    }
}

impl std::fmt::Display for Balance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Won have no cents.
        let decimals = if self.currency == "KRW" { 0 } else { 2 };
        write!(f, "{:.decimals$} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_is_low_before_it_is_nothing() {
        for (amount, currency, low, shown) in [
            (1_999.0, "KRW", true, "1999 KRW"),
            (2_000.0, "KRW", false, "2000 KRW"),
            (4.99, "USD", true, "4.99 USD"),
            (5.0, "EUR", false, "5.00 EUR"),
            (-3.0, "USD", true, "-3.00 USD"),
        ] {
            let balance = Balance { amount, currency: currency.to_owned() };
            assert_eq!((balance.is_low(), balance.to_string()), (low, shown.to_owned()), "{shown}");
        }
    }
}
