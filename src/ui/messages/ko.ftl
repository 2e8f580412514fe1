### The texts of teaching in Korean. `en.ftl` has the same keys; a test compares them.
### A step has a value too: what it does. In English the code describes it (`TraceStep::what`).

## Who

who-client = lifebox(방금 호출한 명령)
who-monitor = 모니터(컨테이너 곁을 지키는 작은 프로세스)
who-init = init(사용자의 프로그램으로 바뀌기 전의 컨테이너 첫 프로세스)

## Steps of init: why

step-close-inherited = 상속된 파일 디스크립터 닫기
    .why = 실수로 열어 둔 파일은 호스트로 되돌아가는 통로가 될 수 있습니다.
step-die-with-monitor = 모니터가 죽으면 함께 종료되도록 설정
    .why = 모니터가 강제 종료되면 커널이 컨테이너도 함께 종료합니다. 감시 없이 실행되는 것은 없습니다.
step-set-oom-score = oom_score_adj를 { $value }(으)로 설정
    .why = 메모리가 바닥나면 컨테이너는 다른 프로세스와 마찬가지로 종료 대상 후보가 되지만, 모니터는 제외됩니다.
step-join-cgroups = cgroup에 참여
    .why = 컨트롤 그룹(cgroup)은 프로세스와 그 모든 자식이 쓰는 CPU, 메모리, 프로세스 수를 집계하고 제한합니다.
step-new-cgroup-namespace = cgroup 네임스페이스 생성
    .why = 안에서 보면 컨테이너 자신의 컨트롤 그룹이 최상위 루트처럼 보입니다.
step-clear-dumpable = dumpable 플래그 해제
    .why = 이 프로세스가 아직 호스트의 권한을 가진 동안에는 다른 프로세스가 내부를 들여다보거나 메모리를 덤프할 수 없어야 합니다.
step-new-keyring = 새 세션 키링에 참여
    .why = 커널은 세션마다 키를 보관합니다. 컨테이너가 호스트의 키를 물려받아서는 안 됩니다.
step-new-session = 새 세션 시작
    .why = 별도의 세션이므로 사용자 터미널의 Ctrl-C나 연결 끊김(hang-up)이 전달되지 않습니다.
step-bring-loopback-up = lo 인터페이스 활성화
    .why = 새 네트워크 네임스페이스에는 `lo`밖에 없고 그마저 꺼져 있습니다. 이제 안의 프로그램이 127.0.0.1과 통신할 수 있습니다.
step-make-mounts-slave = 모든 마운트를 호스트의 slave로 설정
    .why = 이후의 마운트는 컨테이너의 마운트 네임스페이스 안에만 남습니다. 호스트에서 `mount`를 실행해도 전혀 보이지 않습니다.
step-mount-root = 레이어 { $count }개의 overlay를 /에 마운트
    .why = 읽기 전용인 이미지 레이어들 위에 쓰기 가능한 디렉터리를 얹어 하나의 파일 시스템처럼 보이게 합니다. 컨테이너가 쓰는 내용은 그 디렉터리에 저장되고, 이미지는 바뀌지 않은 채 모든 컨테이너가 공유합니다.
step-bind-root = /에 { $source } 바인드 마운트
    .why = 이 호스트에서는 overlayfs를 쓸 수 없으므로 이 컨테이너는 이미지 파일의 복사본을 따로 가집니다.
step-mount = { $path }에 { $type } 마운트
    .why = 프로그램들이 있을 것으로 기대하는 파일 시스템입니다. 컨테이너의 네임스페이스에 속한 것만 보여 줍니다.
step-bind-file = { $path }에 { $source } 바인드 마운트
    .why = 이름, hosts, resolver 설정처럼 lifebox가 이 컨테이너용으로 작성한 작은 파일이 이미지의 파일 대신 보입니다.
step-bind-device = 장치 { $path } ({ $number }) 바인드 마운트
    .why = 옵션으로 추가한 호스트의 장치가 컨테이너 안에 보입니다.
step-make-device = 장치 { $path } ({ $number }) 생성
    .why = 모든 프로그램에 필요한 몇 가지 장치만 새로 만듭니다. 호스트의 디스크는 여기에 포함되지 않습니다.
step-make-marks = /.dockerenv와 /etc/mtab이 없으면 생성
    .why = 프로그램은 첫째 파일로 자신이 컨테이너 안에 있음을 알고, 오래된 프로그램은 둘째 파일에서 마운트 목록을 읽습니다.
step-make-link = { $target }을(를) 가리키는 심볼릭 링크 { $path } 생성
    .why = 프로그램들이 있을 것으로 기대하는 링크입니다.
step-pivot-root = 새 루트로 전환(pivot)
    .why = 새 루트가 `/`가 되고 호스트의 루트는 떨어져 나갑니다. 이제부터 어떤 경로로도 호스트의 파일에 닿을 수 없습니다.
