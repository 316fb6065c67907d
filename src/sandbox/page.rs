//! The page with the phones, and the two switches.

mod view;

use std::sync::{Arc, LazyLock};

use axum::{
    Form, Router,
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jiff::SignedDuration;
use minijinja::Environment;
use serde::Deserialize;
use tracing::error;

use super::{Phone, answer::JSON_TYPE, google::Fcm, script::Breakage, sms::Sms, stage::Ground};
use view::View;

const NEWS_WAIT: SignedDuration = SignedDuration::from_secs(20);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const CSS: &str = include_str!("../../templates/sandbox/phones.css");
const JS: &str = include_str!("../../templates/sandbox/phones.js");

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    for (name, text) in [
        ("phones.html", include_str!("../../templates/sandbox/phones.html")),
        ("board.html", include_str!("../../templates/sandbox/board.html")),
    ] {
        pages.add_template(name, text).expect("the template is part of the program and a test renders it");
    }
    pages
});

pub(super) struct Page {
    pub(super) ground: Arc<Ground>,
    pub(super) fcm: Arc<Fcm>,
    pub(super) sms: Arc<Sms>,
    pub(super) phones: Vec<Phone>,
    pub(super) hint: String,
}

impl Page {
    pub(super) fn routes(self) -> Router {
        Router::new()
            .route("/", get(whole))
            .route("/board", get(board))
            .route("/state.json", get(state))
            .route("/switch", post(switch))
            .route("/phones.css", get(async || framed("text/css; charset=utf-8", CSS.to_owned())))
            .route("/phones.js", get(async || framed("text/javascript; charset=utf-8", JS.to_owned())))
            .with_state(Arc::new(self))
    }
}

#[derive(Deserialize)]
struct Since {
    /// The version that the browser shows; the answer waits for a newer one.
    after: Option<u64>,
}

async fn whole(State(page): State<Arc<Page>>) -> Response {
    html("phones.html", &View::of(&page))
}

/// The part of the page that changes, once it has.
async fn board(State(page): State<Arc<Page>>, Query(since): Query<Since>) -> Response {
    news(&page, since).await;
    html("board.html", &View::of(&page))
}

async fn state(State(page): State<Arc<Page>>, Query(since): Query<Since>) -> Response {
    news(&page, since).await;
    match serde_json::to_string(&View::of(&page)) {
        Ok(json) => framed(JSON_TYPE, json),
        Err(error) => failed(&error),
    }
}

async fn news(page: &Page, since: Since) {
    let Some(after) = since.after else { return };
    let mut changes = page.ground.changes();
    tokio::select! {
        _ = changes.wait_for(|version| *version != after) => {}
        () = page.ground.clock.sleep(NEWS_WAIT) => {}
        () = page.ground.stop.cancelled() => {}
    }
}

#[derive(Deserialize)]
struct Switch {
    road: String,
    state: String,
}

async fn switch(State(page): State<Arc<Page>>, headers: HeaderMap, Form(form): Form<Switch>) -> Response {
    // Another site's page could send this form as well; browsers say where a request comes from.
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let broken = Breakage::ALL.into_iter().find(|breakage| breakage.as_str() == form.state);
    if broken.is_none() && form.state != view::WORKING {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    match form.road.as_str() {
        "fcm" => page.fcm.set_broken(broken),
        "sms" => page.sms.set_broken(broken),
        _ => return StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
    Redirect::to("/").into_response()
}

fn html(template: &str, view: &View) -> Response {
    match PAGES.get_template(template).and_then(|template| template.render(minijinja::value::Serde(view))) {
        Ok(html) => framed("text/html; charset=utf-8", html),
        Err(error) => failed(&error),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Response {
    error!(error, "could not show the sandbox's page");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn framed(content_type: &'static str, body: String) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}
