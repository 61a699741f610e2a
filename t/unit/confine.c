/* confine: what a confined process can still do, and what not. */
#define _GNU_SOURCE
#include "scratch.h"

#include <linux/landlock.h>
#include <pthread.h>
#include <seccomp.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/parallel.h"
#include "net/confine.h"
#include "store/chain.h"
#include "store/object.h"

static struct err e;
static struct repo *r;
static bool files, calls;		/* this kernel has the means */
static char lines[2][200];		/* that confine told */
static int nlines;

static void
tell(void *arg, const char *line)
{
	(void)arg;
	if (nlines < 2)
		snprintf(lines[nlines], sizeof(lines[0]), "%s", line);
	nlines++;
}

/*
 * Run it in a process that is confined to the ledger A, unless confine
 * refuses.  What it checks counts here too.
 */
static void
confined(void (*work)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		checks_failed = 0;
		CHECK(repo_open(&r, "A", &e) == 0);
		CHECK(confine(r, tell, NULL, &e) == 0);
		if (checks_failed == 0)
			work();
		fflush(stdout);
		_exit(checks_failed != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (WIFSIGNALED(status))
		printf("it ended by signal %d\n", WTERMSIG(status));
}

/* --- files ---------------------------------------------------------------- */

/* Can it be opened so? */
static bool
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
no_files(void)
{
	static const char *const closed[] = { "A/.ehr/node.key",
	    "A/.ehr/secret", "A/.ehr/genesis", "A/.ehr/config",
	    "A/.ehr/state.db", "A/.ehr/hooks/h", "A/other", "outside",
	    "A/.ehr/tmp/link", "A/.ehr/tmp/../node.key", "/etc/passwd",
	    "/proc/self/environ", "/proc/self/mem", "/proc/self/cwd/outside",
	    "B/.ehr/objects/seg/x", "B/.ehr/node.key", "A/.ehr-more/tmp/x" };

	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		CHECK(!opens(closed[i], O_RDONLY));
		CHECK(!opens(closed[i], O_WRONLY));
		CHECK(!opens(closed[i], O_WRONLY | O_TRUNC));
		CHECK(!opens(closed[i], O_WRONLY | O_APPEND));
	}
	CHECK(!opens("A/.ehr/new", O_WRONLY | O_CREAT));
	CHECK(!opens("A/new", O_WRONLY | O_CREAT));
	CHECK(!opens("new", O_WRONLY | O_CREAT));
	CHECK(!opens("A/.ehr/logs/new", O_WRONLY | O_CREAT));
	CHECK(!opens("A/.ehr/peers", O_WRONLY));
	CHECK(unlink("A/.ehr/node.key") != 0);
	CHECK(rename("A/.ehr/node.key", "A/.ehr/tmp/key") != 0);
	CHECK(link("A/.ehr/node.key", "A/.ehr/tmp/key") != 0);
	CHECK(rename("outside", "A/.ehr/tmp/out") != 0);
	CHECK(rename("A/.ehr/tmp/in", "in") != 0);
	CHECK(rename("A/.ehr/tmp/in", "A/.ehr/config") != 0);
	CHECK(rename("A/.ehr/tmp/in", "A/.ehr/hooks/in") != 0);
	CHECK(mkdir("A/.ehr/more", 0700) != 0);
	CHECK(rmdir("A/.ehr/hooks") != 0);
}

static void
no_attributes(void)
{
	CHECK(symlink("../node.key", "A/.ehr/tmp/symlink") != 0);
	CHECK(chmod("A/.ehr/node.key", 0644) != 0);
	CHECK(fchmod(r->dirfd, 0755) != 0);
	CHECK(chown("A/.ehr/node.key", 1, 1) != 0);
	CHECK(mknod("A/.ehr/tmp/fifo", S_IFIFO | 0600, 0) != 0);
}