step-close-host-fds = 호스트의 파일 디스크립터 닫기
    .why = 호스트의 디렉터리가 열린 채 남아 있으면 이를 통해 다시 밖으로 나갈 수 있습니다(CVE-2024-21626).
step-join-namespaces = 컨테이너의 네임스페이스에 참여
    .why = 실행 중인 컨테이너에 추가되는 프로세스는 첫 프로세스의 네임스페이스를 공유합니다.
step-open-null-input = /dev/null을 표준 입력으로 사용
    .why = 이 컨테이너의 표준 입력에 연결된 클라이언트가 없으므로 표준 입력은 비어 있습니다.
step-open-terminal = 의사 터미널 열기
    .why = 컨테이너는 자체 터미널을 받고, 사용자의 터미널은 밖에 남습니다.
step-write-sysctl = { $path }에 { $value } 쓰기
    .why = 이 커널 매개변수는 컨테이너의 네임스페이스에 속하므로 설정해도 호스트에는 영향이 없습니다.
step-set-hostname = 호스트 이름을 { $name }(으)로 설정
    .why = UTS 네임스페이스는 자체 호스트 이름을 가집니다. 기본값은 컨테이너 ID의 앞부분입니다.
step-make-readonly = { $path } 경로를 읽기 전용으로 설정
    .why = 이 경로의 내용을 바꾸면 커널 전체가 바뀌므로 컨테이너는 읽기만 할 수 있습니다.
step-remount-readonly = { $path }을(를) 읽기 전용으로 다시 마운트
    .why = 여기에 필요한 것은 모두 마운트했습니다. 이제부터는 읽기만 할 수 있습니다.
step-mask = { $path } 가리기(mask)
    .why = 이 경로는 호스트의 정보를 드러내므로 컨테이너에는 그 자리에 빈 내용이 보입니다.
step-set-limit = { $name } 제한을 { $value }(으)로 설정
    .why = 컨테이너의 모든 프로세스가 물려받는 제한입니다.
step-reset-signals = 시그널 핸들러와 마스크 초기화
    .why = 호출한 쪽이 어떤 시그널을 무시했든, 프로그램은 기본 시그널 처리 상태에서 시작합니다.
step-reset-personality = personality 초기화
    .why = 프로그램은 평범한 리눅스 프로세스로 시작합니다.
step-reset-schedule = CPU 친화도와 우선순위 초기화
    .why = 컨테이너는 어느 프로세서에서든 보통 우선순위로 실행됩니다. 얼마나 쓸 수 있는지는 컨트롤 그룹만이 정합니다.
step-set-umask = umask를 { $value }(으)로 설정
    .why = 새 파일이 통상적인 권한 모드로 만들어집니다.
step-set-cwd = { $path } 디렉터리로 이동
    .why = 프로그램은 이 디렉터리에서 시작합니다. 링크를 타고 밖으로 나가지 못하도록 경로를 한 단계씩 따라 들어갑니다.
step-remount-root-readonly = 루트를 읽기 전용으로 다시 마운트
    .why = `--read-only`로 지정한 설정입니다. 프로그램은 볼륨과 tmpfs에만 쓸 수 있습니다.
step-set-no-new-privs = no_new_privs 설정
    .why = 옵션으로 지정한 설정입니다. set-user-id 프로그램으로도 권한이 높아지지 않습니다.
step-load-seccomp = seccomp 필터 적재
    .why = seccomp입니다. 이제부터 커널은 시스템 콜이 있을 때마다 이 필터에 묻습니다. 모듈 적재나 시계 설정처럼 일반 프로그램에 필요 없는 호출은 거부됩니다.
step-set-apparmor-profile = AppArmor 프로필 { $name } 지정
    .why = 프로그램이 실행되는 순간부터 AppArmor가 이 프로필에 따라 프로그램을 제한합니다.
step-set-selinux-label = SELinux 레이블 { $name } 지정
    .why = 프로그램이 실행되는 순간부터 SELinux가 이 레이블에 따라 프로그램을 제한합니다.
step-set-credentials = { $name } 사용자로 전환
    .why = 사용자는 컨테이너 자신의 `/etc/passwd`에서 찾습니다. 호스트에서도 같은 번호의 사용자이며, root의 권한을 나눈 케이퍼빌리티 { $all }개 중 { $kept }개만 가집니다. 나머지는 다시 얻을 수 없습니다.
step-set-credentials-root = { $name } 사용자로 전환
    .why = 사용자 네임스페이스가 없으므로 컨테이너 안의 0번 사용자는 호스트에서도 0번 사용자입니다. 다만 root의 권한을 나눈 케이퍼빌리티 { $all }개 중 { $kept }개만 남으므로 더 약합니다. 나머지는 다시 얻을 수 없습니다.
