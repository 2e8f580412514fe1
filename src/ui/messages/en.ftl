### The texts of teaching in English. `ko.ftl` has the same keys; a test compares them.
### In English the code describes each step (`TraceStep::what`), so this file has only its reason.

## Who

who-client = lifebox, as you called it
who-monitor = the monitor, a small process that stays beside the container
who-init = init, the container's first process, before it becomes your program

## Steps of init: why

step-close-inherited =
    .why = A file left open by mistake could lead back to the host.
step-die-with-monitor =
    .why = If the monitor is killed, the kernel ends the container too: no container runs without its monitor.
step-set-oom-score =
    .why = When memory runs out, the container is a candidate like any other process; the monitor is not.
step-join-cgroups =
    .why = A control group counts and limits what the process and all its children use: CPU, memory, processes.
step-new-cgroup-namespace =
    .why = Inside, the container's control group looks like the root of the hierarchy.
step-clear-dumpable =
    .why = While this process still has the host's rights, other processes must not inspect it or dump its memory.
step-new-keyring =
    .why = The kernel keeps keys for each session; the container must not inherit the host's.
step-new-session =
    .why = In a new session, Ctrl-C and hang-ups of your terminal do not reach the container.
step-bring-loopback-up =
    .why = A new network namespace has only `lo`, which is down. Once it is up, programs inside can use 127.0.0.1.
step-make-mounts-slave =
    .why = Later mounts stay in the container's mount namespace: `mount` on the host does not list them.
step-mount-root =
    .why = The image's layers, read-only, with a writable directory on top, look like one file system. What the container writes goes to that directory; the image stays as it is, and all containers share it.
step-bind-root =
    .why = This container has a copy of the image's files, because overlayfs does not work on this host.
step-mount =
    .why = Programs expect this file system. It shows only what belongs to the container's namespaces.
step-bind-file =
    .why = A small file that lifebox wrote for this container replaces the image's: its name, its hosts or its resolver.
step-bind-device =
    .why = The container's options add this device of the host.
step-make-device =
    .why = The few devices that every program needs are created; the host's disks are not among them.
step-make-marks =
    .why = Programs look for the first to see that they are in a container, and old ones read the mounts from the second.
step-make-link =
    .why = Programs expect this link.
step-pivot-root =
    .why = The new root becomes `/`, and the host's root is detached: from here on no path leads to the host's files.
step-close-host-fds =
    .why = An open directory of the host would lead out of the container (CVE-2024-21626).
step-join-namespaces =
    .why = Another process in a running container shares the namespaces of the first.
step-open-null-input =
    .why = No client is attached to the standard input of this container, so it is empty.
step-open-terminal =
    .why = The container gets a new terminal; yours stays outside.
step-write-sysctl =
    .why = This kernel parameter belongs to the container's namespaces, so setting it does not affect the host.
step-set-hostname =
    .why = A UTS namespace has its own host name; the default is the container's short id.
step-make-readonly =
    .why = Files below this path change the whole kernel, so the container may only read them.
step-remount-readonly =
    .why = All mounts below this one are in place; from now on it is read-only.
step-mask =
    .why = This path reveals facts about the host, so the container sees something empty instead.
step-set-limit =
    .why = A limit that every process of the container inherits.
step-reset-signals =
    .why = The program starts with the default handling of signals, also of those that the caller ignored.
step-reset-personality =
    .why = The program starts as a plain Linux process.
step-reset-schedule =
    .why = The container runs on any processor at the default priority; only its control group limits it.
step-set-umask =
    .why = New files get the default modes.
step-set-cwd =
    .why = The program starts in this directory. lifebox opens it one component at a time, so that no link leads out.
step-remount-root-readonly =
    .why = Configured by `--read-only`: the program can write only to volumes and tmpfs.
step-set-no-new-privs =
    .why = Configured by an option: set-user-id programs grant no privileges.
step-load-seccomp =
    .why = From here on the kernel checks each system call with this seccomp filter. It refuses calls that no ordinary program needs, such as loading modules or setting the clock.
step-set-apparmor-profile =
    .why = AppArmor confines the program by this profile from its execution on.
step-set-selinux-label =
    .why = SELinux confines the program by this label from its execution on.
step-set-credentials =
    .why = The user is looked up in the container's `/etc/passwd` and has the same number on the host. It keeps { $kept } of { $all } capabilities, the parts of root's power, and cannot regain the others.
