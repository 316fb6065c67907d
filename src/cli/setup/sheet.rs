//! What can be printed: for each a file, and the steps to follow.

use crate::config::IntegrationKind;

/// Warnings above the steps.
pub(super) const CAUTIONS: &str = include_str!("../../../templates/setup/cautions.txt");

/// The same in Korean, for senders whose menus are.
pub(super) const CAUTIONS_KO: &str = include_str!("../../../templates/setup/cautions-ko.txt");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// A media type, to be imported.
    Zabbix,
    /// A contact point, to be provisioned.
    Grafana,
    /// `alertmanager.yml`, or parts for one.
    Alertmanager,
    /// The part of `prometheus.yml` that leaves Alertmanager out.
    Prometheus,
    /// Contact lines of `munin.conf`.
    Munin,
    /// The file with the key that those lines name.
    MuninKey,
    /// Fields of a *Webhook JSON* plug-in.
    Whatap,
    /// Fields of a plain *Webhook* plug-in, which knows no headers.
    WhatapPlain,
    /// Fields of a notification.
    UptimeKuma,
    /// A configuration file of curl.
    Generic,
}

impl Sheet {
    pub const ALL: [Self; 10] = [
        Self::Zabbix,
        Self::Grafana,
        Self::Alertmanager,
        Self::Prometheus,
        Self::Munin,
        Self::MuninKey,
        Self::Whatap,
        Self::WhatapPlain,
        Self::UptimeKuma,
        Self::Generic,
    ];

    /// The kind of integration that it posts to.
    pub fn kind(self) -> IntegrationKind {
        match self {
            Self::Zabbix => IntegrationKind::Zabbix,
            Self::Grafana => IntegrationKind::Grafana,
            Self::Alertmanager | Self::Prometheus => IntegrationKind::Alertmanager,
            Self::Munin | Self::MuninKey => IntegrationKind::Munin,
            Self::Whatap | Self::WhatapPlain => IntegrationKind::Whatap,
            Self::UptimeKuma => IntegrationKind::UptimeKuma,
            Self::Generic => IntegrationKind::Generic,
        }
    }

    /// What `kind = "…"` says in the configuration.
    pub(super) fn kind_word(self) -> &'static str {
        match self {
            Self::Zabbix => "zabbix",
            Self::Grafana => "grafana",
            Self::Alertmanager | Self::Prometheus => "alertmanager",
            Self::Munin | Self::MuninKey => "munin",
            Self::Whatap | Self::WhatapPlain => "whatap",
            Self::UptimeKuma => "uptime_kuma",
            Self::Generic => "generic",
        }
    }

    /// The template of what goes into the sender.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Zabbix => include_str!("../../../templates/setup/zabbix.yaml"),
            Self::Grafana => include_str!("../../../templates/setup/grafana.yaml"),
            Self::Alertmanager => include_str!("../../../templates/setup/alertmanager.yml"),
            Self::Prometheus => include_str!("../../../templates/setup/prometheus.yml"),
            Self::Munin => include_str!("../../../templates/setup/munin.conf"),
            Self::MuninKey => include_str!("../../../templates/setup/munin.curl"),
            Self::Whatap => include_str!("../../../templates/setup/whatap.txt"),
            Self::WhatapPlain => include_str!("../../../templates/setup/whatap-plain.txt"),
            Self::UptimeKuma => include_str!("../../../templates/setup/uptime-kuma.txt"),
            Self::Generic => include_str!("../../../templates/setup/generic.curl"),
        }
    }

    /// The template of the steps, in the words of the sender's menus.
    pub(super) fn steps(self) -> &'static str {
        match self {
            Self::Zabbix => include_str!("../../../templates/setup/zabbix-steps.txt"),
            Self::Grafana => include_str!("../../../templates/setup/grafana-steps.txt"),
            Self::Alertmanager => include_str!("../../../templates/setup/alertmanager-steps.txt"),
            Self::Prometheus => include_str!("../../../templates/setup/prometheus-steps.txt"),
            Self::Munin => include_str!("../../../templates/setup/munin-steps.txt"),
            Self::MuninKey => include_str!("../../../templates/setup/munin-key-steps.txt"),
            Self::Whatap => include_str!("../../../templates/setup/whatap-steps.txt"),
            Self::WhatapPlain => include_str!("../../../templates/setup/whatap-plain-steps.txt"),
            Self::UptimeKuma => include_str!("../../../templates/setup/uptime-kuma-steps.txt"),
            Self::Generic => include_str!("../../../templates/setup/generic-steps.txt"),
        }
    }
}
