//! Malformed options of containers, and the guards of the table.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{CreateOption, HEALTH, create_options};
use crate::model::container::block_io::DeviceLimit;
use crate::model::container::logging::{LogConfig, LogDriver};
use crate::model::container::mounts::{Mount, Mounts};
use crate::model::container::namespaces::{NamespaceMode, Namespaces};
use crate::model::container::options::{CreateOptions, EnvEntry, StopTimeout};
use crate::model::container::resources::Resources;
use crate::model::container::security::Security;
use crate::model::container::supervision::{RestartPolicy, Supervision};
use crate::model::value::expression::Expression;
use crate::model::value::health_check::HealthCheck;
use crate::model::value::option_spec::ValueType;
use crate::model::value::visible::is_hidden;

/// Generates texts without NUL. Characters with a meaning for a shell or a script are frequent.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[^\0]{0,12}", "[-\"'\\\\$`{}()#;= \n\ta-c~]{0,12}"]
}

/// Texts that a user may have for a name: white space is refused.
fn account() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(|c: char| c.is_whitespace() || is_hidden(c), "_"))
}

fn key() -> impl Strategy<Value = String> {
    "[^\0=]{1,8}"
}

fn env() -> impl Strategy<Value = Vec<EnvEntry>> {
    let entry = (key(), of(text())).prop_map(|(key, value)| match value {
        Some(value) => EnvEntry::Set { key, value },
        // What the caller has would be taken from it.
        None => EnvEntry::Unset { key: format!("NOBODY_HAS_{}", key.len()) },
    });
    prop::collection::vec(entry, 0..4)
}

fn stop_timeout() -> impl Strategy<Value = StopTimeout> {
    prop_oneof![
        Just(StopTimeout::NoLimit),
        (0_u64..1_000_000).prop_map(|seconds| StopTimeout::After(Duration::from_secs(seconds))),
    ]
}

fn program() -> impl Strategy<Value = CreateOptions> {
    let words = prop::collection::vec(text(), 1..4);
    let entrypoint = prop_oneof![Just(vec![]), "[^\0]{1,12}".prop_map(|word| vec![word])];
    let first = (of("[a-z][a-z0-9_.-]{1,8}"), of(words), of(entrypoint), env());
    let second = (of("/[^\0]{0,8}"), of(account()), of("[a-z][a-z0-9]{0,8}"));
    let labels = prop::collection::btree_map(key(), text(), 0..4);
    let third = (labels, of(1..=64), of(stop_timeout()), any::<bool>(), any::<bool>());
    (first, second, third).prop_map(|(first, second, third)| {
        let (name, cmd, entrypoint, env) = first;
        let (workdir, user, hostname) = second;
        let (labels, signal, stop_timeout, interactive, tty) = third;
        CreateOptions {
            name: name.map(|name| name.parse().unwrap()),
            cmd,
            entrypoint,
            env,
            workdir,
            user,
            hostname,
            exposed_ports: labels
                .keys()
                .map(|key| format!("{}/tcp", key.len()))
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            annotations: labels.clone(),
            labels,
            stop_signal: signal.map(|number: i32| number.to_string().parse().unwrap()),
            stop_timeout,
            interactive,
            tty,
            ..CreateOptions::default()
        }
    })
}

