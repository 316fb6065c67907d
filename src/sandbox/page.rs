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

use super::{answer::JSON_TYPE, script::Breakage, world::World};
use view::View;

/// Longest wait of a browser for news before it asks again.
const NEWS_WAIT: SignedDuration = SignedDuration::from_secs(20);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

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

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/", get(page))
        .route("/board", get(board))
        .route("/state.json", get(state))
        .route("/switch", post(switch))
        .route("/phones.css", get(css))
        .route("/phones.js", get(js))
}

#[derive(Deserialize)]
struct Since {
    /// The version that the browser shows; the answer waits for a newer one.
    after: Option<u64>,
}

async fn page(State(world): State<Arc<World>>) -> Response {
    html("phones.html", &View::of(&world))
}

/// The part of the page that changes, once it has.
async fn board(State(world): State<Arc<World>>, Query(since): Query<Since>) -> Response {
    news(&world, since).await;
    html("board.html", &View::of(&world))
}

async fn state(State(world): State<Arc<World>>, Query(since): Query<Since>) -> Response {
    news(&world, since).await;
    match serde_json::to_string(&View::of(&world)) {
        Ok(json) => framed(JSON_TYPE, json),
        Err(error) => failed(&error),
    }
}

async fn news(world: &World, since: Since) {
    let Some(after) = since.after else { return };
    let mut changes = world.changes.subscribe();
    tokio::select! {
        _ = changes.wait_for(|version| *version != after) => {}
        () = world.clock.sleep(NEWS_WAIT) => {}
        () = world.stop.cancelled() => {}
    }
}

#[derive(Deserialize)]
struct Switch {
    road: String,
    state: String,
}

async fn switch(State(world): State<Arc<World>>, headers: HeaderMap, Form(form): Form<Switch>) -> Response {
    // Another site's page could send this form as well; browsers say where a request comes from.
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let script = match form.road.as_str() {
        "fcm" => &world.fcm_script,
        "sms" => &world.sms_script,
        _ => return StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    };
    let broken = Breakage::ALL.into_iter().find(|breakage| breakage.as_str() == form.state);
    if broken.is_none() && form.state != view::WORKING {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    script.set_broken(broken);
    world.changed();
    Redirect::to("/").into_response()
}

async fn css() -> Response {
    framed("text/css; charset=utf-8", include_str!("../../templates/sandbox/phones.css").to_owned())
}

async fn js() -> Response {
    framed("text/javascript; charset=utf-8", include_str!("../../templates/sandbox/phones.js").to_owned())
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
