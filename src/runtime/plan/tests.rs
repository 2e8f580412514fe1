//! What init does, in order, on a host with cgroup v2. A change here is a change of what a
//! container may do: read it before it is accepted (`UPDATE_EXPECT=1`).

use expect_test::expect;
use jiff::Timestamp;

use super::{PlanInputs, plan};
use crate::model::container::mounts::{Mount, Mounts};
use crate::model::container::namespaces::{NamespaceMode, Namespaces};
use crate::model::container::storage::Driver;
use crate::model::container::{Config, ContainerSpec, HostConfig, ImageUse, VERSION};
use crate::model::value::digest::Digest;
use crate::runtime::oci;

fn steps(inputs: &PlanInputs) -> Vec<String> {
    steps_of(inputs, HostConfig::default())
}

fn steps_of(inputs: &PlanInputs, config: HostConfig) -> Vec<String> {
    let spec = ContainerSpec {
        version: VERSION,
        id: "c0ffee".repeat(11)[..64].parse().unwrap(),
        created: Timestamp::UNIX_EPOCH,
        image: ImageUse {
            reference: "host".to_owned(),
            id: Digest::from_bytes(&[0; 32]),
            layers: Vec::new(),
        },
        config: Config {
            hostname: "web".to_owned(),
            user: "app".to_owned(),
            workdir: "/srv".to_owned(),
            ..Config::default()
        },
        host_config: config,
        session: None,
    };
    let lower = ["../../images/layers/a".to_owned(), "../../images/layers/b".to_owned()];
    let config = oci::config(&spec, &["PATH=/bin".to_owned()], &lower, &[]).unwrap();
    let plan =
        plan(&serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap(), inputs)
            .unwrap();
    plan.steps.iter().map(ToString::to_string).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "the plan itself is the test")]