fn security() -> impl Strategy<Value = Security> {
    let options = [
        "no-new-privileges",
        "seccomp=a b.json",
        "systempaths=unconfined",
        "apparmor=web",
        "label=type:web_t",
        "label=level:s0:c1,c2",
    ];
    let add = subsequence(vec!["CAP_NET_ADMIN", "CAP_SYS_TIME", "ALL"], 0..3);
    let drop = subsequence(vec!["CAP_KILL", "CAP_CHOWN"], 0..3);
    let devices = subsequence(vec!["/dev/fuse", "/dev/a:/dev/b c:r", "/dev/x:rw"], 0..3);
    let groups =
        prop::collection::vec(account().prop_filter("empty", |text| !text.is_empty()), 0..3);
    let flags = (any::<bool>(), any::<bool>());
    (add, drop, subsequence(options.to_vec(), 0..6), devices, groups, flags).prop_map(
        |(add, drop, options, devices, groups, (privileged, read_only))| {
            let own = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
            let mut security = Security {
                cap_add: own(add),
                cap_drop: own(drop),
                privileged,
                read_only,
                devices: devices.into_iter().map(|text| text.parse().unwrap()).collect(),
                device_rules: vec!["c 1:3 rwm".parse().unwrap(); usize::from(read_only)],
                groups,
                ..Security::default()
            };
            options.iter().for_each(|option| security.set(option).unwrap());
            security
        },
    )
}

fn of_disk(value: Option<i64>) -> Vec<DeviceLimit> {
    let limit = |value| DeviceLimit { path: "/dev/disk/by-id/a:b".to_owned(), value };
    value.into_iter().map(limit).collect()
}

fn resources() -> impl Strategy<Value = Resources> {
    let size = 6_i64 << 20..1 << 50;
    let memory = of((size, of(prop_oneof![Just(-1), Just(1 << 51)]), of(Just(6_i64 << 20))));
    let time = prop_oneof![
        Just((None, None, None)),
        (10_000_000_i64..1_000_000_000_000).prop_map(|cpus| (Some(cpus), None, None)),
        (1_000_i64..1_000_000, 1_000_i64..9_000_000).prop_map(|(p, q)| (None, Some(p), Some(q))),
    ];
    let sets = (of("[0-3](,[5-7]){0,2}"), of("0(-1)?"), of(2_i64..262_144));
    let limits = (of(-1_i64..9_999), of(10_i64..=1000), of(-1000_i64..=1000), of(0_i64..1 << 40));
    let ulimits = subsequence(vec!["nofile=1:2", "core=0:-1", "cpu=7:7", "nproc=5:5"], 0..4);
    (memory, time, sets, limits, ulimits.prop_shuffle()).prop_map(
        |(memory, (nano_cpus, cpu_period, cpu_quota), sets, limits, ulimits)| {
            let (memory, memory_swap, memory_reservation) = match memory {
                Some((memory, swap, kept)) => (Some(memory), swap, kept),
                None => (None, None, None),
            };
            Resources {
                memory,
                memory_swap,
                memory_reservation,
                nano_cpus,
                cpu_period,
                cpu_quota,
                cpuset_cpus: sets.0.clone(),
                cpuset_mems: sets.1,
                cpu_shares: sets.2,
                pids_limit: limits.0,
                blkio_weight_device: of_disk(sets.2.map(|it| it % 990 + 10)),
                device_read_bps: of_disk(limits.3),
                device_write_bps: of_disk(limits.3.map(|rate| rate + 1)),
                device_read_iops: of_disk(limits.1),
                device_write_iops: of_disk(limits.1.map(|rate| rate * 7)),
                memory_swappiness: limits.1.map(|weight| weight / 10),
                oom_kill_disable: limits.1.is_some(),
                blkio_weight: limits.1,
                oom_score_adj: limits.2,
                shm_size: limits.3,
                cgroup_parent: sets.0.map(|set| format!("/batch/{set}")),
                ulimits: ulimits.into_iter().map(|text| text.parse().unwrap()).collect(),
            }
        },
    )
}