/* What serving does with files. */
static void
uses(void)
{
	struct identity id;
	struct hash secret, object;
	struct head h;

	CHECK(repo_node_key(r, &id, &e) == 0);
	CHECK_STR(id.name, "hospital-a");
	identity_wipe(&id);
	CHECK(repo_node_key(r, &id, &e) == 0);
	identity_wipe(&id);
	CHECK(repo_secret(r, &secret, &e) == 0);
	CHECK(chain_head(&h, r, &e) == 0 && h.height == 0);
	CHECK(object_put(r, span_str("some bytes"), &object, &e) == 0);
	CHECK(object_check(r, &object, &e) == 0);
	for (int i = 0; i < 2; i++) {
		int lock = repo_lock(r, 1000, &e);

		CHECK(lock >= 0);
		close(lock);
	}
	CHECK(opens("A/.ehr/peers", O_RDONLY));
	CHECK(opens("A/.ehr/staging/x", O_WRONLY | O_CREAT | O_TRUNC));
	CHECK(rename("A/.ehr/staging/x", "A/.ehr/quarantine/x") == 0);
	CHECK(unlink("A/.ehr/quarantine/x") == 0);
	CHECK(fs_sync_dir(r->dirfd, "quarantine", &e) == 0);
	repo_close(r);
}

/* --- calls ---------------------------------------------------------------- */

static void
count(void *arg, unsigned worker, size_t i)
{
	(void)worker;
	((char *)arg)[i]++;
}

static void *
nothing(void *arg)
{
	return arg;
}

static void
calls_left(void)
{
	struct rlimit l;
	char done[1000] = "";
	pthread_t thread;
	void *more;

	CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0 &&
	    pthread_join(thread, NULL) == 0);
	parallel_run(sizeof(done), 1, count, done);
	for (size_t i = 0; i < sizeof(done); i++)
		CHECK(done[i] == 1);
	CHECK((more = malloc(32u << 20)) != NULL);
	memset(more, 1, 32u << 20);
	free(more);
	CHECK(getrlimit(RLIMIT_NOFILE, &l) == 0);
	CHECK(getrandom(done, 8, 0) == 8);
}

static void
no_calls(void)
{
	static const long refused[] = { SYS_execveat, SYS_socket,
	    SYS_socketpair, SYS_connect, SYS_bind, SYS_ptrace,
	    SYS_process_vm_readv, SYS_kill, SYS_tkill, SYS_mount, SYS_chroot,
	    SYS_unshare, SYS_setns, SYS_setuid, SYS_capset, SYS_bpf,
	    SYS_io_uring_setup, SYS_keyctl, SYS_memfd_create, SYS_openat2,
	    SYS_open_by_handle_at, SYS_pidfd_open, SYS_inotify_init1,
	    SYS_ioctl, SYS_prctl, SYS_seccomp, SYS_personality, SYS_syslog,
	    SYS_setxattr, SYS_fchmodat, SYS_fchownat, SYS_utimensat,
	    SYS_truncate, SYS_pipe2, SYS_dup3 };
	char *argv[] = { (char *)"true", NULL };
	struct rlimit l = { 4096, 4096 };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		errno = 0;
		CHECK(syscall(refused[i], -1, -1, -1, -1, -1, -1) == -1 &&
		    errno == EPERM);
		if (errno != EPERM)
			printf("call %ld: %s\n", refused[i], strerror(errno));
	}
	CHECK(execv("/bin/true", argv) == -1 && errno == EPERM);
	CHECK(fork() == -1);
	CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) != 0);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK(mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &l) != 0);
	CHECK(syscall(SYS_tgkill, getppid(), getppid(), 0) == -1 &&
	    errno == EPERM);
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0);
}

/* --- where there is nothing of it ----------------------------------------- */

