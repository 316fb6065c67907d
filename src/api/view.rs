//! An alert as the API shows it.

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{
    alert::{Alert, Digest, Kind, Resolution},
    web::Context,
};

pub(super) struct AlertView {
    alert: Alert,
    url: String,
}

impl AlertView {
    pub(super) fn new(context: &Context, alert: Alert) -> Self {
        Self { url: context.alert_url(alert.id), alert: context.queue.with_seen(alert) }
    }
}

impl Serialize for AlertView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { alert, url } = self;
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("id", &alert.id)?;
        fields.serialize_entry("state", &alert.state)?;
        fields.serialize_entry("severity", &alert.severity)?;
        fields.serialize_entry("title", &alert.title)?;
        fields.serialize_entry("body", &alert.body)?;
        fields.serialize_entry("integration", &alert.integration)?;
        fields.serialize_entry("dedup_key", alert.dedup_key.as_str())?;
        fields.serialize_entry("round", &alert.round)?;
        fields.serialize_entry("labels", &alert.labels)?;
        fields.serialize_entry("source_url", &alert.source_url)?;
        fields.serialize_entry("starts_at", &alert.starts_at)?;
        fields.serialize_entry("opened_at", &alert.opened_at)?;
        fields.serialize_entry("last_seen_at", &alert.last_seen_at)?;
        fields.serialize_entry("count", &alert.count)?;
        fields.serialize_entry("test", &alert.kind.is_test())?;
        fields.serialize_entry("told_once", &(alert.kind == Kind::Occurrence))?;
        fields.serialize_entry("acknowledged", &alert.conversation.acknowledged)?;
        fields.serialize_entry("resolved", &alert.resolved.as_ref().map(ResolutionView))?;
        if let Some(digest) = &alert.digest {
            fields.serialize_entry("digest", &DigestView(digest))?;
        }
        fields.serialize_entry("url", url)?;
        fields.end()
    }
}

struct ResolutionView<'a>(&'a Resolution);

impl Serialize for ResolutionView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("by", self.0.by.describe())?;
        fields.serialize_entry("at", &self.0.at)?;
        fields.serialize_entry("note", &self.0.note)?;
        fields.end()
    }
}

/// What a digest counts; nothing yet while it collects.
struct DigestView<'a>(&'a Digest);

impl Serialize for DigestView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counted = self.0.counted.clone().unwrap_or_default();
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("contact", &self.0.contact)?;
        fields.serialize_entry("due_at", &self.0.due_at)?;
        fields.serialize_entry("count", &counted.total())?;
        fields.serialize_entry("by_severity", &counted.by_severity)?;
        fields.serialize_entry("resolved", &counted.resolved)?;
        fields.serialize_entry("unreachable", &counted.unreachable)?;
        fields.serialize_entry("worst", &counted.worst)?;
        fields.end()
    }
}
