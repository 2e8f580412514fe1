//! Declares a part of the contract once: for the trait, and for engines that pass verbs on.

/// Defines a trait, and a macro for engines that wrap another: the macro implements the methods
/// that it is given by name and no others, so a new method is not passed on.
///
/// `pass_on::images! { inner: tag, history }` calls the same methods of `self.inner`.
/// `pass_on::files! { inner after check: diff }` calls `self.check(id)?` first, with the method's
/// first argument.
macro_rules! contract {
    (
        $(#[$doc:meta])*
        pub trait $trait:ident, passed on by $pass_on:ident($d:tt) {
            $(
                $(#[$about:meta])*
                fn $name:ident(
                    &self $(, $first:ident: $first_type:ty $(, $arg:ident: $type:ty)*)? $(,)?
                ) -> $out:ty;
            )*
        }
    ) => {
        $(#[$doc])*
        pub trait $trait: Send + Sync + std::fmt::Debug {
            $(
                $(#[$about])*
                fn $name(&self $(, $first: $first_type $(, $arg: $type)*)?) -> $out;
            )*
        }

        macro_rules! $pass_on {
            $(
                (@one $d inner:ident $name) => {
                    fn $name(&self $(, $first: $first_type $(, $arg: $type)*)?) -> $out {
                        self.$d inner.$name($($first $(, $arg)*)?)
                    }
                };
                (@one $d inner:ident after $d check:ident $name) => {
                    fn $name(&self $(, $first: $first_type $(, $arg: $type)*)?) -> $out {
                        self.$d check($($first)?)?;
                        self.$d inner.$name($($first $(, $arg)*)?)
                    }
                };
            )*
            ($d inner:ident: $d($d method:ident),* $d(,)?) => {
                $d($crate::engine::pass_on::$pass_on! { @one $d inner $d method })*
            };
            ($d inner:ident after $d check:ident: $d($d method:ident),* $d(,)?) => {
                $d($crate::engine::pass_on::$pass_on! { @one $d inner after $d check $d method })*
            };
        }
        pub(crate) use $pass_on;
    };
}

pub(super) use contract;
