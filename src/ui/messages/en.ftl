### The texts of teaching in English. `ko.ftl` has the same; a test finds what one of them lacks.
### What a step or act does is said by itself in English (`Deed::what`), so here is only its why.

## Who

who-client = lifebox, as you called it
who-monitor = the monitor, a small process that stays beside the container
who-init = init, the container's first process, before it becomes your program

## Steps of init: why

step-close-inherited =
    .why = A file that is left open by mistake would be a way back to the host.
step-die-with-monitor =
    .why = If the monitor is killed, the kernel ends the container too: nothing runs unwatched.
step-set-oom-score =
    .why = When memory runs out, the container is a candidate like any other process; the monitor is not.
step-join-cgroups =
    .why = A control group counts and limits what the process and all its children use: CPU, memory, processes.
step-new-cgroup-namespace =
    .why = Inside, the container's own control group looks like the root of all.
step-clear-dumpable =
    .why = While this process still has the host's rights, nobody may look into it or take a core dump of it.
step-new-keyring =
    .why = The kernel keeps keys for each session; the container must not inherit the host's.
step-new-session =
    .why = A session of its own: your terminal's Ctrl-C and hang-ups do not reach it.
step-bring-loopback-up =
    .why = A new network namespace has only `lo`, and that is down: now programs inside can talk to 127.0.0.1.
step-make-mounts-slave =
    .why = What is mounted from here on stays in the container's mount namespace: `mount` on the host shows nothing of it.
step-mount-root =
    .why = The image's layers, read-only, with a writable directory on top, look like one file system. What the container writes goes to that directory; the image stays as it is, and all containers share it.
step-bind-root =
    .why = This container has its own copy of the image's files, because overlay does not work here.
step-mount =
    .why = Programs expect this file system. It shows only what belongs to the container's namespaces.
step-bind-file =
    .why = A small file that lifebox wrote for this container shows in place of the image's: its name, its hosts, its resolver.
step-bind-device =
    .why = A device of the host shows inside, because it was asked for.
step-make-device =
    .why = The few devices that every program needs are made anew; the host's disks are not among them.
step-make-link =
    .why = Programs expect this link.
step-pivot-root =
    .why = The new root becomes `/`, and the host's is let go: from here on no path leads to the host's files.
step-close-host-fds =
    .why = Open directories of the host would lead out again (CVE-2024-21626).
step-join-namespaces =
    .why = A further process in a running container shares what the first one has.
step-open-null-input =
    .why = Nobody types into this container, so its standard input is empty.
step-open-terminal =
    .why = The container gets a terminal of its own; yours stays outside.
step-write-sysctl =
    .why = This kernel parameter belongs to the container's namespaces, so setting it does not touch the host.
step-set-hostname =
    .why = A UTS namespace has a host name of its own; by default it is the beginning of the container's id.
step-make-readonly =
    .why = What is here changes the whole kernel, so the container may only read it.
step-remount-readonly =
    .why = All that belongs here is mounted; from now on it can only be read.
step-mask =
    .why = What is here tells of the host, so the container sees something empty in its place.
step-set-limit =
    .why = A limit that every process of the container inherits.
step-reset-signals =
    .why = The program begins with the usual handling of signals, whatever the caller ignored.
step-reset-personality =
    .why = The program begins as a plain Linux process.
step-reset-schedule =
    .why = The container runs on any processor at the usual priority; only its control group says how much it gets.
step-set-umask =
    .why = New files get the usual modes.
step-set-cwd =
    .why = The program begins in this directory; it is walked step by step, so that no link leads out.
step-remount-root-readonly =
    .why = It was asked for (`--read-only`): the program can write only to volumes and tmpfs.
step-set-no-new-privs =
    .why = It was asked for: no set-user-id program raises anybody's rights.
step-load-seccomp =
    .why = seccomp: from here on the kernel asks this filter at each system call. What no ordinary program needs (loading modules, setting the clock, ...) is refused.
step-set-apparmor-profile =
    .why = AppArmor confines the program by this profile from its execution on.
step-set-selinux-label =
    .why = SELinux confines the program by this label from its execution on.
step-set-credentials =
    .why = The user is looked up in the container's own `/etc/passwd`. It is the user of the same number as on the host, with { $kept } of { $all } capabilities, the parts of root's power; the others can't be had again.
step-set-credentials-root =
    .why = User 0 inside is user 0 of the host as well: there is no user namespace. What makes it weaker is that it keeps only { $kept } of { $all } capabilities, the parts of root's power; the others can't be had again.
step-set-credentials-root-nested =
    .why = Root inside is you outside: the user namespace maps it to your own user. It keeps { $kept } of { $all } capabilities, and those count only for what belongs to the container.
