//! WEB: what every handler stands on: the context, who asks, bounded bodies, problem answers, and the layer around.

mod body;
mod context;
mod keys;
mod layer;
mod problem;
mod who;

pub(crate) use self::{
    body::{BodyError, body},
    who::{Actor, Id, Name, Viewer},
};
pub use self::{
    context::{Context, Inner},
    keys::{Keys, PresentedKey},
    layer::around,
    problem::Problem,
};
