//! Flags that say how much a container may use: memory, processors, processes, block devices,
//! limits of its processes.

use clap::{Args, Subcommand};

use crate::model::Result;
use crate::model::container::resources::{Resources, parse_cpus, parse_limit};

/// Flags that say how much a container may use: memory, processors, processes, block devices, limits of its processes.
#[derive(Args, Debug)]
pub struct ResourcesArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub limits: LimitArguments,
    /// A limit of each process, such as nofile=1024:2048
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    pub ulimit: Vec<String>,
    /// The size of /dev/shm, such as 64m
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub shm_size: Option<String>,
    /// How soon the kernel chooses it when memory runs out, -1000 to 1000
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub oom_score_adj: Option<i64>,
}

/// The limits that `update` can change.
#[derive(Args, Debug)]
pub struct LimitArguments {
    /// The most memory, such as 512m
    #[arg(short, long, value_name = "BYTES", allow_negative_numbers = true)]
    pub memory: Option<String>,
    /// Memory and swap together; -1 is swap without limit
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub memory_swap: Option<String>,
    /// Memory that is kept for it when memory is short
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub memory_reservation: Option<String>,
    /// How many processors, such as 1.5
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub cpus: Option<String>,
    /// Its share where processors are short; others have 1024
    #[arg(short = 'c', long, value_name = "N", allow_negative_numbers = true)]
    pub cpu_shares: Option<i64>,
    /// Microseconds in which the quota may be used
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    pub cpu_period: Option<i64>,
    /// Microseconds of processor time per period
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    pub cpu_quota: Option<i64>,
    /// Which processors, such as 0-2,4
    #[arg(long, value_name = "LIST")]
    pub cpuset_cpus: Option<String>,
    /// Which memory nodes
    #[arg(long, value_name = "LIST")]
    pub cpuset_mems: Option<String>,
    /// How many processes and threads; -1 is without limit
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub pids_limit: Option<i64>,
    /// Its weight on block devices, 10 to 1000
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub blkio_weight: Option<i64>,
}

impl ResourcesArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Resources> {
        Ok(Resources {
            ulimits: self.ulimit.iter().map(|text| text.parse()).collect::<Result<_>>()?,
            shm_size: self.shm_size.as_deref().map(parse_limit).transpose()?,
            oom_score_adj: self.oom_score_adj,
            ..self.limits.options()?
        })
    }
}

impl LimitArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Resources> {
        let size = |text: &Option<String>| text.as_deref().map(parse_limit).transpose();
        Ok(Resources {
            memory: size(&self.memory)?,
            memory_swap: size(&self.memory_swap)?,
            memory_reservation: size(&self.memory_reservation)?,
            nano_cpus: self.cpus.as_deref().map(parse_cpus).transpose()?,
            cpu_shares: self.cpu_shares,
            cpu_period: self.cpu_period,
            cpu_quota: self.cpu_quota,
            cpuset_cpus: self.cpuset_cpus.clone(),
            cpuset_mems: self.cpuset_mems.clone(),
            pids_limit: self.pids_limit,
            blkio_weight: self.blkio_weight,
            ..Resources::default()
        })
    }
}

/// A verb about what containers use and may use.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, made by the parser")]
pub enum LimitVerb {
    /// Change limits and restart policy of containers
    Update(UpdateArguments),
    /// Show what containers use
    Stats(StatsArguments),
}

/// `update`
#[derive(Args, Debug)]
pub struct UpdateArguments {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub limits: LimitArguments,
    /// Start it again when it ends: no, always, unless-stopped, on-failure[:N]
    #[arg(long, value_name = "POLICY")]
    pub restart: Option<String>,
    /// Names, ids or the beginnings of ids
    #[arg(value_name = "CONTAINER", required = true)]
    pub names: Vec<String>,
}

/// `stats`
#[derive(Args, Debug)]
pub struct StatsArguments {
    /// Show all, not only those that run
    #[arg(short, long)]
    pub all: bool,
    /// Look once
    #[arg(long)]
    pub no_stream: bool,
    /// Show whole ids
    #[arg(long)]
    pub no_trunc: bool,
    /// A Go template, `table TEMPLATE` or `json`
    #[arg(long, value_name = "TEMPLATE")]
    pub format: Option<String>,
    /// Names, ids or the beginnings of ids; all that run where there are none
    #[arg(value_name = "CONTAINER")]
    pub names: Vec<String>,
}
