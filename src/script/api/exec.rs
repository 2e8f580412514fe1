//! Inside containers: exec, attach, processes, files.

use super::signature::{Command, ContainerOrName, Options};
use crate::engine::{Attach, CancelToken, CopyOptions, Transfer};
use crate::model::container::exec::AttachOutcome;
use crate::model::observe::top::Process;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::{handlers, resolve};
use crate::script::sandbox::policy;
use crate::script::values::exec_result::{CappedOutput, ExecResult as Outcome};
use crate::script::values::handle::Container as Handle;
use crate::script::{options, values};
use rhai::plugin::*;
use rhai::{Array, Dynamic, INT, ImmutableString, Map};

/// Inside containers.
#[export_module]
pub mod processes {
    /// The result of `exec`: `code`, `out`, `err`, `ok`, `truncated`.
    pub type ExecResult = Outcome;

    /// Executes a command in a running container, and waits until it exits. An exit code other than
    /// 0 is not an error.
    ///
    /// ```rhai
    /// let r = exec("web", "id -u");
    /// if r.ok { print(r.out); }
    /// ```
    #[rhai_fn(name = "exec", volatile, return_raw)]
    pub fn exec(
        ctx: NativeCallContext,
        container: ContainerOrName,
        cmd: Command,
    ) -> RhaiResultOf<ExecResult> {
        run(&ctx, &container, cmd, Map::new())
    }

