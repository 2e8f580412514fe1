//! Tests of the teaching output, in both languages.

use std::time::{Duration, Instant};

use expect_test::{expect, expect_file};

use super::{introspection, trace, why};
use crate::model::container::options::{CreateOptions, StopTimeout};
use crate::model::container::phase::{StopRecord, UsagePhase};
use crate::model::container::status::Status;
use crate::model::container::{Container, ContainerSpec, State};
use crate::model::creation::merge;
use crate::model::image::Image;
use crate::model::observe::introspection::{
    Difference, Introspection, Layer, MountPoint, Namespace, ProcessView,
};
use crate::model::observe::stats::Stats;
use crate::model::script::trace::{ProcessRole, TraceStep};
use crate::model::value::language::{Language, ReaderProfile};
use crate::model::value::signal::Signal;
use crate::ui::table::resources;
use crate::ui::table::resources::Measured;

/// Returns a container of the image `app:1`, which runs `server --port 80`.
fn container() -> Container {
    let digest = format!("sha256:{}", "5".repeat(64));
    let image = Image {
        id: digest.parse().unwrap(),
        tags: vec!["app:1".parse().unwrap()],
        size: 20_000_000,
        layers: vec![digest.parse().unwrap()],
        config: serde_json::from_value(serde_json::json!({
            "Cmd": ["server", "--port", "80"], "Env": ["PATH=/usr/bin:/bin"]
        }))
        .unwrap(),
        document: serde_json::json!({}),
        ..Image::plain(0x55)
    };
    let id = "e".repeat(64).parse().unwrap();
    let created = "2026-11-27T10:00:00Z".parse().unwrap();
    let options = CreateOptions::default();
    let spec: ContainerSpec = merge::spec(id, created, "app:1", &image, &options).unwrap();
    Container { spec, state: State::created("web".parse().unwrap()) }
}

/// Returns the container after a run that exited with `code`.
fn ended(code: i32, change: impl FnOnce(&mut State)) -> Container {
    let mut container = container();
    let begun = "2026-11-27T10:00:01Z".parse().unwrap();
    container.state.started_at = Some(begun);
    container.state = container.state.exited(code, begun);
    change(&mut container.state);
    container
}

fn stopped(ways: [bool; 2], killed: bool) -> Option<StopRecord> {
    let grace = Some(StopTimeout::After(Duration::from_secs(10)));
    Some(StopRecord { killed, ..StopRecord::new(Signal::TERM, grace, ways) })
}

/// Returns all explanations of `why`, in one language.
fn stories(language: Language) -> String {
    let mut running = container();
    running.state.status = Status::Running;
    let mut paused = container();
    paused.state.status = Status::Paused;
    let mut limited =
        ended(137, |state| (state.oom_killed, state.memory_peak) = (true, 33_000_000));
    limited.spec.host_config.resources.memory = Some(32 << 20);
    let all = [
        container(),
        running,
        paused,
        ended(0, |_| ()),
        ended(3, |_| ()),
        ended(127, |_| ()),
        ended(127, |state| state.error = "cannot start `web`: `server`: not found".into()),
        ended(126, |state| state.error = "`server`: permission denied".into()),
        ended(139, |state| state.exit_signal = Signal::from_number(11)),
        ended(139, |_| ()),
        ended(137, |state| state.stopped = stopped([false, false], true)),
        ended(137, |state| state.stopped = stopped([false, true], true)),
        ended(137, |state| state.stopped = stopped([true, false], true)),
        ended(0, |state| state.stopped = stopped([true, false], false)),
        ended(137, |state| {
            state.stopped = Some(StopRecord::new(Signal::KILL, None, [false, false]))
        }),
        ended(137, |state| {
            state.error = crate::model::container::status_reason::MONITOR_KILLED.into()
        }),
        ended(255, |state| {
            state.error = crate::model::container::status_reason::HOST_RESTARTED.into()
        }),
        limited,
    ];
    let last = ["last line".to_owned()];
    all.iter()
        .map(|container| format!("{}\n\n", why::status_reason(language, container, &last)))
        .collect()
}

