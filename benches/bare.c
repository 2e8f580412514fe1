/* The least that a container takes: one process in six namespaces of its own, an overlay, the usual
 * mounts, pivot_root, cgroups, exec, wait, and all of it removed again. No image, no log, no state, no
 * confinement. benches/peers.sh runs it in turn with the engines.
 *
 *     cc -O2 -static -o bare benches/bare.c
 *     bare LOWER WORK COUNT PROGRAM...     LOWER is a root, WORK an empty directory
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int failed, const char *what) {
    if (failed) {
        fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
        _exit(125);
    }
}

/* Of a host with cgroup v2 alone there is one hierarchy. */
static const char *cgroups[] = {
    "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/devices",
    "/sys/fs/cgroup/freezer", NULL,
};

static void node(const char *path, unsigned major, unsigned minor) {
    must(mknod(path, S_IFCHR | 0666, makedev(major, minor)), path);
}

static void set_up(const char *lower, const char *work) {
    char options[2048], root[512];
    const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "make mounts slaves");
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, work,
             work);
    snprintf(root, sizeof root, "%s/root", work);
    must(mount("overlay", root, "overlay", MS_NODEV, options), "overlay");
    must(chdir(root), root);
    must(mount("proc", "proc", "proc", safe, NULL), "proc");
    must(mount("sysfs", "sys", "sysfs", safe | MS_RDONLY, NULL), "sysfs");
    must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64m"), "dev");
    node("dev/null", 1, 3), node("dev/zero", 1, 5), node("dev/full", 1, 7);
    node("dev/random", 1, 8), node("dev/urandom", 1, 9), node("dev/tty", 5, 0);
    must(mkdir("dev/pts", 0755) || mkdir("dev/shm", 01777) || mkdir("dev/mqueue", 0755), "mkdir");
    must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=666"),
         "devpts");
    must(mount("shm", "dev/shm", "tmpfs", safe, "mode=1777,size=64m"), "shm");
    must(mount("mqueue", "dev/mqueue", "mqueue", safe, NULL), "mqueue");
    must(syscall(SYS_pivot_root, ".", ".") != 0, "pivot_root");
    must(umount2(".", MNT_DETACH), "umount");
    must(chdir("/"), "/");
    must(sethostname("bare", 4), "sethostname");
}

static void directories(const char *work, int make) {
    const char *const names[] = {"/upper", "/work", "/root", "/work/work"};
    char path[512];
    for (int at = make ? 0 : 3; make ? at < 3 : at >= 0; at += make ? 1 : -1) {
        snprintf(path, sizeof path, "%s%s", work, names[at]);
        must(make ? mkdir(path, 0755) : rmdir(path), path);
    }
}

static int run(const char *lower, const char *work, char **program) {
    char path[256];
    struct clone_args arguments = {
        .flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID,
        .exit_signal = SIGCHLD,
    };
    int ready[2], status;
    directories(work, 1);
    must(pipe2(ready, O_CLOEXEC), "pipe");
    for (int at = 0; cgroups[at]; at++) {
        snprintf(path, sizeof path, "%s/bare-%d", cgroups[at], getpid());
        must(mkdir(path, 0755), path);
    }
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    must(child < 0, "clone3");
    if (child == 0) {
        char go;
        must(read(ready[0], &go, 1) != 1, "read");
        must(unshare(CLONE_NEWCGROUP), "unshare");
        set_up(lower, work);
        execv(program[0], program);
        must(1, program[0]);
    }
    for (int at = 0; cgroups[at]; at++) {
        char number[16];
        snprintf(path, sizeof path, "%s/bare-%d/cgroup.procs", cgroups[at], getpid());
        int procs = open(path, O_WRONLY | O_CLOEXEC);
        int length = snprintf(number, sizeof number, "%ld", child);
        must(procs < 0 || write(procs, number, (size_t)length) != length, path);
        close(procs);
    }
    must(write(ready[1], "", 1) != 1, "write");
    must(waitpid((pid_t)child, &status, 0) < 0, "wait");
    close(ready[0]), close(ready[1]);
    for (int at = 0; cgroups[at]; at++) {
        snprintf(path, sizeof path, "%s/bare-%d", cgroups[at], getpid());
        must(rmdir(path), path);
    }
    directories(work, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int count, char **words) {
    int code = 0;
    if (count < 5) {
        fputs("usage: bare LOWER WORK COUNT PROGRAM...\n", stderr);
        return 125;
    }
    if (access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0) {
        cgroups[0] = "/sys/fs/cgroup";
        cgroups[1] = NULL;
    }
    for (int left = atoi(words[3]); left > 0; left--) code = run(words[1], words[2], words + 4);
    return code;
}