    /// As `exec(container, cmd)`, with options. After `timeout` the command is killed.
    ///
    /// ```rhai
    /// let r = exec("web", ["sh", "-c", "cat; echo $A"], #{ stdin: "hello", env: #{ A: 1 } });
    /// ```
    #[rhai_fn(name = "exec", volatile, return_raw)]
    pub fn exec_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        cmd: Command,
        options: Options,
    ) -> RhaiResultOf<ExecResult> {
        run(&ctx, &container, cmd, options)
    }

    /// The exit code.
    #[rhai_fn(get = "code")]
    pub fn code(result: ExecResult) -> INT {
        result.code.into()
    }

    /// The standard output of the command.
    #[rhai_fn(get = "out")]
    pub fn out(result: ExecResult) -> ImmutableString {
        result.out.as_ref().into()
    }

    /// The standard error of the command.
    #[rhai_fn(get = "err")]
    pub fn err(result: ExecResult) -> ImmutableString {
        result.err.as_ref().into()
    }

    /// Whether the exit code is 0.
    #[rhai_fn(get = "ok")]
    pub fn ok(result: ExecResult) -> bool {
        result.code == 0
    }

    /// Whether the command wrote more than is kept: 8 MiB of each stream.
    #[rhai_fn(get = "truncated")]
    pub fn truncated(result: ExecResult) -> bool {
        result.truncated
    }

    /// Returns the standard output without its last newline.
    #[rhai_fn(name = "to_string", name = "to_debug")]
    pub fn show(result: ExecResult) -> ImmutableString {
        result.out.strip_suffix('\n').unwrap_or(&result.out).into()
    }

    /// Attaches to a running container, and forwards its output until it exits. Returns the
    /// container.
    ///
    /// ```rhai
    /// attach("web");
    /// ```
    #[rhai_fn(name = "attach", volatile, return_raw)]
    pub fn attach(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        let handle = resolve::container(&ctx, &container)?;
        super::super::containers::attach(&ctx, &handle, false, false)?;
        Ok(handle)
    }

    /// Returns the running processes of a container: an array of maps with `uid`, `user`, `pid`,
    /// `ppid`, `c`, `stime`, `tty`, `time` (in seconds) and `cmd`. Ids are the host's.
    ///
    /// ```rhai
    /// for p in top("web") { print(`${p.pid} ${p.cmd}`); }
    /// ```
    #[rhai_fn(name = "top", volatile, return_raw)]
    pub fn top(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Array> {
        let handle = resolve::container(&ctx, &container)?;
        let processes = ScriptContext::of(&ctx)?.backend().top(handle.id()).or_raise(&ctx)?;
        Ok(processes.into_iter().map(|process| Dynamic::from(map(process))).collect())
    }

    /// Copies a file or directory from the host into a container, running or not, by the rules of
    /// `docker cp`. Returns the container.
    ///
    /// ```rhai
    /// cp_to("web", "site", "/srv");
    /// ```
    #[rhai_fn(name = "cp_to", volatile, return_raw)]
    pub fn cp_to(
        ctx: NativeCallContext,
        container: ContainerOrName,
        from: &str,
        to: &str,
    ) -> RhaiResultOf<Handle> {
        let context = ScriptContext::of(&ctx)?;
        let from = context.path(from).or_raise(&ctx)?;
        transfer(&ctx, &container, Transfer::In { from: &from, path: to })
    }

    /// Copies a file or directory from a container, running or not, to the host. Returns the
    /// container.
    ///
    /// The copies belong to you, without set-id bits and file capabilities.
    ///
    /// ```rhai
    /// cp_from("web", "/etc/hosts", "hosts");
    /// ```
    #[rhai_fn(name = "cp_from", volatile, return_raw)]
    pub fn cp_from(
        ctx: NativeCallContext,
        container: ContainerOrName,
        from: &str,
        to: &str,
    ) -> RhaiResultOf<Handle> {
        let context = ScriptContext::of(&ctx)?;
        let to = context.path(to).or_raise(&ctx)?;
        transfer(&ctx, &container, Transfer::Out { path: from, to: &to })
    }

    /// Returns the text of a file in a container, up to 8 MiB.
    ///
    /// ```rhai
    /// print(read_file("web", "/etc/hostname"));
    /// ```
    #[rhai_fn(name = "read_file", volatile, return_raw)]
    pub fn read_file(
        ctx: NativeCallContext,
        container: ContainerOrName,
        path: &str,
    ) -> RhaiResultOf<String> {
        let mut content = Vec::new();
        transfer(&ctx, &container, Transfer::Read { path, content: &mut content })?;
        Ok(String::from_utf8_lossy(&content).into_owned())
    }

    /// Writes a file in a container; root owns the file. Returns the container.
    ///
    /// ```rhai
    /// write_file("web", "/etc/motd", "hello");
    /// ```
    #[rhai_fn(name = "write_file", volatile, return_raw)]
    pub fn write_file(
        ctx: NativeCallContext,
        container: ContainerOrName,
        path: &str,
        text: &str,
    ) -> RhaiResultOf<Handle> {
        transfer(&ctx, &container, Transfer::Write { path, content: text.as_bytes() })
    }

    /// Returns the port mappings of a container: an empty array, because ports cannot be published.
    ///
    /// ```rhai
    /// print(port("web").len());
    /// ```
    #[rhai_fn(name = "port", volatile, return_raw)]
    pub fn port(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Array> {
        resolve::container(&ctx, &container)?.now().or_raise(&ctx)?;
        Ok(Array::new())
    }
}

fn transfer(
    ctx: &NativeCallContext,
    container: &Dynamic,
    what: Transfer<'_>,
) -> RhaiResultOf<Handle> {
    let handle = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    let options = CopyOptions::default();
    context.backend().copy(handle.id(), what, options, &context.cancel()).or_raise(ctx)?;
    Ok(handle)
}

fn map(process: Process) -> Map {
    let mut map = Map::new();
    map.insert("uid".into(), Dynamic::from_int(process.uid.into()));
    map.insert("user".into(), process.user.into());
    map.insert("pid".into(), Dynamic::from_int(process.pid.into()));
    map.insert("ppid".into(), Dynamic::from_int(process.ppid.into()));
    map.insert("c".into(), Dynamic::from_int(process.cpu.into()));
    map.insert("stime".into(), process.started.into());
    map.insert("tty".into(), process.tty.into());
    map.insert("time".into(), Dynamic::from_int(values::int(process.time)));
    map.insert("cmd".into(), process.command.into());
    map
}

fn run(
    ctx: &NativeCallContext,
    container: &Dynamic,
    cmd: Dynamic,
    map: Map,
) -> RhaiResultOf<Outcome> {
    let context = ScriptContext::of(ctx)?;
    if context.host().sandbox.is_some() {
        policy::deny_host_env(&map).or_raise(ctx)?;
    }
    let mut wanted = options::exec(map).or_raise(ctx)?;
    wanted.cmd = values::parameter("cmd", values::command(&cmd.flatten())).or_raise(ctx)?;
    let handle = resolve::container(ctx, container)?;
    if wanted.privileged && context.host().sandbox.is_some() {
        policy::refuse("option `privileged`").or_raise(ctx)?;
    }
    let (mut out, mut err) = (CappedOutput::default(), CappedOutput::default());
    let (backend, id) = (context.backend(), handle.id());
    let run = |cancel: &CancelToken| {
        backend.exec(id, &wanted, Attach::to_output(&mut out, &mut err), cancel)
    };
    let left = handlers::wait(&context.cancel(), run).or_raise(ctx)?;
    let code = if let AttachOutcome::Exited(code) = left { code } else { 0 };
    Ok(CappedOutput::result(code, &out, &err))
}