step-close-descriptors =
    .why = The program gets standard input, output and error, and nothing else that was open.
step-execute =
    .why = This process becomes your program: the same process id, new code.
step-execute-first =
    .why = This process becomes your program: the same process id, new code. It is PID 1 inside, the first of its process namespace.
step-execute-init =
    .why = This process becomes the small `init` that you asked for: PID 1 inside. It starts your program, passes signals on to it, and takes the exit codes of processes that nobody waits for.
step-join-namespace =
    .why = It was asked for: the two containers share this.
step-open-dev-shm =
    .why = Who shares IPC shares `/dev/shm` as well.
step-set-domainname =
    .why = It was asked for.
step-open-bind-source =
    .why = What is shown of the host is opened before anything of the image is mounted, so that the image can't swap it.
step-copy-up-volume =
    .why = A new, empty volume begins with what the image has at its place, as Docker does.
step-attach-bind =
    .why = A volume or a directory of the host shows inside at this path.
step-mount-tmpfs =
    .why = It was asked for: a file system in memory, gone when the container ends.

## Operations of client and monitor: why

step-write-files =
    .why = A container is, at first, three small files and an empty directory. No process, no CPU, no memory.
step-claim-name =
    .why = The name is a symbolic link that can be made only once: that is how two containers can't have the same.
step-take-lock =
    .why = Who holds the lock may change the container. While it runs, its monitor holds it.
step-start-monitor =
    .why = There is no daemon: each running container has one small process that keeps its log, answers you, and notes its end.
step-ask-monitor =
    .why = Only the monitor changes a container that runs, so two commands at once can't get in each other's way.
step-remove-files =
    .why = Its files, its log and its record go. The image stays.
step-make-cgroup =
    .why = The directory is the control group: the kernel counts and limits there what the container uses.
step-set-limits =
    .why = Numbers in files, such as `memory.max`: the kernel holds the container to them.
step-open-log =
    .why = What the program writes to standard output and error goes here, a record for each line.
step-clone =
    .why = One system call makes the process and its namespaces. Each namespace is a view of its own: of processes, mounts, network, host name, IPC.
step-join-pid-namespace =
    .why = It was asked for: the process is made in the process namespace of the other container, so both see the same processes.
step-clone-plain =
    .why = A further process, which then joins the namespaces that the container has.
step-wait-for-exec =
    .why = A pipe that closes when the program is executed: so `start` returns only when it really runs, or says why not.
step-write-state =
    .why = `state.json` says how the container is, so every command sees the same.
step-freeze =
    .why = The kernel stops scheduling its processes where they are. They keep their memory and use no CPU; they are not told.
step-thaw =
    .why = The processes go on exactly where they were.
step-send-signal =
    .why = A signal is a request, except SIGKILL. A PID 1 without a handler for it never hears of it.
step-wait-for-exit =
    .why = The grace time: the program may put things in order. When it is over, SIGKILL ends it, and the exit code is 137.
step-reap =
    .why = The kernel keeps the exit code until somebody asks for it.
step-remove-cgroup =
    .why = No process is left in it: memory and CPU are given back.

## Why a container is as it is

why-not-started = `{ $name }` was made and never started: there is no process, only files.
    .try = start it: start("{ $name }")
why-running = `{ $name }` runs.
    .try = see what it does: logs("{ $name }"), top("{ $name }")
why-paused = `{ $name }` is paused: its processes are frozen. They keep their memory and use no CPU.
    .try = unpause("{ $name }") lets it go on where it was
why-restarting = `{ $name }` ended with exit code { $code } and will be started again, as its restart policy says.
    .try = look at logs("{ $name }") for the cause; stop("{ $name }") ends the circle