#[test]
fn each_end_has_its_story_in_english() {
    expect_file!["snapshots/why.en.txt"].assert_eq(&stories(Language::English));
}

#[test]
fn each_end_has_its_story_in_korean() {
    expect_file!["snapshots/why.ko.txt"].assert_eq(&stories(Language::Korean));
}

/// Returns a running container with its processes on the host and inside.
fn seen() -> Introspection {
    let mut container = container();
    (container.state.status, container.state.pid) = (Status::Running, 4711);
    container.spec.host_config.resources.memory = Some(64 << 20);
    let digest = container.spec.image.layers[0].clone();
    Introspection {
        namespaces: vec![
            Namespace { kind: "pid".into(), number: 40_265, shared_with: vec![] },
            Namespace { kind: "net".into(), number: 40_266, shared_with: vec!["host".into()] },
        ],
        processes: vec![ProcessView {
            host_pid: 4711,
            container_pid: 1,
            command: "server --port 80".into(),
        }],
        cgroups: vec!["/sys/fs/cgroup/lifebox/e".into()],
        stats: Stats {
            cpu_time: Duration::from_millis(12),
            memory: 1 << 20,
            pids: 1,
            ..Stats::default()
        },
        mounts: vec![
            MountPoint { path: "/".into(), kind: "overlay".into(), writable: true },
            MountPoint { path: "/sys".into(), kind: "sysfs".into(), writable: false },
        ],
        layers: vec![Layer {
            key: digest,
            size: 20_000_000,
            files: 12,
            directories: 3,
            examples: vec!["/usr/bin/server".into()],
            hidden: vec!["/etc/old".into()],
        }],
        difference: Difference {
            added: 1,
            examples: vec!["A /new".into()],
            ..Difference::default()
        },
        written: 2000,
        ports: vec![80],
        container,
    }
}

