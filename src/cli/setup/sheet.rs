//! What can be printed: for each a file, and the steps to follow, in the words of the sender's menus.

use crate::config::IntegrationKind;

/// Warnings above the steps, in English and in Korean as the menus of the sender are.
pub(super) const CAUTIONS: &str = include_str!("../../../templates/setup/cautions.txt");
pub(super) const CAUTIONS_KO: &str = include_str!("../../../templates/setup/cautions-ko.txt");

/// One row for each sheet: the kind of integration that it posts to, the template of what goes into the sender, and
/// that of the steps.
macro_rules! sheets {
    ($($(#[$doc:meta])* $sheet:ident: $kind:ident, $file:literal, $steps:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sheet {
            $($(#[$doc])* $sheet,)+
        }

        impl Sheet {
            pub const ALL: [Self; 10] = [$(Self::$sheet),+];

            pub fn kind(self) -> IntegrationKind {
                match self {
                    $(Self::$sheet => IntegrationKind::$kind,)+
                }
            }

            pub(super) fn file(self) -> &'static str {
                match self {
                    $(Self::$sheet => include_str!(concat!("../../../templates/setup/", $file)),)+
                }
            }

            pub(super) fn steps(self) -> &'static str {
                match self {
                    $(Self::$sheet => include_str!(concat!("../../../templates/setup/", $steps)),)+
                }
            }
        }
    };
}

sheets! {
    /// A media type, to be imported.
    Zabbix: Zabbix, "zabbix.yaml", "zabbix-steps.txt";
    /// A contact point, to be provisioned.
    Grafana: Grafana, "grafana.yaml", "grafana-steps.txt";
    /// `alertmanager.yml`, or parts for one.
    Alertmanager: Alertmanager, "alertmanager.yml", "alertmanager-steps.txt";
    /// The part of `prometheus.yml` that leaves Alertmanager out.
    Prometheus: Alertmanager, "prometheus.yml", "prometheus-steps.txt";
    /// Contact lines of `munin.conf`.
    Munin: Munin, "munin.conf", "munin-steps.txt";
    /// The file with the key that those lines name.
    MuninKey: Munin, "munin.curl", "munin-key-steps.txt";
    /// Fields of a *Webhook JSON* plug-in.
    Whatap: Whatap, "whatap.txt", "whatap-steps.txt";
    /// Fields of a plain *Webhook* plug-in, which knows no headers.
    WhatapPlain: Whatap, "whatap-plain.txt", "whatap-plain-steps.txt";
    /// Fields of a notification.
    UptimeKuma: UptimeKuma, "uptime-kuma.txt", "uptime-kuma-steps.txt";
    /// A configuration file of curl.
    Generic: Generic, "generic.curl", "generic-steps.txt";
}

impl Sheet {
    /// What `kind = "…"` says in the configuration.
    pub(super) fn kind_word(self) -> &'static str {
        let found = IntegrationKind::ALL.iter().find(|(_, kind)| *kind == self.kind());
        found.map_or("generic", |(word, _)| *word)
    }
}
