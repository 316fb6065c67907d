//! Pages for people. So far one: an alert, read-only, so that links in notifications lead somewhere.

mod words;

use std::sync::LazyLock;

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{Timestamp, tz::TimeZone};
use minijinja::{Environment, Value, context, value::Serde};

use crate::{
    alert::{AlertId, Counted},
    record::{self, AlertHistory, CountedView, FoldedView},
    web::{Context, Name, Problem},
};

/// No scripts, our own stylesheet only, and no other page may frame this one.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Most alerts that the page of a digest lists.
const COUNTED_SHOWN_MAX: usize = 200;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates
        .add_template("console/alert.html", include_str!("../../templates/console/alert.html"))
        .expect("the built-in template is well formed");
    templates
});

pub fn router(context: Context) -> Router {
    // A template that cannot be read must show at start.
    LazyLock::force(&TEMPLATES);
    Router::new()
        .route("/alerts/{id}", get(alert_page))
        .route("/assets/console.css", get(stylesheet))
        .with_state(context)
}

async fn stylesheet() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("../../templates/console/console.css")).into_response()
}

async fn alert_page(
    State(context): State<Context>,
    Name(id): Name,
    parts: Parts,
) -> Result<Response, Problem> {
    if context.keys.operator(&parts).is_none() {
        // The browser asks for it in its own dialogue.
        let needed = "log in with any name and an [[operator]] token as the password";
        return Err(Problem::unauthorized(needed));
    }
    let id: AlertId = id.parse().map_err(|_| Problem::alert_not_found("there is no alert with this id"))?;
    let store = context.store.as_ref();
    let history = record::read(store, id).await?;
    let history = history.ok_or_else(|| Problem::alert_not_found(format!("there is no alert {id}")))?;
    let counted = match &history.alert.digest {
        Some(_) => record::counted(store, id, COUNTED_SHOWN_MAX).await?,
        None => Vec::new(),
    };
    let folded = record::folded(store, &history.journal).await?;
    let (status, html) = match render(&context, history, &counted, &folded) {
        Ok(html) => (StatusCode::OK, html),
        Err(error) => {
            tracing::error!(error = %error, "could not render the page of an alert: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, "could not render this page".to_owned())
        }
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

fn render(
    context: &Context,
    history: AlertHistory,
    counted: &[CountedView],
    folded: &[FoldedView],
) -> Result<String, minijinja::Error> {
    let AlertHistory { alert, notifications, journal } = history;
    let alert = context.queue.with_seen(alert);
    let config = &context.config;
    let times = Times { zone: &config.time_zone, now: context.clock.now() };
    let rows =
        journal.iter().map(|row| context! { at => times.show(row.at), text => words::describe(&row.entry) });
    let notes = notifications.iter().map(|note| {
        let next = note.next_at.map(|at| times.show(at));
        context! { words => words::outcome(note.state), next, ..Value::from(Serde(note)) }
    });
    let digest = alert.digest.as_ref().map(|digest| {
        let count = digest.counted.as_ref().map_or(0, Counted::total);
        context! { contact => digest.contact.as_str(), count }
    });
    TEMPLATES.get_template("console/alert.html")?.render(context! {
        alert => context! {
            id => alert.id.to_string(),
            state => alert.state.as_str(),
            severity => alert.severity.as_str(),
            title => &alert.title,
            body => &alert.body,
            integration => &alert.integration,
            dedup_key => alert.dedup_key.as_str(),
            round => alert.round,
            labels => Value::from(Serde(&alert.labels)),
            source_url => &alert.source_url,
            count => alert.count,
            test => alert.kind.is_test(),
            digest,
        },
        // A digest that was told is over, what it counts need not be.
        band => if alert.digest.is_some() { "digest" } else { alert.state.as_str() },
        counted => Value::from(Serde(counted)),
        standing => words::standing(counted),
        folded => Value::from(Serde(folded)),
        severity => alert.severity.as_str().replace('_', " "),
        headline => words::headline(&alert, &|at| times.show(at)),
        notifications => notes.collect::<Vec<_>>(),
        journal => rows.collect::<Vec<_>>(),
        starts_at => times.show(alert.starts_at),
        last_seen_at => times.show(alert.last_seen_at),
        public_url => config.public_url.as_str(),
        time_zone => config.time_zone.iana_name().unwrap_or("the configured zone"),
    })
}

/// Times as people read them: the date only where it is not today.
struct Times<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Times<'_> {
    fn show(&self, at: Timestamp) -> String {
        let (at, now) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let format = if at.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        at.strftime(format).to_string()
    }
}