#[test]
fn a_container_is_explained_in_english() {
    expect![[r#"
        `web` is running: server --port 80
        created from the image app:1, 2026-11-27 10:00:00

        Namespaces
          pid       40265     private
          net       40266     shared with the host

        Processes, on the host and inside
          ON THE HOST   INSIDE    COMMAND
          4711          1         server --port 80

        Control group: usage and limits
          /sys/fs/cgroup/lifebox/e
          uses 12.0 ms of CPU time, 1MiB of memory, one process or thread
          limits: memory 64MiB, pids 2048

        Mounts
          /         overlay
          /sys      sysfs     read-only

        Files: from the bottom to the top
          1  555555555555  20MB, 12 files
             such as /usr/bin/server
             hides /etc/old
          its writable layer: 2kB
            1 added, 0 changed, 0 deleted
            A /new

        Listens on TCP 80, inside
    "#]]
    .assert_eq(&introspection::container(Language::English, &seen()));
}

#[test]
fn a_container_is_explained_in_korean() {
    expect![[r#"
        `web` 컨테이너(실행 중): server --port 80
        이미지 app:1, 생성 2026-11-27 10:00:00

        네임스페이스
          pid       40265     전용
          net       40266     공유(호스트)

        프로세스: 호스트와 컨테이너에서
          호스트    컨테이너   명령
          4711      1          server --port 80

        컨트롤 그룹(cgroup): 사용량과 제한
          /sys/fs/cgroup/lifebox/e
          사용량: CPU 시간 12.0 ms, 메모리 1MiB, 프로세스와 스레드 1개
          제한: memory 64MiB, pids 2048

        마운트
          /         overlay
          /sys      sysfs     읽기 전용

        파일: 맨 아래 레이어부터 맨 위까지
          1  555555555555  20MB, 파일 12개
             예: /usr/bin/server
             가려지는 경로: /etc/old
          컨테이너의 쓰기 가능 레이어: 2kB
            추가 1개, 변경 0개, 삭제 0개
            A /new

        컨테이너 안에서 수신 대기 중인 TCP 포트: 80
    "#]]
    .assert_eq(&introspection::container(Language::Korean, &seen()));
}

fn korean() -> ReaderProfile {
    ReaderProfile { language: Language::Korean, width: 72, ascii: false }
}

#[test]
fn a_plan_is_told_in_korean() {
    let step = |who, key: &str, what: &str, calls: &[&str]| TraceStep {
        role: who,
        key: key.into(),
        summary: what.into(),
        fields: [("path".to_owned(), "/proc".to_owned()), ("type".to_owned(), "proc".to_owned())]
            .into(),
        syscalls: calls.iter().map(|call| (*call).to_owned()).collect(),
        failure: None,
        span: None,
    };
    let steps = [
        step(ProcessRole::Client, "take-lock", "lock the container", &["openat", "flock"]),
        step(ProcessRole::Monitor, "create-cgroup", "create the cgroup", &["mkdir"]),
        step(
            ProcessRole::Init,
            "mount",
            "mount proc on /proc",
            &["fsopen", "fsmount", "move_mount"],
        ),
    ];
    expect![[r#"
        `start` 명령은 `web` 컨테이너에 다음 3단계를 수행합니다. 지금은 아무것도 실행하지 않습니다.

        lifebox(방금 호출한 명령)
           1  컨테이너 잠금                                        openat, flock
                잠금을 쥔 쪽만 컨테이너를 변경할 수 있습니다. 실행 중에는
                컨테이너의 모니터가 잠금을 쥐고 있습니다.

        모니터(컨테이너 곁을 지키는 작은 프로세스)
           2  cgroup 생성                                                  mkdir
                이 디렉터리가 곧 컨트롤 그룹입니다. 커널은 여기에서 컨테이너의
                사용량을 집계하고 제한합니다.

        init(사용자의 프로그램으로 바뀌기 전의 컨테이너 첫 프로세스)
           3  /proc에 proc 마운트                    fsopen, fsmount, move_mount
                프로그램들이 있을 것으로 기대하는 파일 시스템입니다. 컨테이너의
                네임스페이스에 속한 것만 보여 줍니다.
    "#]]
    .assert_eq(&trace::plan(korean(), "start", "web", &steps));
}

/// Returns half a second of work, then a pause.
fn measured() -> Measured {
    let mut container = container();
    container.state.status = Status::Paused;
    container.state.phases = vec![UsagePhase {
        status: Status::Running,
        duration: Duration::from_millis(1000),
        cpu: Duration::from_millis(500),
        memory: 3 << 20,
    }];
    let begun = Instant::now();
    let sample = |n: u64| Stats {
        at: begun.checked_add(Duration::from_millis(100 * n)),
        cpu_time: Duration::from_millis(500),
        memory: 3 << 20,
        pids: 1,
        ..Stats::default()
    };
    Measured { container, samples: (0..4).map(sample).collect(), disk: 4096 }
}

#[test]
fn what_is_used_is_told_in_both_languages() {
    let english = resources::resources(ReaderProfile::default(), &measured());
    expect![[r#"
        Resources of `web`
        STATUS         TIME      CPU TIME   CPU       MEMORY    DISK      PROCESSES
        created        -         0          0%        0B        4.1kB     0
        running        1.0 s     500.0 ms   50.0%     3MiB      4.1kB     -
        now (paused)   -         500.0 ms   0.0%      3MiB      4.1kB     1

        CPU, and memory up to 3MiB, in the last 0.3 s
        CPU        
        MEMORY  ███
    "#]]
    .assert_eq(&english);
    expect![[r#"
        `web` 컨테이너의 자원 사용량
        상태               시간      CPU 시간   CPU       메모리    디스크    프로세스
        생성됨             -         0          0%        0B        4.1kB     0
        실행 중            1.0 s     500.0 ms   50.0%     3MiB      4.1kB     -
        현재(일시정지됨)   -         500.0 ms   0.0%      3MiB      4.1kB     1

        최근 0.3초간의 CPU와 메모리(최대 3MiB)
        CPU        
        메모리  ███
    "#]]
    .assert_eq(&resources::resources(korean(), &measured()));
    expect![[r#"
        CPU 0.0%      메모리 3MiB
    "#]]
    .assert_eq(&resources::brief(korean(), &measured()));
}