fn mounts() -> impl Strategy<Value = Mounts> {
    let volumes = subsequence(vec!["/a", "/srv x:/b:ro", "db:/c/./d:nocopy", "/e'\":/f"], 0..4);
    let fields = [
        "type=bind,source=/s t,target=/g,readonly,bind-recursive=disabled",
        "type=volume,target=/h",
        "source=db,target=/i,volume-nocopy",
        "type=tmpfs,target=/j,tmpfs-size=64m,tmpfs-mode=1777",
    ];
    let tmpfs = subsequence(vec!["/k", "/l:size=1m,exec", "/m:ro"], 0..3);
    let from = prop::collection::vec("[a-z]{2,5}(:ro)?", 0..2);
    (volumes, subsequence(fields.to_vec(), 0..4), tmpfs, from, any::<bool>()).prop_map(
        |(volumes, fields, tmpfs, from, driver_local)| {
            let volumes = volumes.into_iter().map(Mount::from_volume);
            let fields = fields.into_iter().map(Mount::from_mount);
            let tmpfs = tmpfs.into_iter().map(Mount::from_tmpfs);
            let list = volumes.chain(fields).chain(tmpfs).map(Result::unwrap).collect();
            Mounts { list, from, driver_local }
        },
    )
}

fn namespaces() -> impl Strategy<Value = Namespaces> {
    let modes = || {
        select(vec![
            NamespaceMode::Private,
            NamespaceMode::Host,
            NamespaceMode::Container("other".into()),
        ])
    };
    let network = select(vec![NamespaceMode::Private, NamespaceMode::Host]);
    let ipc = (modes(), any::<bool>(), any::<bool>());
    let sysctls = prop::collection::btree_map("net\\.[a-z]{1,4}", text(), 0..3);
    let hosts = subsequence(vec![("db", "10.0.0.7"), ("six", "fd00::7")], 0..3);
    let dns = subsequence(vec!["1.1.1.1", "::1"], 0..3);
    let words = prop::collection::vec("[a-z:.-]{1,6}", 0..3);
    let domains = prop::collection::vec("[a-z]{1,3}(\\.[a-z]{1,2})?", 0..3);
    let rest = ("[a-z]{0,4}", words, domains, any::<bool>());
    (network, ipc, modes(), sysctls, hosts, dns, rest).prop_map(
        |(network, (ipc, shareable, none), pid, sysctls, hosts, dns, rest)| {
            let (domainname, dns_options, dns_search, init) = rest;
            let own = ipc == NamespaceMode::Private;
            Namespaces {
                ipc_shareable: own && shareable,
                ipc_none: own && none && !shareable,
                ipc,
                pid,
                sysctls: if network == NamespaceMode::Private {
                    sysctls
                } else {
                    Default::default()
                },
                network,
                uts: NamespaceMode::Private,
                cgroup_host: init,
                user_host: shareable,
                isolation_default: none,
                init,
                domainname,
                extra_hosts: hosts
                    .into_iter()
                    .map(|(name, address)| (name.to_owned(), address.parse().unwrap()))
                    .collect(),
                dns: dns.into_iter().map(|address| address.parse().unwrap()).collect(),
                dns_options,
                dns_search,
            }
        },
    )
}

fn supervision() -> impl Strategy<Value = Supervision> {
    let restart = select(vec![
        RestartPolicy::No,
        RestartPolicy::Always,
        RestartPolicy::UnlessStopped,
        RestartPolicy::OnFailure { max: 0 },
        RestartPolicy::OnFailure { max: 7 },
    ]);
    let log = (of(65_536_u64..1 << 50), 1_u32..1000);
    let log = log.prop_map(|(max_size, max_file)| LogConfig { max_size, max_file });
    let time = || prop_oneof![Just(0_i64), 1_000_000_i64..1_000_000_000_000_000];
    let test = prop_oneof![Just("none".to_owned()), "[^\0]{0,9}[a-z]"];
    let check = (of(test), time(), time(), time(), time(), 0_i64..9);
    let check =
        check.prop_map(|(test, interval, timeout, start_period, start_interval, retries)| {
            let test = test.map(|line| HealthCheck::shell(&line)).unwrap_or_default();
            HealthCheck { test, interval, timeout, start_period, start_interval, retries }
        });
    let check = prop_oneof![Just(HealthCheck::none()), Just(HealthCheck::default()), check];
    let log = prop_oneof![Just(LogConfig::default()), log];
    let driver = select(vec![LogDriver::JsonFile, LogDriver::Local, LogDriver::None]);
    let option = select(vec![("labels", "a,b"), ("mode", "non-blocking"), ("tag", "x y")]);
    (restart, log, check, driver, option).prop_map(|(restart, log, health, driver, option)| {
        let mut all = Supervision { restart, health, ..Supervision::default() };
        if driver == LogDriver::JsonFile {
            for (key, value) in log.changed_options() {
                all.set_log_option(&key, &value).unwrap();
            }
            all.set_log_option(option.0, option.1).unwrap();
        }
        Supervision { log_driver: driver, ..all }
    })
}