step-set-credentials-root =
    .why = User 0 inside is user 0 of the host too, because there is no user namespace. It is weaker because it keeps only { $kept } of { $all } capabilities, the parts of root's power, and cannot regain the others.
step-set-credentials-root-nested =
    .why = The user namespace maps root inside to your own user outside. It keeps { $kept } of { $all } capabilities, which count only for what belongs to the container.
step-close-descriptors =
    .why = The program gets standard input, output and error, and no other open file.
step-execute =
    .why = This process becomes your program: the same process id, new code.
step-execute-first =
    .why = This process becomes your program: the same process id, new code. It is PID 1 inside, the first of its process namespace.
step-execute-init =
    .why = This process becomes `init` (`--init`): PID 1 inside. It starts your program, forwards signals to it, and reaps orphaned processes.
step-join-namespace =
    .why = Configured by an option: the two containers share this namespace.
step-open-dev-shm =
    .why = Containers that share IPC share `/dev/shm` too.
step-set-domainname =
    .why = Configured by an option.
step-open-bind-source =
    .why = Bind-mounted paths of the host are opened before the image is mounted, so that the image cannot swap them.
step-mount-volume =
    .why = The volume was created with options: it shows a device, a directory of the host or memory. Only this container has the mount, and it goes with the container.
step-mount-image =
    .why = The layers of the image are stacked read-only, so that the container sees its files and cannot change them.
step-copy-up-volume =
    .why = At the first start of a container, an empty volume gets the image's files at its path, as in Docker.
step-attach-bind =
    .why = A volume or a directory of the host appears inside at this path.
step-mount-tmpfs =
    .why = Configured by an option: a file system in memory, removed when the container exits.

## Operations of client and monitor: why

step-write-files =
    .why = A container is, at first, three small files and an empty directory. No process, no CPU, no memory.
step-claim-name =
    .why = The name is a symbolic link that can be created only once, so two containers cannot have the same name.
step-take-lock =
    .why = Only the process that holds the lock may change the container. While the container runs, its monitor holds the lock.
step-start-monitor =
    .why = There is no daemon: each running container has one small process that writes its log, answers your commands, and records its exit.
step-send-request =
    .why = Only the monitor changes a running container, so concurrent commands cannot conflict.
step-remove-files =
    .why = The container's files, log and record are removed. The image stays.
step-create-cgroup =
    .why = The directory is the control group, where the kernel counts and limits what the container uses.
step-set-limits =
    .why = Numbers in files such as `memory.max`: the kernel enforces them.
step-open-log =
    .why = What the program writes to standard output and error goes here, a record for each line.
step-clone =
    .why = One system call creates the process and its namespaces. Each namespace is a separate view: of processes, mounts, network, host name, IPC.
step-join-pid-namespace =
    .why = Configured by an option: the process is created in the PID namespace of the other container, so both see the same processes.
step-clone-plain =
    .why = The new process then joins the container's namespaces.
step-wait-for-exec =
    .why = A pipe closes when the program is executed, so `start` returns only when the program runs, or reports why it does not.
step-write-state =
    .why = `state.json` records the state of the container, so every command sees the same state.
step-freeze =
    .why = The kernel stops scheduling the container's processes. They keep their memory, use no CPU, and are not notified.
step-thaw =
    .why = The processes continue exactly where they stopped.
step-send-signal =
    .why = A signal is a request, except SIGKILL. PID 1 never receives a signal for which it has no handler.
step-wait-for-exit =
    .why = In the grace period the program can clean up. When the period expires, SIGKILL ends the program, and the exit code is 137.
step-reap =
    .why = The kernel keeps the exit code until the parent process reads it.
step-remove-cgroup =
    .why = No process is left in the control group: memory and CPU are free again.

## Why a container has its status

why-not-started = `{ $name }` was created but never started: there is no process, only files.
    .try = start it: start("{ $name }")
why-running = `{ $name }` runs.
    .try = see what it does: logs("{ $name }"), top("{ $name }")
why-paused = `{ $name }` is paused: its processes keep their memory and use no CPU.
    .try = continue where it stopped: unpause("{ $name }")
why-restarting = `{ $name }` exited with code { $code }, and its restart policy will restart it.
    .try = find the cause in logs("{ $name }"), or end the restarts: stop("{ $name }")