step-set-credentials-root-nested = { $name } 사용자로 전환
    .why = 컨테이너 안의 root는 밖에서는 여러분 자신입니다. 사용자 네임스페이스가 root를 여러분의 사용자로 연결합니다. 케이퍼빌리티 { $all }개 중 { $kept }개가 남으며, 컨테이너에 속한 것에만 통합니다.
step-close-descriptors = 나머지 파일 디스크립터 모두 닫기
    .why = 프로그램은 표준 입력, 표준 출력, 표준 오류만 받고, 그 밖에 열려 있던 것은 하나도 받지 않습니다.
step-execute = 프로그램 실행
    .why = 이 프로세스가 여러분의 프로그램이 됩니다. 프로세스 ID는 그대로이고 코드만 바뀝니다.
step-execute-first = 프로그램 실행
    .why = 이 프로세스가 여러분의 프로그램이 됩니다. 프로세스 ID는 그대로이고 코드만 바뀝니다. 안에서는 PID 1, 곧 프로세스 네임스페이스의 첫 프로세스입니다.
step-execute-init = 프로그램 실행
    .why = 이 프로세스가 `init`(`--init`)이 되어 안에서 PID 1이 됩니다. init은 여러분의 프로그램을 시작하고, 시그널을 전달하며, 고아 프로세스를 회수합니다.
step-join-namespace = { $container } 컨테이너의 { $kind } 네임스페이스에 참여
    .why = 옵션으로 지정한 설정입니다. 두 컨테이너가 이 네임스페이스를 공유합니다.
step-open-dev-shm = IPC를 공유하는 컨테이너의 /dev/shm 열기
    .why = IPC를 공유하면 `/dev/shm`도 함께 공유합니다.
step-set-domainname = NIS 도메인 이름을 { $name }(으)로 설정
    .why = 옵션으로 지정한 설정입니다.
step-open-bind-source = 바인드 원본 { $source } 열기
    .why = 컨테이너에 보여 줄 호스트의 파일은 이미지를 조금이라도 마운트하기 전에 먼저 엽니다. 그래야 이미지가 이를 바꿔치기할 수 없습니다.
step-mount-volume = { $type } 형식의 { $source }을(를) 볼륨 { $name }(으)로 마운트
    .why = 옵션을 주어 만든 볼륨으로, 장치나 호스트의 디렉터리 또는 메모리를 보여 줍니다. 마운트는 이 컨테이너만 가지며 컨테이너와 함께 사라집니다.
step-mount-image = 레이어 { $count }개인 이미지를 { $path }에 마운트
    .why = 이미지의 레이어를 읽기 전용으로 쌓으므로 컨테이너는 파일을 볼 수 있지만 바꿀 수 없습니다.
step-copy-up-volume = 볼륨 { $name }이 비어 있으면 { $path }의 내용을 볼륨에 복사
    .why = 컨테이너를 처음 시작할 때 빈 볼륨은 Docker에서처럼 이미지의 해당 위치에 있는 내용으로 채워집니다.
step-attach-bind = { $path }에 { $source } 바인드 마운트
    .why = 볼륨이나 호스트의 디렉터리가 컨테이너 안에서 이 경로에 보입니다.
step-mount-tmpfs = { $path }에 tmpfs 마운트
    .why = 옵션으로 지정한 설정입니다. 메모리에 있는 파일 시스템이라 컨테이너가 종료되면 사라집니다.

## Operations of client and monitor: why

step-write-files = config.json, spec.json, state.json 작성
    .why = 처음에 컨테이너는 작은 파일 세 개와 빈 디렉터리 하나일 뿐입니다. 프로세스도 없고, CPU와 메모리도 쓰지 않습니다.
step-claim-name = 이름 { $name } 확보
    .why = 이름은 단 한 번만 만들 수 있는 심볼릭 링크입니다. 그래서 두 컨테이너가 같은 이름을 가질 수 없습니다.
step-take-lock = 컨테이너 잠금
    .why = 잠금을 쥔 쪽만 컨테이너를 변경할 수 있습니다. 실행 중에는 컨테이너의 모니터가 잠금을 쥐고 있습니다.
step-start-monitor = 모니터 시작
    .why = 데몬은 없습니다. 실행 중인 컨테이너마다 작은 프로세스가 하나씩 있어 로그를 남기고, 요청에 응답하고, 종료를 기록합니다.
step-send-request = 모니터에 요청 전송
    .why = 실행 중인 컨테이너는 모니터만 변경하므로, 두 명령을 동시에 실행해도 서로 방해하지 않습니다.
step-remove-files = 컨테이너의 파일 제거
    .why = 컨테이너의 파일과 로그, 기록이 사라집니다. 이미지는 남습니다.
