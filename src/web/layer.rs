//! The layer around every route, pages included.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tracing::debug;

use super::{Context, Problem};

/// Most characters of a path in an error answer.
const PATH_CHARS_MAX: usize = 200;

/// An unknown path or a wrong method is a problem document, nothing is sniffed or cached, and each answer is a log
/// line at `debug`, without the query: a key may be in it.
pub fn around(context: Context, routes: Router) -> Router {
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(context, headers_and_log))
}

async fn headers_and_log(State(context): State<Context>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let began = context.clock.now();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let took = context.clock.now().duration_since(began).as_millis();
    let status = response.status().as_u16();
    debug!(http.status = status, took_ms = took, "{method} {path} answered {status} in {took} ms");
    response
}

async fn not_found(method: Method, request: Request) -> Response {
    Problem::not_found(format!("there is no {method} {}", path(&request))).into_response()
}

async fn method_not_allowed(method: Method, request: Request) -> Response {
    let detail = format!("{} does not take {method}", path(&request));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response()
}

fn path(request: &Request) -> String {
    request.uri().path().chars().take(PATH_CHARS_MAX).collect()
}
