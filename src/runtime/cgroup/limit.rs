//! One limit of a container: the files of its controller, in v1 and in v2.

/// One limit.
#[derive(Debug)]
pub(super) struct Limit {
    /// Its name in messages.
    pub(super) name: &'static str,
    /// The controller in v1, and in v2.
    pub(super) controller: (&'static str, &'static str),
    /// The writes, in order; of each the first file that exists.
    pub(super) v1: Vec<Choices>,
    pub(super) v2: Vec<Choices>,
    /// Whether the user configured it: a default is skipped if it is not available.
    pub(super) requested: bool,
}

/// Files, each with the value for it.
pub(super) type Choices = Vec<(&'static str, String)>;

/// The limits to write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitScope {
    /// Those that are set: a new cgroup has the defaults.
    Configured,
    /// Also those that are unset, at their defaults: the container runs.
    All,
}

impl LimitScope {
    /// Returns the default of an unset limit, if all limits are written.
    pub(super) fn default<T>(self, value: T) -> Option<T> {
        (self == LimitScope::All).then_some(value)
    }
}
