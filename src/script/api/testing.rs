//! The native functions of the module `test`.

use crate::model::{Error, Kind};
use crate::script::context::raise::raise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::test_state::Hook;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::testing as cases;
use rhai::FnPtr;
use rhai::plugin::*;

/// Tests.
#[export_module]
pub mod testing {
    /// Defines a group of tests with a name, and with functions before and after each test.
    ///
    /// ```rhai
    /// import "test" as test;
    /// test::describe("a container", || {
    ///     test::it("is created without a process", || {
    ///         test::equal(create("host", #{ cmd: "true" }).status, "created");
    ///     });
    /// });
    /// ```
    #[rhai_fn(name = "describe", volatile, return_raw)]
    pub fn describe(ctx: NativeCallContext, what: &str, tests: FnPtr) -> RhaiResultOf<()> {
        let context = ScriptContext::of(&ctx)?;
        context.tests().open(what);
        let done = tests.call_within_context::<Dynamic>(&ctx, ());
        context.tests().close();
        done.map(drop)
    }

    /// Runs a test: a function that throws if an assertion fails. The test has its own scope, so
    /// its containers are removed at its end. A failure is reported, and the next test runs.
    ///
    /// ```rhai
    /// import "test" as test;
    /// test::it("ends with its program", || test::equal(run("host", "true").wait(), 0));
    /// ```
    #[rhai_fn(name = "it", volatile, return_raw)]
    pub fn it(ctx: NativeCallContext, does: &str, test: FnPtr) -> RhaiResultOf<()> {
        cases::run(&ctx, does, &test)
    }

    /// Skips a test, and lists it as skipped.
    ///
    /// ```rhai
    /// import "test" as test;
    /// test::skip("survives a restart of the host", || ());
    /// ```
    #[rhai_fn(name = "skip", volatile, return_raw)]
    pub fn skip(ctx: NativeCallContext, does: &str, _test: FnPtr) -> RhaiResultOf<()> {
        cases::skip(&ctx, does)
    }

    /// Calls a function before each test of the group, in the scope of the test.
    ///
    /// ```rhai
    /// import "test" as test;
    /// test::describe("a store", || {
    ///     test::before_each(|| run("host", "sleep 100", #{ name: "db" }));
    ///     test::it("runs", || test::equal(container("db").status, "running"));
    /// });
    /// ```
    #[rhai_fn(name = "before_each", volatile, return_raw)]
    pub fn before_each(ctx: NativeCallContext, function: FnPtr) -> RhaiResultOf<()> {
        hook(&ctx, Hook::Before, function)
    }

    /// Calls a function after each test of the group, whether it passed or failed.
    ///
    /// ```rhai
    /// import "test" as test;
    /// test::describe("a store", || {
    ///     test::after_each(|| print("next"));
    ///     test::it("adds", || test::equal(1 + 1, 2));
    /// });
    /// ```
    #[rhai_fn(name = "after_each", volatile, return_raw)]
    pub fn after_each(ctx: NativeCallContext, function: FnPtr) -> RhaiResultOf<()> {
        hook(&ctx, Hook::After, function)
    }
}

fn hook(ctx: &NativeCallContext, hook: Hook, function: FnPtr) -> RhaiResultOf<()> {
    if ScriptContext::of(ctx)?.tests().add(hook, function) {
        return Ok(());
    }
    let message = format!("{}(): only allowed inside describe(\"...\", || ...)", ctx.fn_name());
    Err(raise(ctx, &Error::new(Kind::Invalid, message)))
}