step-create-cgroup = cgroup 생성
    .why = 이 디렉터리가 곧 컨트롤 그룹입니다. 커널은 여기에서 컨테이너의 사용량을 집계하고 제한합니다.
step-set-limits = cgroup에 제한값 쓰기
    .why = `memory.max` 같은 파일에 숫자를 써 두면 커널이 그 값을 강제합니다.
step-open-log = log.jsonl 열기
    .why = 프로그램이 표준 출력과 표준 오류에 쓰는 내용이 한 줄에 레코드 하나씩 여기에 저장됩니다.
step-clone = 새 네임스페이스에 프로세스 생성(clone): { $kinds }
    .why = 시스템 콜 하나로 프로세스와 네임스페이스가 함께 만들어집니다. 각 네임스페이스는 프로세스, 마운트, 네트워크, 호스트 이름, IPC를 저마다 따로 보여 줍니다.
step-join-pid-namespace = 다른 컨테이너의 PID 네임스페이스에 참여
    .why = 옵션으로 지정했으므로 다른 컨테이너의 프로세스 네임스페이스 안에 프로세스를 만듭니다. 그래서 두 컨테이너가 같은 프로세스들을 봅니다.
step-clone-plain = 프로세스 복제
    .why = 추가 프로세스입니다. 이어서 컨테이너가 가진 네임스페이스에 참여합니다.
step-wait-for-exec = init이 프로그램을 실행할 때까지 대기
    .why = 프로그램이 실행되면 닫히는 파이프를 씁니다. 그래서 `start`는 실제로 실행된 뒤에 반환되거나, 실행되지 못한 이유를 알려 줍니다.
step-write-state = state.json 작성
    .why = `state.json`에 컨테이너의 상태가 담겨 있으므로 모든 명령이 같은 상태를 봅니다.
step-freeze = cgroup 동결(freeze)
    .why = 커널이 프로세스들을 있던 자리에서 멈추고 더는 스케줄링하지 않습니다. 메모리는 유지되고 CPU는 쓰지 않으며, 프로세스에는 아무 통지도 가지 않습니다.
step-thaw = cgroup 동결 해제(thaw)
    .why = 프로세스들이 멈췄던 바로 그 지점에서 이어서 실행됩니다.
step-send-signal = 첫 프로세스에 { $signal } 전송
    .why = SIGKILL을 제외하면 시그널은 요청일 뿐입니다. PID 1에 해당 시그널의 핸들러가 없으면 시그널이 아예 전달되지 않습니다.
step-wait-for-exit = 컨테이너가 종료될 때까지 최대 { $seconds }초 대기
    .why = 유예 시간입니다. 그동안 프로그램은 하던 일을 정리할 수 있습니다. 시간이 다 되면 SIGKILL로 종료되고 종료 코드는 137이 됩니다.
step-reap = 종료 상태 회수
    .why = 커널은 부모 프로세스가 가져갈 때까지 종료 코드를 보관합니다.
step-remove-cgroup = cgroup 제거
    .why = 안에 남은 프로세스가 없습니다. 메모리와 CPU가 반환됩니다.

## Why a container has its status

why-not-started = `{ $name }` 컨테이너는 생성된 뒤 한 번도 시작되지 않았습니다. 프로세스는 없고 파일만 있습니다.
    .try = 시작해 보세요: start("{ $name }")
why-running = `{ $name }` 컨테이너는 실행 중입니다.
    .try = 무엇을 하고 있는지 확인하세요: logs("{ $name }"), top("{ $name }")
why-paused = `{ $name }` 컨테이너는 일시정지된 상태입니다. 프로세스의 메모리는 유지되고 CPU는 쓰지 않습니다.
    .try = unpause("{ $name }")를 실행하면 멈췄던 지점부터 이어집니다
why-restarting = `{ $name }` 컨테이너는 종료되었으며(종료 코드 { $code }), 재시작 정책에 따라 다시 시작됩니다.
    .try = logs("{ $name }")에서 원인을 확인하세요. 반복을 끊으려면 stop("{ $name }")을 실행하세요
