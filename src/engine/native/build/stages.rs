//! Builds a Dockerfile: its stages in order, each instruction a step.

use std::collections::BTreeSet;

use super::bases::copied_stage;
use super::flags::{check_run_flags, value};
use super::params::BuildParams;
use super::run_mounts;
use super::scope::{StageState, environment};
use super::state::{BuildState, Stage, Stages};
use crate::engine::backend::Images as _;
use crate::engine::dockerfile;
use crate::engine::dockerfile::instructions;
use crate::engine::dockerfile::words::Expander;
use crate::engine::dockerfile::{Dockerfile, Instruction, Line};
use crate::model::error::{Context, credentials};
use crate::model::image::Image;
use crate::model::image::build::{BuildStep, RunStep};
use crate::model::value::visible::one_line;
use crate::model::{Error, Kind, Result};

impl<'a> BuildState<'a> {
    /// Builds the target stage and tags its image.
    pub(in crate::engine::native) fn run(&mut self, file: &Dockerfile) -> Result<Image> {
        self.escape = file.escape;
        let first =
            file.lines.iter().position(|line| matches!(line.what, Instruction::From { .. }));
        let first = first.unwrap_or(file.lines.len());
        for line in &file.lines[..first] {
            let Instruction::Arg(list) = &line.what else {
                return Err(self.at(
                    line,
                    Error::new(
                        Kind::Invalid,
                        "no build stage in current context: the first instruction is FROM or ARG",
                    ),
                ));
            };
            for (name, default) in list {
                let known = std::mem::take(&mut self.global);
                let value = self.argument(name, default.as_deref(), &|name| known.get(name));
                self.global = known;
                let value = value.map_err(|error| self.at(line, error))?;
                let value = value.or_else(|| self.global.get(name)).unwrap_or_default();
                self.global.set(name, value);
            }
        }
        let stages = Stages::new(stages(&file.lines[first..]));
        let target = self.target(&stages)?;
        let needed = self.needed(&stages, target)?;
        self.stage_images = stages.list.iter().map(|_| None).collect();
        self.steps = needed.iter().map(|number| 1 + stages.list[*number].lines.len()).sum();
        for number in needed {
            let image = self.stage(&stages, number)?;
            self.stage_images[number] = Some(image);
        }
        let image = self.stage_images[target].clone().flatten().ok_or_else(|| {
            Error::new(
                Kind::Invalid,
                "no image was generated: the last stage adds nothing to scratch",
            )
        })?;
        self.warn_of_unused()?;
        self.finish(image)
    }

    fn finish(&mut self, image: Image) -> Result<Image> {
        let mut image = image;
        if !self.options.labels.is_empty() {
            let step = BuildStep::Label(self.options.labels.clone());
            let how = self.params();
            image = self.engine.do_step(Some(&image), &step, how, self.out, self.cancel)?.image;
        }
        self.print(format_args!("Successfully built {}", image.id.short()))?;
        if self.options.unlisted {
            return Ok(image);
        }
        if self.options.tags.is_empty() && image.intermediate {
            image = self.engine.store()?.note_result(&image)?;
        }
        for tag in &self.options.tags {
            image = self.engine.tag(image.id.as_str(), tag)?;
            let line = format!("Successfully tagged {}", tag.familiar());
            self.print(format_args!("{line}"))?;
        }
        Ok(image)
    }

