//! stub
/// What a notification says.
#[derive(Debug)]
pub struct Notice;
/// Its state.
#[derive(Debug)]
pub struct NoticeState;
/// Renders.
#[derive(Debug)]
pub struct Renderer;
/// Fails.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct TemplateError;