why-damaged = `{ $name }` 컨테이너의 기록이 손상되었습니다.
    .try = 제거하는 수밖에 없습니다: rm("{ $name }", #{"{"} force: true {"}"})
why-program-missing = `{ $program }` 프로그램을 { $path }에서 찾을 수 없습니다(종료 코드 127).
    .try = 전체 경로를 쓰거나, 이 프로그램이 들어 있는 이미지를 고르거나, env로 PATH를 설정하세요
why-file-missing = `{ $program }` 파일이 이미지에 없거나, 파일의 첫 줄에 지정된 인터프리터가 없습니다(종료 코드 127).
    .try = 이미지에 무엇이 있는지 확인하세요: explain(image("{ $image }"))
why-program-refused = `{ $program }` 파일은 있지만 실행할 수 없습니다(종료 코드 126).
    .try = 실행 권한이 있고 이 프로세서용으로 빌드된 프로그램인지 확인하세요
why-start-failed = `{ $name }` 컨테이너를 시작하지 못했습니다: { $error }
    .try = 시작할 때의 단계를 확인하세요: explain("start", "{ $name }")
why-done = 프로그램이 성공적으로 종료되었습니다(종료 코드 0).
    .try = 컨테이너는 첫 프로그램이 살아 있는 동안만 유지됩니다. 다시 시작하거나, 계속 실행되는 프로그램을 지정하세요
why-failed = 프로그램이 종료 코드 { $code }(으)로 끝났습니다. 이 값은 관례상 프로그램 자체의 실패를 뜻합니다.
    .try = 마지막 로그에서 원인을 찾아보세요: logs("{ $name }")
why-out-of-memory = 메모리를 제한({ $limit })보다 더 쓰려고 해서 커널이 강제 종료했습니다(종료 코드 { $code }). 최대 사용량: { $peak }.
    .try = update("{ $name }", #{"{"} memory: "..." {"}"})로 제한을 늘리거나, 프로그램의 메모리 사용량을 줄이세요
why-machine-full = 호스트에 남은 메모리가 없어 커널이 강제 종료했습니다(종료 코드 { $code }). 최대 사용량: { $peak }.
    .try = 메모리를 모두 차지하지 못하도록 제한을 두세요: memory: "256m"
why-killed-unhandled = lifebox가 중지하려고 { $signal } 시그널을 보냈지만 첫 프로세스에 { $signal } 핸들러가 없습니다. 컨테이너의 PID 1에는 핸들러가 없는 시그널이 전달되지 않습니다. 그래서 { $seconds }초 뒤에 강제 종료되었습니다(종료 코드 137).
    .try = 프로그램이 { $signal } 시그널을 처리하게 하거나, 시그널을 전달해 주는 init: true 옵션으로 시작하세요
why-killed-late = lifebox가 중지하려고 { $signal } 시그널을 보냈고 { $signal } 핸들러도 있지만, { $seconds }초 안에 끝나지 않아 강제 종료되었습니다(종료 코드 137).
    .try = 시간을 더 주세요: stop("{ $name }", 30)
why-stopped = lifebox가 중지하려고 { $signal } 시그널을 보냈고, 제시간에 종료되었습니다(종료 코드 { $code }).
    .try = 파일과 로그는 그대로 남아 있습니다. start("{ $name }")로 다시 실행할 수 있습니다
why-killed = `kill` 또는 `rm -f` 명령이 { $signal } 시그널로 강제 종료했습니다(종료 코드 { $code }).
    .try = 유예 시간이 지난 뒤에야 강제 종료하는 stop()을 사용하세요
why-signalled = { $signal } 시그널로 종료되었습니다(종료 코드 { $code }: 128 + { $number }). lifebox가 보낸 시그널이 아닙니다. 원인: { $meaning }.
    .try = 마지막 로그에서 원인을 찾아보세요: logs("{ $name }")
why-unhealthy = `{ $name }` 컨테이너는 실행 중이지만 헬스 체크가 실패하고 있습니다.
    .try = 헬스 체크의 출력을 확인하세요: inspect("{ $name }").State.Health
why-failed-not-found = 프로그램이 종료 코드 127로 끝났습니다. 셸의 관례에 따르면 호출한 명령을 찾을 수 없었다는 뜻입니다.
    .try = logs("{ $name }")에서 명령을 찾고, 이미지에 있는지 확인하세요: explain(image("{ $image }"))
why-failed-not-executable = 프로그램이 종료 코드 126으로 끝났습니다. 셸의 관례에 따르면 호출한 명령을 실행할 수 없었다는 뜻입니다.
    .try = 파일에 실행 권한이 있고 이 프로세서용 파일인지 확인하세요
why-exited-like-signal = 프로그램이 종료 코드 { $code }(으)로 끝났습니다. 셸은 자신이 실행한 프로그램이 { $signal } 시그널로 종료되면 이 값(128 + { $number })을 돌려줍니다. 컨테이너 자체는 시그널을 받지 않았습니다.
    .try = 마지막 로그에서 원인을 찾아보세요: logs("{ $name }")
why-killed-ignored = lifebox가 중지하려고 { $signal } 시그널을 보냈지만 프로그램이 { $signal } 시그널을 무시합니다. 그래서 { $seconds }초 뒤에 강제 종료되었습니다(종료 코드 137).
    .try = 프로그램이 { $signal } 시그널에 종료되게 하거나, 다른 시그널을 지정하세요: stop_signal: "INT"
why-lost-monitor = 모니터가 강제 종료되어 커널이 컨테이너도 함께 종료했습니다(종료 코드 { $code }).
    .try = 파일은 남아 있습니다. start("{ $name }")를 실행하면 다시 시작합니다
why-lost-host = 실행 중에 호스트가 재시작되었습니다(종료 코드 { $code }).
    .try = 파일은 남아 있습니다. start("{ $name }")를 실행하면 다시 시작합니다
why-restarts = 그 전에 재시작 정책에 따라 { $count }번 다시 시작되었습니다

last-words = 마지막 로그

signal-SEGV = 자기 것이 아닌 메모리에 접근했습니다
signal-ABRT = assertion 실패 등으로 스스로 실행을 중단했습니다
signal-FPE = 0으로 나누기 같은 산술 오류가 발생했습니다
signal-ILL = 이 프로세서에 없는 명령어를 실행하려 했습니다
signal-BUS = 존재하지 않는 메모리에 접근했습니다
signal-SYS = 시스템 콜 필터가 강제 종료하도록 정한 시스템 콜을 호출했습니다
signal-PIPE = 읽는 쪽이 없는 파이프나 소켓에 썼습니다
signal-KILL = 컨테이너나 호스트의 프로세스가 보냈습니다
signal-TERM = 컨테이너나 호스트의 프로세스가 보냈습니다
signal-other = 컨테이너나 호스트의 프로세스 또는 커널이 보냈습니다

## Refusals: why, in one sentence

refuse-paused-start = 프로세스가 이미 있고 일시정지되어 있을 뿐이므로 시작할 것이 없습니다.
refuse-idle-kill = 프로세스가 없으면 시그널을 받을 대상도 없습니다.
refuse-idle-pause = 프로세스가 없으므로 일시정지할 것이 없습니다.
refuse-idle-top = 프로세스가 없으므로 목록에 보여 줄 것이 없습니다.
refuse-idle-attach = attach는 실행 중인 프로그램에 연결하는 명령인데, 실행 중인 프로그램이 없습니다.
refuse-idle-join = 추가 프로세스는 첫 프로세스의 네임스페이스를 공유하는데, 이 네임스페이스는 첫 프로세스와 함께 사라집니다.
refuse-paused-pause = 프로세스가 이미 일시정지되어 있습니다.
refuse-paused-join = 컨트롤 그룹 안의 모든 프로세스가 일시정지되어 있으므로 프로세스를 추가해도 실행되지 않습니다.
refuse-restarting = 종료되고 다시 시작되기 전까지는 프로세스가 없습니다.
refuse-not-paused = 일시정지된 컨테이너만 일시정지를 해제할 수 있습니다.
refuse-live-rm = rm이 제거할 파일을 프로세스가 사용하고 있습니다.
refuse-dead = 이름만 알 수 있습니다.

refusal = `{ $name }` 컨테이너에는 { $verb } 명령을 실행할 수 없습니다: { $reason }
reason-paused = 일시정지된 상태입니다
reason-not-running = 실행 중이 아닙니다
reason-already-paused = 이미 일시정지된 상태입니다
reason-restarting = 재시작하는 중입니다
reason-not-paused = 일시정지된 상태가 아닙니다
reason-running = 실행 중입니다
reason-dead = 기록이 손상되었거나 제거가 도중에 중단되어 사용할 수 없는(dead) 상태입니다
now-legal = 지금 가능한 명령: { $verbs }

## The diagram

diagram-title = 컨테이너의 수명 주기
diagram-title-of = `{ $name }` 컨테이너의 수명 주기
diagram-here = 현재 위치
diagram-legal = 여기서 가능한 명령: { $verbs }
diagram-removed = 제거됨
status-created = 생성됨
status-running = 실행 중
status-paused = 일시정지됨
status-restarting = 재시작 중
status-exited = 종료됨
status-dead = 사용 불가
costs-created = 디스크만
costs-running = CPU, 메모리, 디스크
costs-paused = 메모리, 디스크
costs-restarting = 디스크만
costs-exited = 디스크만
costs-dead = 디스크만
by-itself = 자체 종료

## Resources

resources-title = `{ $name }` 컨테이너의 자원 사용량
resources-now = 현재({ $status })
resources-status = 상태
resources-time = 시간
resources-cpu = CPU 시간
resources-cpu-share = CPU
resources-memory = 메모리
resources-disk = 디스크
resources-processes = 프로세스
resources-plot = 최근 { $seconds }초간의 CPU와 메모리(최대 { $most })
resources-nothing = 실행된 적이 없어 아직 측정된 값이 없습니다

## explain

explain-plan = `{ $verb }` 명령은 `{ $name }` 컨테이너에 다음 { $count }단계를 수행합니다. 지금은 아무것도 실행하지 않습니다.
explain-nothing = `{ $verb }` 명령이 할 일이 없습니다. `{ $name }` 컨테이너의 상태는 "{ $status }"입니다.
explain-container = `{ $name }` 컨테이너({ $status }): { $command }
explain-made-of = 이미지 { $image }, 생성 { $created }
explain-namespaces = 네임스페이스
explain-own = 전용
explain-shared = 공유({ $with })
explain-host = 호스트
explain-processes = 프로세스: 호스트와 컨테이너에서
explain-host-pid = 호스트
explain-container-pid = 컨테이너
explain-command = 명령
explain-cgroup = 컨트롤 그룹(cgroup): 사용량과 제한
explain-uses = 사용량: CPU 시간 { $cpu }, 메모리 { $memory }, 프로세스와 스레드 { $count }개
explain-limits = 제한: { $limits }
explain-no-limits = 제한 없음: 호스트의 자원을 모두 쓸 수 있습니다
explain-mounts = 마운트
explain-read-only = 읽기 전용
explain-layers = 파일: 맨 아래 레이어부터 맨 위까지
explain-layer = { $size }, 파일 { $count }개
explain-such-as = 예: { $paths }
explain-hides = 가려지는 경로: { $paths }
explain-written = 컨테이너의 쓰기 가능 레이어: { $size }
explain-written-sealed = 컨테이너의 맨 위 레이어. 루트가 읽기 전용이므로 아무것도 쓰이지 않습니다
explain-difference = 추가 { $added }개, 변경 { $changed }개, 삭제 { $deleted }개
explain-difference-unknown = 변경 내용을 나열할 수 없습니다: { $reason }
explain-ports = 컨테이너 안에서 수신 대기 중인 TCP 포트: { $ports }
explain-no-process = 프로세스가 없으므로 네임스페이스도, 메모리도, CPU 시간도 없이 파일만 있습니다.
explain-image = 이미지 { $name }: { $size }, 레이어 { $count }개
explain-config = 이 이미지로 만든 컨테이너의 초기 설정
explain-runs = 실행 명령
explain-env = 환경 변수
explain-workdir = 작업 디렉터리
explain-user = 사용자
explain-ports-declared = 포트
explain-volumes = 볼륨
explain-history = 이미지가 만들어진 과정
explain-a-container-adds = 컨테이너가 더하는 것은 쓰는 내용을 담을 맨 위의 빈 디렉터리 하나, 이름, 작은 파일 몇 개로 된 기록뿐입니다. 레이어는 복사하지 않고 함께 씁니다.
explain-users = 사용하는 컨테이너: { $names }

sources-title = `{ $name }` 컨테이너의 `{ $path }` 경로가 오는 곳(위에서부터):
sources-none = 이 경로를 가진 레이어가 없습니다
sources-mount = { $path }에 마운트된 { $kind }
sources-own = 컨테이너의 쓰기 가능 레이어
sources-layer = 이미지의 레이어 { $number }
sources-file = 파일 { $size }
sources-link = 링크 { $at } -> { $to }. 링크가 가리키는 경로를 확인하세요
sources-directory = 디렉터리. 아래 레이어에도 있으면 합쳐 보입니다
sources-opaque = 아래 레이어의 디렉터리를 가리는 디렉터리
sources-hidden = 화이트아웃. 아래에 있는 것을 가립니다
sources-unseen = (위에 있는 것에 가려짐)

## trace

trace-total = 총 { $count }단계, { $time } 소요
trace-nothing = 커널이나 모니터가 필요한 단계가 없었습니다
trace-line = { $line }행
trace-failed = 실패: { $reason }
trace-next = Enter: 계속   c: 더 멈추지 않고 끝까지 진행

## report

report-title = { $script } 실행 보고서
report-timeline = 타임라인
report-script = 스크립트
report-events = 이벤트
report-output = 출력
report-exit = 종료 코드 { $code }
report-duration = 소요 시간 { $time }
report-cpu = CPU
report-memory = 메모리
report-none = 이 스크립트는 컨테이너를 사용하지 않았습니다.
report-log = 로그의 마지막 부분
report-lang = ko
report-created = lifebox { $version }에서 생성
report-show = 모든 이벤트 보기
report-started = { $time } 시작
report-count = 컨테이너 { $count }개
report-failed = 실패 원인
report-state = 상태
report-removed = 삭제됨
report-peak = 최대 { $value }
report-lines = 줄
report-silent = 컨테이너가 출력한 내용이 없습니다.
report-quiet = 스크립트가 출력한 내용이 없습니다.
report-hint = 컨테이너를 가리키거나 누르면 로그의 마지막 부분과, 스크립트에서 그 컨테이너를 다루는 줄을 볼 수 있습니다.
report-time = 시간
report-container = 컨테이너
report-event = 이벤트
report-line = 줄
report-more = 외 { $count }개는 표시하지 않았습니다.
report-left-out = 중간의 { $count }바이트는 생략했습니다.

## learn

learn-welcome = 환영합니다. 짧은 레슨 { $count }개를 따라 바로 이 REPL에서 컨테이너를 만들고, 관찰하고, 제거해 봅니다.
    모두 실제로 동작합니다. 이 호스트에서 진짜 컨테이너가 실행되며, 여러분이 만든 것은 레슨 전용 저장소에만 있다가 학습을 마치고 나갈 때 비워집니다.
learn-how = 해 보고 싶은 것을 프롬프트에 입력하세요. lifebox는 입력할 때마다 무엇을 입력했는지가 아니라 실제로 어떻게 되었는지를 확인합니다. 어떤 방법을 쓰든 괜찮습니다.
    :hint 힌트 보기, :skip 건너뛰기, :lesson 과제 다시 보기, :lessons 전체 레슨 목록, :restart 레슨 다시 시작, :quit 나가기. 진행 상황은 저장됩니다.
learn-lesson = 레슨 { $number }/{ $count }: { $title }
learn-predict = 먼저 예상해 보세요:
learn-choose = 답의 번호를 입력하세요.
learn-not-a-choice = 1부터 { $count }까지의 번호를 입력하세요.
learn-right = 맞았습니다.
learn-wrong = 아쉽네요. 정답은 { $number }번입니다.
learn-task = 이제 직접 해 보세요:
learn-step = 단계 { $number }/{ $count }:
learn-done-step = 완료했습니다.
learn-done = 레슨을 마쳤습니다: { $title }
learn-course-done = 마지막 레슨까지 마쳤습니다.
learn-all-done = 마지막 레슨까지 마쳤습니다. 지금까지 컨테이너를 만들고, 실행하고, 일시정지하고, 중지하고, 제거했으며 이미지도 빌드해 보았습니다.
    다음 명령으로 더 알아보세요: help(), diagram(), explain(run("host", "sleep 100")).
learn-not-yet = 아직 아닙니다: { $hint }
learn-next = Enter를 누르거나 :next를 입력하면 다음으로 넘어갑니다: { $title }
learn-progress = { $count }개 중 { $done }개 완료
learn-skipped = 건너뛰었습니다.
learn-keys = (:hint 힌트, :skip 건너뛰기, :lessons 목록, :restart 다시 시작, :quit 나가기)
learn-no-question = 지금은 질문이 없습니다. 프롬프트에서 이 단계를 완료하세요.
learn-not-done = 아직 완료되지 않았습니다. :hint는 힌트, :skip은 건너뛰기입니다.
learn-no-cgroup = 이 호스트에서 사용자에게 컨트롤 그룹(cgroup)이 없어 컨테이너의 일시정지, 자원 측정, 제한을 할 수 없습니다. 그런 레슨의 단계는 :skip으로 건너뛰세요. 허용하는 방법은 `lifebox info`에서 볼 수 있습니다.
learn-no-hint = 힌트가 없습니다. 과제를 다시 읽어 보세요. :lesson을 입력하면 다시 볼 수 있습니다
learn-bye = 진행 상황이 저장되었습니다. `lifebox learn`을 실행하면 여기서부터 이어집니다.
learn-list-done = 완료
learn-list-open = 미완료
learn-list-now = 진행 중
learn-restart = (처음부터 다시 하려면 lifebox learn --restart)

## docker

docker-seconds = Docker의 --stop-timeout은 초 단위 정수만 받습니다
docker-entrypoint = Docker의 --entrypoint는 한 단어만 받습니다: 나머지는 명령 앞에 놓입니다
docker-health = Docker는 --health-cmd의 명령을 셸에 넘깁니다

## The commands of the prompt

prompt-title = 프롬프트
prompt-help = 모든 함수를 나열하거나 함수 하나를 설명
prompt-quit = 나가기(Ctrl-D와 같음)
prompt-load = 스크립트를 이 세션에서 실행
prompt-edit = 마지막 입력을 $VISUAL 또는 $EDITOR로 편집해 실행
prompt-save = 성공한 입력을 스크립트로 저장
prompt-ps = 모든 컨테이너 나열
prompt-images = 모든 이미지 나열
prompt-vars = 이 세션의 변수와 함수 나열
prompt-time = 코드를 실행하고 걸린 시간 출력
prompt-history = 지난 입력 출력
prompt-clear = 화면 지우기
prompt-watch = Ctrl-C를 누를 때까지 수명 주기와 자원 사용량 표시
prompt-learn = 컨테이너 레슨 시작
prompt-last = 마지막 값; `;`로 끝나는 줄은 값을 표시하지 않음