/// Generates options without contradictions.
pub fn options() -> impl Strategy<Value = CreateOptions> {
    let parts = (program(), security(), resources(), mounts(), namespaces(), supervision());
    parts.prop_map(|(program, security, resources, mounts, mut namespaces, supervision)| {
        let auto_remove = program.tty && supervision.restart == RestartPolicy::No;
        if program.hostname.is_none() && namespaces.domainname.is_empty() && program.interactive {
            namespaces.uts = NamespaceMode::Host;
        }
        CreateOptions {
            auto_remove,
            security,
            resources,
            mounts,
            namespaces,
            supervision,
            ..program
        }
    })
}

/// The rows that scripts have, or those that the command line has.
fn rows(of: fn(&&CreateOption) -> bool) -> Vec<&'static CreateOption> {
    create_options().filter(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_a_row_writes_it_reads_as_the_same(all in options()) {
        for rows in [rows(|row| row.key.is_some()), rows(|row| row.flag.is_some())] {
            let mut read = CreateOptions::default();
            for row in &rows {
                if let Some(value) = (row.get)(&all) {
                    (row.set)(&mut read, &value).unwrap();
                }
            }
            let words = rows.iter().all(|row| row.flag.is_some());
            let cmd = if words { None } else { all.cmd.clone() };
            prop_assert_eq!(read, CreateOptions { cmd, ..all.clone() });
        }
    }
}

#[test]
fn a_default_is_not_written() {
    for row in create_options() {
        assert_eq!((row.get)(&CreateOptions::default()), None, "{row:?}");
    }
}

#[test]
fn no_key_and_no_flag_is_there_twice() {
    let mut seen = BTreeSet::new();
    for row in create_options() {
        assert!(row.key.is_some() || row.flag.is_some(), "{row:?}");
        let flag = row.flag.iter().flat_map(|flag| {
            let short = flag.short.map(|letter| format!("-{letter}"));
            [Some(format!("--{}", flag.long)), flag.alias.map(|name| format!("--{name}")), short]
        });
        for name in flag.flatten().chain(row.key.map(str::to_owned)) {
            assert!(seen.insert(name.clone()), "{name} is there twice");
        }
    }
}

#[test]
fn each_sentence_is_one_sentence() {
    for row in create_options() {
        let about = row.about;
        assert!(about.starts_with(char::is_uppercase), "{about}");
        assert!(!about.ends_with(['.', ' ']) && !about.contains(". "), "{about}");
    }
}

#[test]
fn a_flag_without_a_value_name_is_a_switch() {
    for row in create_options() {
        if let Some(flag) = row.flag {
            assert_eq!(flag.value_name.is_empty(), row.value_type == ValueType::Flag, "{flag}");
        }
    }
}

#[test]
fn each_key_of_a_health_check_is_read() {
    for spec in HEALTH {
        let value = match spec.value_type {
            ValueType::Command => Expression::text("true"),
            _ => Expression::Number(7),
        };
        let health = Expression::Map(vec![(spec.name.to_owned(), value)]);
        let row = create_options().find(|row| row.key == Some("health")).unwrap();
        let mut options = CreateOptions::default();
        (row.set)(&mut options, &health).unwrap();
        assert_ne!(options, CreateOptions::default(), "{}", spec.name);
    }
}
