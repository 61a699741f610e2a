#define _GNU_SOURCE	/* CLONE_THREAD */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "net/confine_part.h"

/*
 * What serving uses of the kernel.  All else is refused as EPERM: sockets,
 * execve, ptrace, kill and the like; ioctl too.
 */
static const int calls[] = {
	/* files by name: Landlock says which */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(linkat),
	/* open ones */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
	SCMP_SYS(_llseek), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(fstat),
	SCMP_SYS(fstat64), SCMP_SYS(fcntl), SCMP_SYS(fcntl64),
	SCMP_SYS(flock), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64), SCMP_SYS(getdents64),
	SCMP_SYS(poll), SCMP_SYS(ppoll),
	/* memory and threads */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	/* the process, as it is */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(uname),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(nanosleep), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack)
};
#define NCALLS (sizeof(calls) / sizeof(*calls))

#define ARG(n, mask, value) \
	SCMP_CMP(n, SCMP_CMP_MASKED_EQ, (mask), (value))

/* Those that are allowed in one way, and others not. */
static int
allow_some(scmp_filter_ctx f)
{
	const scmp_datum_t low = 0xffffffff, me = (scmp_datum_t)getpid();
	int bad = 0;

	/* No code that was not there at the start. */
	bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    ARG(2, PROT_EXEC, 0));
	bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap2), 1,
	    ARG(2, PROT_EXEC, 0));
	bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	    ARG(2, PROT_EXEC, 0));
	/* Threads, and no processes.  What clone3 is to do lies in memory,
	 * where a filter cannot look; without it, clone is used. */
	bad |= seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
	    0);
	bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	    ARG(0, CLONE_THREAD, CLONE_THREAD));
	/* Limits are read, not set. */
	bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
	    SCMP_CMP(2, SCMP_CMP_EQ, 0, 0));
	/* abort(3) */
	bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    ARG(0, low, me));
	return bad;
}

static int
load(scmp_filter_ctx f, struct err *e)
{
	int bad = allow_some(f);

	for (size_t i = 0; i < NCALLS; i++)
		bad |= seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	bad |= seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (bad == 0 && seccomp_load(f) == 0)
		return 1;
	return err_set(e, ERR_SYS, "seccomp: the filter was refused");
}

int
confine_calls(struct err *e)
{
	scmp_filter_ctx f;
	int got;

	if (CONFINE_NEVER)
		return 0;
	/* The kernel looks at the filter only if it has any. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) != 0 &&
	    errno != EFAULT)
		return 0;
	if ((f = seccomp_init(SCMP_ACT_ERRNO(EPERM))) == NULL)
		return err_set(e, ERR_SYS, "seccomp: out of memory");
	got = load(f, e);
	seccomp_release(f);
	return got;
}
