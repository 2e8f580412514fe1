//! Teaching output (plans, diagrams, resources) for functions and verbs alike. None of it needs a
//! script engine.

mod texts;
pub(super) mod trace;

pub use self::texts::{
    A_SECOND, container, diagram, docker, from_docker, image, plan, resources, sources, why,
};