why-damaged = The record of `{ $name }` is damaged.
    .try = it can only be removed: rm("{ $name }", #{"{"} force: true {"}"})
why-program-missing = `{ $program }` was not found (exit code 127). It was looked for in { $path }.
    .try = write its path in full, choose an image that has it, or set PATH with env
why-file-missing = `{ $program }` is not in the image (exit code 127), or the interpreter that its first line names is not.
    .try = look what is there: explain(image("{ $image }"))
why-program-refused = `{ $program }` is there but can't be executed (exit code 126).
    .try = is it a program for this processor, with its executable bit set?
why-start-failed = `{ $name }` could not be started: { $error }
    .try = what it says is in the way; explain("start", "{ $name }") shows the steps
why-done = Its program was done and said that all went well (exit code 0).
    .try = a container lives as long as its first program; start it again, or give it a program that stays
why-failed = Its program ended by itself with exit code { $code }: by convention a failure of its own.
    .try = the reason is most likely in its last lines: logs("{ $name }")
why-out-of-memory = The kernel killed it (exit code { $code }): it wanted more memory than its limit of { $limit }. It had { $peak } at most.
    .try = raise the limit, update("{ $name }", #{"{"} memory: "..." {"}"}), or make the program use less
why-machine-full = The kernel killed it (exit code { $code }): the machine had no memory left. It had { $peak } at most.
    .try = give it a limit, so that it can't take all: memory: "256m"
why-killed-unhandled = It was asked to stop with { $signal }, but its first process has no handler for { $signal }, and PID 1 of a container gets no signal that it does not handle. After { $seconds } s it was killed (exit code 137).
    .try = make the program handle { $signal }, or start it with init: true, which passes signals on
why-killed-late = It was asked to stop with { $signal } and has a handler for it, but was not done after { $seconds } s and was killed (exit code 137).
    .try = give it more time: stop("{ $name }", 30)
why-stopped = It was asked to stop with { $signal } and ended in time (exit code { $code }).
    .try = its files and its log are kept: start("{ $name }") runs it again
why-killed = Somebody killed it with { $signal } (exit code { $code }).
    .try = stop() asks first and kills later
why-signalled = { $signal } ended it (exit code { $code }: 128 + { $number }), and lifebox did not send it: { $meaning }.
    .try = the reason is most likely in its last lines: logs("{ $name }")
why-unhealthy = `{ $name }` runs, but its health check fails.
    .try = see what the check says: inspect("{ $name }").State.Health
why-failed-not-found = Its program ended with exit code 127: by convention of shells, a command that it called was not found.
    .try = is the command in the image? explain(image("{ $image }")), and logs("{ $name }") names it
why-failed-not-executable = Its program ended with exit code 126: by convention of shells, a command that it called can't be executed.
    .try = has the file its executable bit, and is it for this processor?
why-exited-like-signal = Its program ended by itself with exit code { $code }. A shell says so (128 + { $number }) of a program that was ended by { $signal }; nobody sent the container a signal.
    .try = the reason is most likely in its last lines: logs("{ $name }")
why-killed-ignored = It was asked to stop with { $signal }, but its program ignores { $signal }. After { $seconds } s it was killed (exit code 137).
    .try = make the program end at { $signal }, or choose a signal that it heeds: stop_signal: "INT"
why-lost-monitor = Its monitor was killed, and the kernel ended the container with it (exit code { $code }).
    .try = its files are kept: start("{ $name }") runs it again
why-lost-host = The machine was restarted while it ran (exit code { $code }).
    .try = its files are kept: start("{ $name }") runs it again
why-restarts = its restart policy started it { $count ->
    [one] once
   *[other] { $count } times
} anew before

last-words = its last lines

signal-SEGV = it touched memory that is not its own
signal-ABRT = it gave itself up, as after a failed assertion
signal-FPE = it divided by zero or so
signal-ILL = it met an instruction that this processor does not have
signal-BUS = it touched memory that is not there
signal-SYS = it called something that its system call filter kills for
signal-PIPE = it wrote where nobody reads any more
signal-KILL = a process of the container or somebody on the host sent it
signal-TERM = a process of the container or somebody on the host sent it
signal-other = a process of the container, somebody on the host or the kernel sent it

## Refusals: why, in one sentence

refuse-paused-start = Its processes are there, only frozen: there is nothing to start.
refuse-idle-kill = Without a process nobody is there to get a signal.
refuse-idle-pause = Without a process there is nothing to freeze.
refuse-idle-top = Without a process there is nothing to list.
refuse-idle-attach = Attaching connects you to its running program, and there is none.
refuse-idle-join = A further program shares the namespaces of the first, and those end with it.
refuse-paused-pause = Its processes are frozen already.
refuse-paused-join = All that is in its control group is frozen: a further program would not run.
refuse-restarting = Between two runs it has no process.
refuse-not-paused = Only what is frozen can be thawed.
refuse-live-rm = Its processes use the files that would go.
refuse-dead = Nothing is known of it but its name.

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

diagram-title = The life of a container
diagram-title-of = The life of `{ $name }`
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
by-itself = ends

## Resources

resources-title = What `{ $name }` uses
resources-now = now ({ $status })
resources-status = STATUS
resources-time = TIME
resources-cpu = CPU TIME
resources-cpu-share = CPU
resources-memory = MEMORY
resources-disk = DISK
resources-processes = PROCESSES
resources-plot = CPU, and memory up to { $most }, in the last { $seconds } s
resources-nothing = nothing was measured yet: it has not run

## explain

explain-plan = What `{ $verb }` will do with `{ $name }`: { $count ->
    [one] one step
   *[other] { $count } steps
}. Nothing is done now.
explain-nothing = `{ $verb }` has nothing to do: `{ $name }` is { $status }.
explain-container = `{ $name }` is { $status }: { $command }
explain-made-of = made of the image { $image }, { $created }
explain-namespaces = Namespaces: what it sees of its own
explain-own = its own
explain-shared = shared with { $with }
explain-host = the host
explain-processes = Processes: the same ones, from both sides
explain-host-pid = ON THE HOST
explain-container-pid = INSIDE
explain-command = COMMAND
explain-cgroup = Control group: what it may use
explain-uses = uses { $cpu } of CPU time, { $memory } of memory, { $count ->
    [one] one process or thread
   *[other] { $count } processes and threads
}
explain-limits = limits: { $limits }
explain-no-limits = no limits: it may use all that the machine has
explain-mounts = Mounts: what it sees as files
explain-read-only = read-only
explain-layers = Files: from the bottom to the top
explain-layer = { $size }, { $count ->
    [one] one file
   *[other] { $count } files
}
explain-such-as = such as { $paths }
explain-hides = hides { $paths }
explain-written = its own layer, the only one it can write: { $size }
explain-written-sealed = its own layer; its root is read-only, so nothing gets there
explain-difference = { $added } added, { $changed } changed, { $deleted } deleted
explain-ports = Listens on TCP { $ports }, inside
explain-no-process = It has no process, so it has no namespaces, no memory and no CPU time: only files.
explain-image = Image { $name }: { $size }, { $count ->
    [one] one layer
   *[other] { $count } layers
}
explain-config = What containers of it begin with
explain-runs = runs
explain-env = environment
explain-workdir = directory
explain-user = user
explain-ports-declared = ports
explain-volumes = volumes
explain-history = How it was made
explain-a-container-adds = A container adds: one empty directory on top for what it writes, a name, and a record of a few small files. The layers are shared, never copied.
explain-users = used by { $names }

sources-title = Where `{ $path }` of `{ $name }` comes from, from the top:
sources-none = no layer has anything there
sources-mount = a mount of { $kind } at { $path }
sources-own = its own layer
sources-layer = layer { $number } of its image
sources-file = a file of { $size }
sources-link = a link, { $at } -> { $to }; ask for what it leads to
sources-directory = a directory, seen together with any below
sources-opaque = a directory that hides those below
sources-hidden = nothing, and it hides what is below
sources-unseen = (hidden by what is above)

## trace

trace-total = { $count ->
    [one] one step
   *[other] { $count } steps
} in { $time }
trace-nothing = nothing was done that the kernel or a monitor would know of
trace-line = line { $line }
trace-failed = failed: { $reason }
trace-next = Enter: go on   c: do not stop any more

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
report-none = It touched no container.
report-log = last lines of the log
report-lang = en
report-created = made by lifebox { $version }
report-show = show all events
report-started = began { $time }
report-count = { $count ->
    [one] one container
   *[other] { $count } containers
}
report-failed = What went wrong
report-state = state
report-removed = removed
report-peak = at most { $value }
report-lines = lines
report-silent = It wrote nothing.
report-quiet = It printed nothing.
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
} you will make containers, watch them and take them away, here in this REPL.
    Everything is real: real containers on this machine, in a store of their own, which is emptied when you leave.
learn-how = Type what you want to try at the prompt. After each input lifebox looks at what really is, not at what you typed: any way is right.
    :hint helps, :skip goes on, :lesson shows the task again, :lessons lists all, :restart begins the lesson anew, :quit leaves; your progress is kept.
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
learn-all-done = That was the last lesson. You have made, run, paused, stopped, removed and built containers: that is what all of it is about.
    Go on with: help(), diagram(), explain(run("host", "sleep 100")).
learn-not-yet = Not yet: { $hint }
learn-next = Enter or :next goes on with: { $title }
learn-progress = { $done } of { $count } done
learn-skipped = Skipped.
learn-keys = (:hint helps, :skip goes on, :lessons, :restart, :quit)
learn-no-question = There is no question open: this step is done by what you do.
learn-not-done = This step is not done yet: :hint helps, :skip goes on without it.
learn-no-cgroup = This user has no control group here, so nothing can be paused, counted or limited: :skip the steps that need it. `lifebox info` tells how to allow it.
learn-no-hint = no hint for this one: read the task again, :lesson shows it
learn-bye = Your progress is kept: `lifebox learn` goes on from here.
learn-list-done = done
learn-list-open = open
learn-list-now = now
learn-restart = (lifebox learn --restart begins anew)

## docker

docker-seconds = Docker counts the seconds of --stop-timeout in whole ones
docker-entrypoint = --entrypoint takes one word with Docker: the others stand before the command
docker-health = with Docker a shell reads the command of --health-cmd
