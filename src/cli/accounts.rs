//! `bongsu check --online`, the SMS companies' part.

use std::sync::Arc;

use super::{Failure, say};
use crate::deliver::{
    SmsTransport,
    sms::{Look, Seen},
};

/// Asks every SMS company how the account stands. No text is sent: that would cost money.
pub(super) async fn look_at(gateways: &[Arc<dyn SmsTransport>]) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for gateway in gateways {
        let account = account(gateway.as_ref()).await;
        account.lines.iter().for_each(|line| say(&format!("online: {line}")));
        faults.extend(account.faults);
    }
    if !gateways.is_empty() {
        say("online: no text was sent; `bongsu send --severity disaster \"TITLE\"` sends one");
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// What is known of an account.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    /// In order, or worth knowing.
    lines: Vec<String>,
    /// Texts will not go out like this.
    faults: Vec<String>,
}

async fn account(gateway: &dyn SmsTransport) -> Account {
    let mut account = Account::default();
    let name = format!("sms gateway `{}`", gateway.name());
    let mut asked = false;
    for at in Look::ALL {
        let Some(seen) = gateway.look(at).await else { continue };
        asked = true;
        match seen {
            Ok(Seen::Good(words)) => account.lines.push(format!("{name}: {words}")),
            Ok(Seen::Limited(words)) => account.lines.push(format!("warning: {name}: {words}")),
            Ok(Seen::Balance(balance)) if balance.is_low() => {
                account.lines.push(format!("warning: {name}: only {balance} left"));
            }
            Ok(Seen::Balance(balance)) => account.lines.push(format!("{name}: {balance} left")),
            Ok(Seen::Bad(words)) => account.faults.push(format!("{name}: {words}")),
            Err(words) => {
                account.faults.push(format!("{name}: {words}"));
                // A wrong key gets the same answer to every question.
                return account;
            }
        }
    }
    if !asked {
        account.lines.push(format!("{name}: this provider cannot be asked how the account stands"));
    }
    account
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio_util::{
        sync::{CancellationToken, DropGuard},
        task::TaskTracker,
    };

    use super::*;
    use crate::{
        clock::SystemClock,
        config,
        deliver::sms,
        sandbox::{Options, Sandbox},
    };

    /// How the accounts of these gateways stand at the sandbox's companies.
    async fn accounts(gateways: &str) -> Vec<Account> {
        let text = format!("{gateways}\n[[contact]]\nname = \"jin\"\nphone = \"+821012345678\"\n");
        let config = config::parse(&text, Path::new("bongsu.toml"), &|_| None).expect("a good configuration");
        let gateways = sms::gateways(&config.sms, SystemClock::start()).expect("usable gateways");
        let mut accounts = Vec::new();
        for gateway in &gateways {
            accounts.push(account(gateway.as_ref()).await);
        }
        accounts
    }

    fn known(lines: &[&str], faults: &[&str]) -> Account {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Account { lines: owned(lines), faults: owned(faults) }
    }

    async fn sandbox() -> (Sandbox, DropGuard) {
        let stop = CancellationToken::new();
        let started = Sandbox::start(Options::default(), SystemClock::start(), &TaskTracker::new(), stop.clone()).await;
        (started.expect("any free port"), stop.drop_guard())
    }

    #[tokio::test]
    async fn what_is_wrong_with_an_account_is_said() {
        let (sandbox, _stop) = sandbox().await;
        let (base, sms) = (sandbox.base_url(), sandbox.sms());
        let ((key, secret), (sid, token)) = (sms.solapi_credentials(), sms.twilio_credentials());
        let solapi = |name: &str, from: &str, secret: &str| {
            format!(
                "[[sms.gateway]]\nname = \"{name}\"\nprovider = \"solapi\"\nfrom = \"{from}\"\nbase_url = \"{base}\"\n\
                 api_key = \"{key}\"\napi_secret = \"{secret}\"\n"
            )
        };
        let twilio = |name: &str, from: &str| {
            format!(
                "[[sms.gateway]]\nname = \"{name}\"\nprovider = \"twilio\"\nfrom = \"{from}\"\nbase_url = \"{base}\"\n\
                 account_sid = \"{sid}\"\nauth_token = \"{token}\"\n"
            )
        };
        let gateways = [
            solapi("good", "02-930-2266", secret),
            solapi("unregistered", "029302267", secret),
            solapi("locked-out", "029302266", "wrong"),
            twilio("world", "+15005550006"),
            twilio("not-ours", "+15005550007"),
            twilio("named", "BONGSU"),
            format!(
                "[[sms.gateway]]\nname = \"own\"\nprovider = \"kannel\"\nfrom = \"1\"\nurl = \"{base}\"\n\
                 username = \"u\"\npassword = \"p\"\n"
            ),
        ];
        let registered = "sms gateway `good`: `from` is registered and may send";
        assert_eq!(
            accounts(&gateways.concat()).await,
            [
                known(&[registered, "sms gateway `good`: 10000 KRW left"], &[]),
                known(
                    &["sms gateway `unregistered`: 10000 KRW left"],
                    &["sms gateway `unregistered`: `from` is not among the registered senders (발신번호) of this \
                       account: every text would be refused; register it with Solapi"]
                ),
                known(
                    &[],
                    &["sms gateway `locked-out`: answered 403 SignatureDoesNotMatch the signature does not match"]
                ),
                known(
                    &[
                        "sms gateway `world`: the account is active",
                        "sms gateway `world`: `from` is a number of this account",
                        "sms gateway `world`: 25.00 USD left",
                    ],
                    &[]
                ),
                known(
                    &["sms gateway `not-ours`: the account is active", "sms gateway `not-ours`: 25.00 USD left"],
                    &["sms gateway `not-ours`: `from` is not a number of this account"]
                ),
                known(&["sms gateway `named`: the account is active", "sms gateway `named`: 25.00 USD left"], &[]),
                known(&["sms gateway `own`: this provider cannot be asked how the account stands"], &[]),
            ]
        );
        assert_eq!(sms.counts().seen, 0, "no text was sent");

        sms.set_twilio_trial(true);
        sms.set_solapi_balance(1_500);
        let [world, good] = &accounts(&[&*gateways[3], &*gateways[0]].concat()).await[..] else {
            panic!("two gateways");
        };
        assert!(world.lines[0].starts_with("warning: sms gateway `world`: this is a trial account"), "{world:?}");
        assert_eq!(good.lines[1], "warning: sms gateway `good`: only 1500 KRW left");
    }
}