why-damaged = The record of `{ $name }` is damaged.
    .try = remove it: rm("{ $name }", #{"{"} force: true {"}"})
why-program-missing = `{ $program }` was not found in { $path } (exit code 127).
    .try = write its full path, choose an image that has it, or set PATH with env
why-file-missing = `{ $program }` is not in the image (exit code 127), or the interpreter that its first line names is not.
    .try = see what the image has: explain(image("{ $image }"))
why-program-refused = `{ $program }` exists but cannot be executed (exit code 126).
    .try = check that it is executable and built for this processor
why-start-failed = `{ $name }` could not be started: { $error }
    .try = see the steps of a start: explain("start", "{ $name }")
why-done = Its program exited successfully (exit code 0).
    .try = a container runs as long as its first program: start it again, or run a program that stays
why-failed = Its program exited with code { $code }, by convention a failure of the program itself.
    .try = look for the reason in its last lines: logs("{ $name }")
why-out-of-memory = The kernel killed it (exit code { $code }): it needed more memory than its limit of { $limit }. Its peak was { $peak }.
    .try = raise the limit, update("{ $name }", #{"{"} memory: "..." {"}"}), or make the program use less
why-machine-full = The kernel killed it (exit code { $code }): the host ran out of memory. Its peak was { $peak }.
    .try = set a limit, so that it cannot use all memory: memory: "256m"
why-killed-unhandled = lifebox sent it { $signal } to stop it, but its first process has no handler for { $signal }, and PID 1 of a container receives no signal without a handler. After { $seconds } s it was killed (exit code 137).
    .try = make the program handle { $signal }, or start it with init: true, which forwards signals
why-killed-late = lifebox sent it { $signal } to stop it. It handles { $signal }, but did not exit within { $seconds } s and was killed (exit code 137).
    .try = give it more time: stop("{ $name }", 30)
why-stopped = lifebox sent it { $signal } to stop it, and it exited in time (exit code { $code }).
    .try = run it again with start("{ $name }"): its files and its log are kept
why-killed = `kill` or `rm -f` ended it with { $signal } (exit code { $code }).
    .try = use stop(), which kills only after a grace period
why-signalled = { $signal } ended it (exit code { $code }: 128 + { $number }). lifebox did not send the signal: { $meaning }.
    .try = look for the reason in its last lines: logs("{ $name }")
why-unhealthy = `{ $name }` runs, but its health check fails.
    .try = see what the check says: inspect("{ $name }").State.Health
why-failed-not-found = Its program exited with code 127: by convention of shells, a command that it called was not found.
    .try = find the command in logs("{ $name }"), and check that the image has it: explain(image("{ $image }"))
why-failed-not-executable = Its program exited with code 126: by convention of shells, a command that it called cannot be executed.
    .try = check that the command is executable and built for this processor
why-exited-like-signal = Its program exited with code { $code }. A shell returns this code (128 + { $number }) when { $signal } ended a program that it ran; the container itself received no signal.
    .try = look for the reason in its last lines: logs("{ $name }")
why-killed-ignored = lifebox sent it { $signal } to stop it, but its program ignores { $signal }. After { $seconds } s it was killed (exit code 137).
    .try = make the program exit on { $signal }, or choose another signal: stop_signal: "INT"
why-lost-monitor = Its monitor was killed, and the kernel ended the container with it (exit code { $code }).
    .try = run it again with start("{ $name }"): its files are kept
why-lost-host = The host was restarted while it ran (exit code { $code }).
    .try = run it again with start("{ $name }"): its files are kept
why-restarts = its restart policy has restarted it { $count ->
    [one] once
   *[other] { $count } times
}

last-words = its last lines

signal-SEGV = the program accessed memory that it does not own
signal-ABRT = the program aborted, as after a failed assertion
signal-FPE = an arithmetic error, such as a division by zero
signal-ILL = the program executed an instruction that this processor lacks
signal-BUS = the program accessed memory that does not exist
signal-SYS = the program made a system call for which its filter kills it
signal-PIPE = the program wrote to a pipe or socket without a reader
signal-KILL = a process of the container or of the host sent it
signal-TERM = a process of the container or of the host sent it
signal-other = a process of the container, a process of the host or the kernel sent it

## Refusals: why, in one sentence

refuse-paused-start = Its processes exist and are paused: there is nothing to start.
refuse-idle-kill = Without a process there is nothing to send a signal to.
refuse-idle-pause = Without a process there is nothing to pause.
refuse-idle-top = Without a process there is nothing to list.
refuse-idle-attach = attach connects you to its running program, and there is none.
refuse-idle-join = Another process would share the namespaces of the first, and those end with it.
refuse-paused-pause = Its processes are paused already.
refuse-paused-join = All processes in its control group are paused: another process would not run.
refuse-restarting = Between two runs it has no process.
refuse-not-paused = Only a paused container can be unpaused.
refuse-live-rm = Its processes use the files that rm would remove.
refuse-dead = Only its name is known.

refusal = cannot { $verb } `{ $name }`: { $reason }
reason-paused = it is paused
reason-not-running = it is not running
reason-already-paused = it is already paused
reason-restarting = it is restarting
reason-not-paused = it is not paused
reason-running = it is running
reason-dead = it is dead: its record is damaged or its removal stopped half-way
now-legal = Now legal: { $verbs }

## The diagram

diagram-title = The life cycle of a container
diagram-title-of = The life cycle of `{ $name }`
diagram-here = here now
diagram-legal = from here: { $verbs }
diagram-removed = removed
status-created = created
status-running = running
status-paused = paused
status-restarting = restarting
status-exited = exited
status-dead = dead
costs-created = disk only
costs-running = CPU, memory, disk
costs-paused = memory, disk
costs-restarting = disk only
costs-exited = disk only
costs-dead = disk only
by-itself = exits

## Resources

resources-title = Resources of `{ $name }`
resources-now = now ({ $status })
resources-status = STATUS
resources-time = TIME
resources-cpu = CPU TIME
resources-cpu-share = CPU
resources-memory = MEMORY
resources-disk = DISK
resources-processes = PROCESSES
resources-plot = CPU, and memory up to { $most }, in the last { $seconds } s
resources-nothing = nothing measured yet: it has not run

## explain

explain-plan = What `{ $verb }` will do with `{ $name }`: { $count ->
    [one] one step
   *[other] { $count } steps
}. Nothing is done now.
explain-nothing = `{ $verb }` has nothing to do: `{ $name }` is { $status }.
explain-container = `{ $name }` is { $status }: { $command }
explain-made-of = created from the image { $image }, { $created }
explain-namespaces = Namespaces
explain-own = private
explain-shared = shared with { $with }
explain-host = the host
explain-processes = Processes, on the host and inside
explain-host-pid = ON THE HOST
explain-container-pid = INSIDE
explain-command = COMMAND
explain-cgroup = Control group: usage and limits
explain-uses = uses { $cpu } of CPU time, { $memory } of memory, { $count ->
    [one] one process or thread
   *[other] { $count } processes and threads
}
explain-limits = limits: { $limits }
explain-no-limits = no limits: it may use all resources of the host
explain-mounts = Mounts
explain-read-only = read-only
explain-layers = Files: from the bottom to the top
explain-layer = { $size }, { $count ->
    [one] one file
   *[other] { $count } files
}
explain-such-as = such as { $paths }
explain-hides = hides { $paths }
explain-written = its writable layer: { $size }
explain-written-sealed = its top layer; the root is read-only, so nothing is written to it
explain-difference = { $added } added, { $changed } changed, { $deleted } deleted
explain-difference-unknown = Its changes cannot be listed: { $reason }
explain-ports = Listens on TCP { $ports }, inside
explain-no-process = It has no process, so it has no namespaces, no memory and no CPU time: only files.
explain-image = Image { $name }: { $size }, { $count ->
    [one] one layer
   *[other] { $count } layers
}
explain-config = Defaults of its containers
explain-runs = runs
explain-env = environment
explain-workdir = directory
explain-user = user
explain-ports-declared = ports
explain-volumes = volumes
explain-history = How it was built
explain-a-container-adds = A container adds: one empty directory on top for what it writes, a name, and a record of a few small files. The layers are shared, never copied.
explain-users = used by { $names }

sources-title = Where `{ $path }` of `{ $name }` comes from, from the top:
sources-none = no layer has this path
sources-mount = a mount of { $kind } at { $path }
sources-own = its writable layer
sources-layer = layer { $number } of its image
sources-file = a file of { $size }
sources-link = a link, { $at } -> { $to }; look up its target
sources-directory = a directory, merged with any below
sources-opaque = a directory that hides those below
sources-hidden = a whiteout, which hides what is below
sources-unseen = (hidden by what is above)

## trace

trace-total = { $count ->
    [one] one step
   *[other] { $count } steps
} in { $time }
trace-nothing = no steps: neither the kernel nor a monitor was needed
trace-line = line { $line }
trace-failed = failed: { $reason }
trace-next = Enter: continue   c: continue without stops

## report

report-title = What { $script } did
report-timeline = Timeline
report-script = The script
report-events = Events
report-output = Output
report-exit = exit code { $code }
report-duration = took { $time }
report-cpu = CPU
report-memory = memory
report-none = The script used no container.
report-log = last lines of the log
report-lang = en
report-created = created by lifebox { $version }
report-show = show all events
report-started = began { $time }
report-count = { $count ->
    [one] one container
   *[other] { $count } containers
}
report-failed = What went wrong
report-state = state
report-removed = removed
report-peak = peak { $value }
report-lines = lines
report-silent = The container wrote nothing.
report-quiet = The script printed nothing.
report-hint = Point at a container, or tap it, to see the last lines of its log and where the script uses it.
report-time = time
report-container = container
report-event = event
report-line = line
report-more = { $count } more are not shown.
report-left-out = { $count } bytes in the middle are left out.

## learn

learn-welcome = Welcome. In { $count ->
    [one] one short lesson
   *[other] { $count } short lessons
} you will create, watch and remove containers in this REPL.
    Everything is real: real containers on this host, in a separate store, which is emptied when you leave.
learn-how = Type at the prompt what you want to try. After each input lifebox checks the real state, not what you typed: any way to reach it is right.
    :hint gives a hint, :skip skips a step, :lesson shows the task again, :lessons lists all lessons, :restart starts the lesson over, :quit leaves. Your progress is saved.
learn-lesson = Lesson { $number } of { $count }: { $title }
learn-predict = First guess:
learn-choose = Type the number of your answer.
learn-not-a-choice = Type a number from 1 to { $count }.
learn-right = Right.
learn-wrong = Not quite: the answer is { $number }.
learn-task = Now do it:
learn-step = Step { $number } of { $count }:
learn-done-step = Done.
learn-done = Lesson finished: { $title }
learn-course-done = That was the last lesson.
learn-all-done = That was the last lesson. You have created, run, paused, stopped and removed containers, and built an image.
    Continue with: help(), diagram(), explain(run("host", "sleep 100")).
learn-not-yet = Not yet: { $hint }
learn-next = Enter or :next continues with: { $title }
learn-progress = { $done } of { $count } done
learn-skipped = Skipped.
learn-keys = (:hint for a hint, :skip to skip, :lessons, :restart, :quit)
learn-no-question = No question is open: complete this step at the prompt.
learn-not-done = This step is not done yet: type :hint for a hint, or :skip to skip it.
learn-no-cgroup = Your user has no control group on this host, so containers cannot be paused, measured or limited. :skip the steps that need it; `lifebox info` shows how to enable it.
learn-no-hint = there is no hint for this step: read the task again with :lesson
learn-bye = Your progress is saved: `lifebox learn` continues from here.
learn-list-done = done
learn-list-open = open
learn-list-now = now
learn-restart = (start over with lifebox learn --restart)

## docker

docker-seconds = Docker takes only whole seconds for --stop-timeout
docker-entrypoint = Docker's --entrypoint takes one word: the others stand before the command
docker-health = Docker passes the command of --health-cmd to a shell

## The commands of the prompt

prompt-title = The prompt
prompt-help = list all functions, or describe one
prompt-quit = quit, as Ctrl-D does
prompt-load = run a script in this session
prompt-edit = edit the last input in $VISUAL or $EDITOR, and run it
prompt-save = save the successful inputs as a script
prompt-ps = list all containers
prompt-images = list all images
prompt-vars = list the variables and functions of this session
prompt-time = run code and print how long it took
prompt-history = print the last inputs
prompt-clear = clear the screen
prompt-watch = show its life cycle and resource usage, until Ctrl-C
prompt-learn = take lessons about containers
prompt-last = the last value; a line that ends in `;` shows none