fn the_steps_of_a_start_are_these() {
    let host = PlanInputs { cgroup_v2: Some(String::new()), ..PlanInputs::default() };
    let mut steps = steps(&host);
    // Kernel parameters are a map in the standard's types, which has no order.
    let is_parameter = |step: &String| step.contains("/proc/sys/net");
    let first = steps.iter().position(is_parameter).unwrap();
    steps[first..first + 2].sort();
    expect![[r#"
        close inherited file descriptors
        die when the monitor dies
        set oom_score_adj to 0
        join the cgroups
        create a cgroup namespace
        clear the dumpable flag
        join a new session keyring
        start a new session
        bring interface lo up
        make all mounts slaves of the host's
        mount overlay of 2 layers on /
        create /.dockerenv and /etc/mtab if they are missing
        mount proc on /proc
        mount tmpfs on /dev
        mount devpts on /dev/pts
        mount tmpfs on /dev/shm
        mount mqueue on /dev/mqueue
        mount sysfs on /sys
        mount cgroup2 on /sys/fs/cgroup/
        create device /dev/null (1:3)
        create device /dev/zero (1:5)
        create device /dev/full (1:7)
        create device /dev/random (1:8)
        create device /dev/urandom (1:9)
        create device /dev/tty (5:0)
        create symbolic link /dev/fd to /proc/self/fd
        create symbolic link /dev/stdin to /proc/self/fd/0
        create symbolic link /dev/stdout to /proc/self/fd/1
        create symbolic link /dev/stderr to /proc/self/fd/2
        create symbolic link /dev/ptmx to pts/ptmx
        create symbolic link /dev/core to /proc/kcore
        bind-mount hosts on /etc/hosts
        bind-mount hostname on /etc/hostname
        bind-mount resolv.conf on /etc/resolv.conf
        write 0 2147483647 to /proc/sys/net/ipv4/ping_group_range
        write 0 to /proc/sys/net/ipv4/ip_unprivileged_port_start
        pivot to the new root
        close the host's file descriptors
        read standard input from /dev/null
        set the hostname to web
        make /proc/asound read-only
        make /proc/bus read-only
        make /proc/fs read-only
        make /proc/irq read-only
        make /proc/sys read-only
        make /proc/sysrq-trigger read-only
        mask /proc/acpi
        mask /proc/asound
        mask /proc/interrupts
        mask /proc/kcore
        mask /proc/keys
        mask /proc/latency_stats
        mask /proc/sched_debug
        mask /proc/scsi
        mask /proc/timer_list
        mask /proc/timer_stats
        mask /sys/devices/virtual/powercap
        mask /sys/firmware
        mask /sys/fs/selinux
        limit Core to 0:0
        limit Nofile to 1024:1048576
        reset signal handlers and mask
        reset the personality
        reset CPU affinity and priorities
        set the umask to 0022
        change directory to /srv
        load the seccomp filter
        switch to user app
        close all other file descriptors
        execute the program"#]]
    .assert_eq(&steps.join("\n"));
}

#[test]
fn v1_hierarchies_are_shown_below_a_directory_that_is_sealed_at_the_end() {
    let host = PlanInputs {
        cgroup_v1: vec![("memory".to_owned(), vec!["memory".to_owned()])],
        cgroup_v2: Some("unified".to_owned()),
        open_stdin: true,
        has_lowerdir_append: true,
        ..PlanInputs::default()
    };
    let steps = steps(&host);
    let cgroups: Vec<_> = steps.iter().filter(|step| step.contains("/sys/fs/cgroup")).collect();
    expect![[r#"
        [
            "mount tmpfs on /sys/fs/cgroup/",
            "mount cgroup on /sys/fs/cgroup/memory",
            "mount cgroup2 on /sys/fs/cgroup/unified",
            "remount /sys/fs/cgroup read-only",
        ]"#]]
    .assert_eq(&format!("{cgroups:#?}"));
    assert!(!steps.iter().any(|step| step.contains("standard input")));
}

#[test]
fn what_is_of_others_is_opened_before_anything_is_mounted_and_shown_from_the_top_down() {
    let texts = ["/srv:/etc/deep:ro", "db:/etc", "/run/x:/dev/x"];
    let mut list: Vec<Mount> = texts.iter().map(|text| Mount::from_volume(text).unwrap()).collect();
    list.push(Mount::from_tmpfs("/t:size=1m").unwrap());
    let other = "c0ffee".repeat(11)[..64].to_owned();
    let config = HostConfig {
        mounts: Mounts { list, ..Mounts::default() },
        namespaces: Namespaces {
            network: NamespaceMode::Container(other.clone()),
            ipc: NamespaceMode::Container(other),
            uts: NamespaceMode::Host,
            init: true,
            ..Namespaces::default()
        },
        ..HostConfig::default()
    };
    let steps = steps_of(&PlanInputs::default(), config);
    let words = ["open ", "namespace of", "lo up", "hostname", "copy", "bind", "tmpfs", "overlay"];
    let listed = steps.iter().filter(|step| words.iter().any(|word| step.contains(word)));
    expect![[r#"
        join the ipc namespace of container c0ffeec0ffee
        join the network namespace of container c0ffeec0ffee
        open bind source ../../volumes/db/_data
        open /dev/shm of the container whose IPC is joined
        open bind source ../c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff/hosts
        open bind source ../c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff/hostname
        open bind source ../c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff/resolv.conf
        open bind source /srv
        open bind source /run/x
        open bind source ../../init
        mount overlay of 2 layers on /
        copy /etc into volume db if it is empty
        mount tmpfs on /dev
        bind-mount ../../volumes/db/_data on /etc
        mount tmpfs on /t
        bind-mount shared memory on /dev/shm
        bind-mount ../c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff/hosts on /etc/hosts
        bind-mount ../c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff/hostname on /etc/hostname
        bind-mount ../c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff/resolv.conf on /etc/resolv.conf
        bind-mount /srv on /etc/deep
        bind-mount /run/x on /dev/x
        bind-mount ../../init on /sbin/docker-init"#]]
    .assert_eq(&listed.map(String::as_str).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_copied_root_is_mounted_as_it_is_and_nothing_is_stacked() {
    let config = HostConfig { storage: Driver::Vfs, ..HostConfig::default() };
    let steps = steps_of(&PlanInputs::default(), config);
    assert!(steps.contains(&"bind-mount rootfs on /".to_owned()), "{steps:?}");
    assert!(!steps.iter().any(|step| step.contains("overlay")), "{steps:?}");
}