    fn params(&self) -> BuildParams<'a> {
        BuildParams {
            no_cache: self.options.no_cache,
            output_visible: self.options.output_visible,
            run: Some(&self.options.run),
            secrets: &self.options.secrets,
            hold: Some(self.hold),
        }
    }

    fn print(&mut self, line: std::fmt::Arguments<'_>) -> Result<()> {
        writeln!(self.out, "{line}")
            .and_then(|()| self.out.flush())
            .context(|| "write the progress of the build".to_owned())
    }

    fn target(&self, stages: &Stages<'_>) -> Result<usize> {
        let last = stages.list.len().checked_sub(1).ok_or_else(|| {
            Error::new(Kind::Invalid, format!("`{}` has no build stage", self.file))
                .hint("start one with FROM IMAGE")
        })?;
        let Some(target) = &self.options.target else { return Ok(last) };
        let found = stages.find(stages.list.len(), target);
        found.ok_or_else(|| {
            let names: Vec<&str> = stages.list.iter().filter_map(|stage| stage.name).collect();
            Error::new(Kind::NotFound, format!("target stage `{target}` could not be found"))
                .hint(format!("choose one of the named stages: {}", names.join(", ")))
        })
    }

    /// Returns the stages that the target depends on, in order.
    fn needed(&self, stages: &Stages<'_>, target: usize) -> Result<BTreeSet<usize>> {
        let mut needed = BTreeSet::new();
        let mut todo = vec![target];
        while let Some(number) = todo.pop() {
            if !needed.insert(number) {
                continue;
            }
            let stage = &stages.list[number];
            todo.extend(stages.find(number, &self.base_name(stage)?));
            for line in stage.lines {
                let named: Vec<String> = match &line.what {
                    Instruction::Copy { flags, .. } => {
                        value(flags, "from").map(str::to_owned).into_iter().collect()
                    }
                    Instruction::Run { flags, .. } => run_mounts::named(flags).collect(),
                    _ => Vec::new(),
                };
                for from in named {
                    let stage = copied_stage(stages, number, &from);
                    todo.extend(stage.map_err(|error| self.at(line, error))?);
                }
            }
        }
        Ok(needed)
    }

    fn stage(&mut self, stages: &Stages<'_>, number: usize) -> Result<Option<Image>> {
        let stage = &stages.list[number];
        self.announce(stage.from)?;
        let base = self.base(stages, number).map_err(|error| self.at(stage.from, error))?;
        if let Some(image) = &base {
            let id = image.id.short().to_owned();
            self.print(format_args!(" ---> {id}"))?;
        }
        let mut progress = StageState { image: base, ..StageState::default() };
        self.triggers(stages, number, &mut progress).map_err(|error| self.at(stage.from, error))?;
        for line in stage.lines {
            self.cancel.check()?;
            self.announce(line)?;
            self.instruction(stages, number, &line.what, &mut progress)
                .map_err(|error| self.at(line, error))?;
        }
        Ok(progress.image)
    }

    fn announce(&mut self, line: &Line) -> Result<()> {
        self.step += 1;
        let (step, steps) = (self.step, self.steps);
        let text = one_line(&credentials::mask(&line.text));
        self.print(format_args!("Step {step}/{steps} : {text}"))
    }

    /// Runs the `ONBUILD` triggers of the base image.
    fn triggers(
        &mut self,
        stages: &Stages<'_>,
        number: usize,
        progress: &mut StageState,
    ) -> Result<()> {
        let image = progress.image.as_ref();
        let lines = image.and_then(|image| image.document.pointer("/config/OnBuild"));
        let lines: Vec<String> = lines
            .and_then(serde_json::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|line| line.as_str().map(str::to_owned))
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        self.print(format_args!("# Executing {} build triggers", lines.len()))?;
        self.apply(&BuildStep::ForgetOnBuild, progress)?;
        for text in lines {
            let line = dockerfile::parse_one(&text)?;
            if matches!(line.what, Instruction::From { .. } | Instruction::OnBuild(_)) {
                return Err(Error::new(
                    Kind::Invalid,
                    format!("`{text}` is not allowed as a trigger"),
                ));
            }
            self.instruction(stages, number, &line.what, progress)
                .context(|| format!("ONBUILD {text}"))?;
        }
        Ok(())
    }

    fn instruction(
        &mut self,
        stages: &Stages<'_>,
        number: usize,
        what: &Instruction,
        progress: &mut StageState,
    ) -> Result<()> {
        let step = match what {
            Instruction::Arg(list) => return self.declare(list, progress),
            Instruction::Run { flags, command } => {
                let without_network = check_run_flags(flags)?;
                let (mounts, secrets) = self.run_mounts(stages, number, flags, progress)?;
                let (arguments, mut hidden) = self.visible_arguments(progress);
                hidden.extend(secrets);
                BuildStep::Run(RunStep {
                    command: command.clone(),
                    arguments,
                    hidden,
                    without_network,
                    mounts,
                })
            }
            Instruction::Copy { verb, flags, items, to } => {
                BuildStep::Copy(self.copy(stages, number, (verb, flags, items, to), progress)?)
            }
            other => {
                let environment = environment(progress);
                let lookup = |name: &str| environment.get(name).cloned();
                let expander = Expander { escape: self.escape, lookup: &lookup };
                instructions::step(other, &expander, progress.has_cmd)?
            }
        };
        progress.has_cmd |= matches!(step, BuildStep::Cmd(_));
        self.apply(&step, progress)
    }

    fn apply(&mut self, step: &BuildStep, progress: &mut StageState) -> Result<()> {
        let how = self.params();
        let parent = progress.image.as_ref();
        let done = self.engine.do_step(parent, step, how, self.out, self.cancel)?;
        if done.cached {
            self.print(format_args!(" ---> Using cache"))?;
        }
        self.print(format_args!(" ---> {}", done.image.id.short()))?;
        progress.image = Some(done.image);
        Ok(())
    }

    fn warn_of_unused(&mut self) -> Result<()> {
        let given = self.options.arguments.iter().map(|(name, _)| name.as_str());
        let unused: Vec<&str> = given.filter(|name| !self.used.contains(*name)).collect();
        if unused.is_empty() {
            return Ok(());
        }
        let line = format!("[Warning] One or more build-args {unused:?} were not consumed");
        self.print(format_args!("{line}"))
    }
}

/// Splits a Dockerfile into stages.
fn stages(lines: &[Line]) -> Vec<Stage<'_>> {
    let mut stages = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Instruction::From { flags, image, name } = &line.what else { continue };
        let rest = &lines[at + 1..];
        let is_from = |line: &Line| matches!(line.what, Instruction::From { .. });
        let end = rest.iter().position(is_from).unwrap_or(rest.len());
        let name = name.as_deref();
        stages.push(Stage { image, flags, name, from: line, lines: &rest[..end] });
    }
    stages
}