/* A kernel without Landlock and seccomp. */
static void
lacking(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		checks_failed = 0;
		CHECK(seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
		    SCMP_SYS(landlock_create_ruleset), 0) == 0);
		CHECK(seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL),
		    SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ,
		    PR_SET_SECCOMP)) == 0);
		CHECK(seccomp_load(f) == 0);
		CHECK(repo_open(&r, "A", &e) == 0);
		CHECK(confine(r, tell, NULL, &e) == 0);
		CHECK(nlines == 2 && strstr(lines[0], "Landlock") != NULL &&
		    strstr(lines[1], "seccomp") != NULL);
		CHECK(opens("outside", O_RDONLY));
		uses();
		fflush(stdout);
		_exit(checks_failed != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	seccomp_release(f);
}

/* A part that leads elsewhere is refused, whatever the kernel has. */
static void
leads_out(void)
{
	static const char *const part[] = { "objects", "blocks", "tmp",
	    "staging", "consensus", "lock", "peers" };
	char path[64], moved[64];

	CHECK(mkdir("elsewhere", 0700) == 0);
	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++) {
		snprintf(path, sizeof(path), "A/.ehr/%s", part[i]);
		snprintf(moved, sizeof(moved), "elsewhere/%s", part[i]);
		CHECK(rename(path, moved) == 0);
		/* It would even work. */
		snprintf(moved, sizeof(moved), "../../elsewhere/%s", part[i]);
		CHECK(symlink(moved, path) == 0);
		CHECK(repo_open(&r, "A", &e) == 0);
		/* Not confined: it is refused before. */
		CHECK(confine(r, tell, NULL, &e) == -1 && e.kind == ERR_NO);
		CHECK(strstr(e.msg, "symbolic link") != NULL &&
		    strstr(e.msg, part[i]) != NULL);
		CHECK(opens("outside", O_RDONLY));
		repo_close(r);
		CHECK(unlink(path) == 0 && rename(moved + 6, path) == 0);
	}
}

static void
tells_nothing(void)
{
	CHECK(nlines == 0);
}

static void
prepare(void)
{
	struct buf key = BUF_INIT(IDENTITY_FILE_MAX);

	scratch_ledger("A");
	scratch_ledger("B");
	people_file(&key, "hospital-a", "hospital-a");
	scratch_write("A/.ehr/node.key", key.p, key.len);
	CHECK(chmod("A/.ehr/node.key", 0600) == 0);
	scratch_text("A/.ehr/hooks/h", "#!/bin/sh\n");
	scratch_text("A/.ehr/tmp/in", "one\n");
	scratch_text("A/.ehr/peers", "one\n");
	scratch_text("A/other", "one\n");
	scratch_text("outside", "one\n");
	scratch_text("B/.ehr/objects/seg/x", "one\n");
	CHECK(mkdir("A/.ehr-more", 0700) == 0 &&
	    mkdir("A/.ehr-more/tmp", 0700) == 0);
	scratch_text("A/.ehr-more/tmp/x", "one\n");
	CHECK(symlink("../node.key", "A/.ehr/tmp/link") == 0);
	/* A lock is there when others have been. */
	scratch_text("A/.ehr/lock", "1\n");
	buf_free(&key);
}

/* What of it can be tried here: with a sanitizer, confine does nothing. */
static void
probe(void)
{
#ifdef EHR_MEASURED
	printf("skip: sanitizers and gcov are not confined\n");
#else
	files = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION) >= 2;
	calls = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 &&
	    errno == EFAULT;
	if (!files)
		printf("skip files: this kernel has no Landlock\n");
	if (!calls)
		printf("skip calls: this kernel has no seccomp\n");
#endif
}

int
main(void)
{
	scratch_open();
	prepare();
	probe();
	leads_out();
	confined(uses);
	confined(calls_left);
	if (files)
		confined(no_files);
	if (calls)
		confined(no_calls);
	if (files && calls) {
		confined(no_attributes);
		confined(tells_nothing);
		lacking();
	}
	scratch_close();
	return check_done("confine");
}
