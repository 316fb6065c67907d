//! `bongsu check --online`, the SMS companies' part.

use std::sync::Arc;

use super::say;
use crate::deliver::{
    SmsTransport,
    sms::{Finding, Look},
};

/// Asks every SMS company how the account stands; returns what is wrong. No text is sent: that would cost money.
pub(super) async fn look_at(gateways: &[Arc<dyn SmsTransport>]) -> Vec<String> {
    let mut faults = Vec::new();
    for gateway in gateways {
        let account = account(gateway.as_ref()).await;
        account.lines.iter().for_each(|line| say(&format!("online: {line}")));
        faults.extend(account.faults);
    }
    if !gateways.is_empty() {
        say("online: no text was sent; `bongsu send --severity disaster \"TITLE\"` sends one");
    }
    faults
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
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
            Ok(Finding::Good(words)) => account.lines.push(format!("{name}: {words}")),
            Ok(Finding::Limited(words)) => account.lines.push(format!("warning: {name}: {words}")),
            Ok(Finding::Balance(balance)) if balance.is_low() => {
                account.lines.push(format!("warning: {name}: only {balance} left"));
            }
            Ok(Finding::Balance(balance)) => account.lines.push(format!("{name}: {balance} left")),
            Ok(Finding::Bad(words)) => account.faults.push(format!("{name}: {words}")),
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
        let started =
            Sandbox::start(Options::default(), SystemClock::start(), &TaskTracker::new(), stop.clone()).await;
        (started.expect("any free port"), stop.drop_guard())
    }

    fn solapi(sandbox: &Sandbox, name: &str, from: &str, secret: Option<&str>) -> String {
        let (base, sms) = (sandbox.base_url(), sandbox.sms());
        let (key, right) = sms.solapi_credentials();
        let secret = secret.unwrap_or(right);
        format!(
            "[[sms.gateway]]\nname = \"{name}\"\nprovider = \"solapi\"\nfrom = \"{from}\"\nbase_url = \"{base}\"\n\
             api_key = \"{key}\"\napi_secret = \"{secret}\"\n"
        )
    }

    fn twilio(sandbox: &Sandbox, name: &str, from: &str) -> String {
        let (base, sms) = (sandbox.base_url(), sandbox.sms());
        let (sid, token) = sms.twilio_credentials();
        format!(
            "[[sms.gateway]]\nname = \"{name}\"\nprovider = \"twilio\"\nfrom = \"{from}\"\nbase_url = \"{base}\"\n\
             account_sid = \"{sid}\"\nauth_token = \"{token}\"\n"
        )
    }

    #[tokio::test]
    async fn an_unregistered_sender_and_a_wrong_key_are_said() {
        let (sandbox, _stop) = sandbox().await;
        let unregistered = "sms gateway `unregistered`: `from` is not among the registered senders (발신번호) of this \
                            account: every text would be refused; register it with Solapi";
        let locked_out =
            "sms gateway `locked-out`: answered 403 SignatureDoesNotMatch the signature does not match";
        let registered = "sms gateway `good`: `from` is registered and may send";
        for (gateway, expected) in [
            (
                solapi(&sandbox, "good", "02-930-2266", None),
                known(&[registered, "sms gateway `good`: 10000 KRW left"], &[]),
            ),
            (
                solapi(&sandbox, "unregistered", "029302267", None),
                known(&["sms gateway `unregistered`: 10000 KRW left"], &[unregistered]),
            ),
            (solapi(&sandbox, "locked-out", "029302266", Some("wrong")), known(&[], &[locked_out])),
        ] {
            assert_eq!(accounts(&gateway).await, [expected]);
        }
        assert_eq!(sandbox.sms().counts().seen, 0, "no text was sent");
    }

    #[tokio::test]
    async fn a_number_of_somebody_else_is_said_and_a_name_is_not_looked_up() {
        let (sandbox, _stop) = sandbox().await;
        let own = "[[sms.gateway]]\nname = \"own\"\nprovider = \"kannel\"\nfrom = \"1\"\nurl = \"http://127.0.0.1:9\"\n\
                   username = \"u\"\npassword = \"p\"\n";
        let active = |name: &str| format!("sms gateway `{name}`: the account is active");
        let left = |name: &str| format!("sms gateway `{name}`: 25.00 USD left");
        for (gateway, expected) in [
            (
                twilio(&sandbox, "world", "+15005550006"),
                known(
                    &[
                        &active("world"),
                        "sms gateway `world`: `from` is a number of this account",
                        &left("world"),
                    ],
                    &[],
                ),
            ),
            (
                twilio(&sandbox, "other", "+15005550007"),
                known(
                    &[&active("other"), &left("other")],
                    &["sms gateway `other`: `from` is not a number of this account"],
                ),
            ),
            (twilio(&sandbox, "named", "BONGSU"), known(&[&active("named"), &left("named")], &[])),
            (
                own.to_owned(),
                known(&["sms gateway `own`: this provider cannot be asked how the account stands"], &[]),
            ),
        ] {
            assert_eq!(accounts(&gateway).await, [expected]);
        }
    }

    #[tokio::test]
    async fn a_company_that_cannot_be_reached_is_named_with_its_host() {
        let gateway = "[[sms.gateway]]\nname = \"away\"\nprovider = \"solapi\"\nfrom = \"029302266\"\n\
                       base_url = \"http://127.0.0.1:1\"\napi_key = \"k\"\napi_secret = \"s\"\n";
        let account = &accounts(gateway).await[0];
        assert_eq!(account.lines, [""; 0]);
        let [fault] = account.faults.as_slice() else { panic!("{account:?}") };
        assert!(fault.starts_with("sms gateway `away`: could not reach 127.0.0.1: "), "{fault}");
        assert!(fault.ends_with("; check network, firewall or proxy"), "{fault}");
    }

    #[tokio::test]
    async fn a_trial_and_a_low_balance_are_warned_of() {
        let (sandbox, _stop) = sandbox().await;
        sandbox.sms().set_twilio_trial(true);
        sandbox.sms().set_solapi_balance(1_500);
        let world = &accounts(&twilio(&sandbox, "world", "+15005550006")).await[0];
        assert!(
            world.lines[0].starts_with("warning: sms gateway `world`: this is a trial account"),
            "{world:?}"
        );
        let good = &accounts(&solapi(&sandbox, "good", "029302266", None)).await[0];
        assert_eq!(good.lines[1], "warning: sms gateway `good`: only 1500 KRW left");
    }
}
