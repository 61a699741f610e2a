/*
 * sim: the consensus core in a world that one seed decides.
 *
 * A world has n delegates.  Honest ones are driven exactly as core.h tells a
 * driver to: a journal that keeps what was synced, certificates, bodies, a
 * chain.  A twin is an honest delegate that runs twice, with one key and two
 * journals.  A faulty one is played by an adversary who sees everything, keeps
 * every message, and signs what it likes with the keys of the faulty.
 *
 * A run has two phases.  In the first everything may happen: messages are
 * lost, delayed, doubled and reordered, links cut in one direction or both,
 * delegates crash between any two actions and in the middle of a write, lose
 * their journals or their disks.  Then faults stop for M honest delegates, and
 * they must make blocks within a bounded time.  After every event check.c
 * looks for a broken promise; the first one ends the run.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "dbft/core.h"

#define N_MAX 8			/* delegates */
#define INST_MAX (2 * N_MAX)	/* running copies of them */
#define HEIGHTS 64
#define BLOCKS 1024
#define JOURNAL 4096		/* records of one instance */
#define HEARD 1024		/* votes that passive ones got */
#define CERTS 64		/* that an instance knows, of one height */
#define PACKETS 4096		/* under way */
#define VOTES 8192		/* signed in a run */
#define BASE_MS 1000		/* time-out of view 0 */
#define CAP_MS 32000
#define EPOCH_MS 1000000000LL	/* what clocks show at the beginning */

enum role {
	HONEST,
	TWIN,			/* one of two instances of one delegate */
	FAULTY			/* no code runs; the adversary has the key */
};

struct block {
	uint64_t height;
	bool valid;
};

struct proof {
	struct dbft_cert c;
	bool disk;
};

/* A running copy of a delegate: what a node has on disk and in memory. */
struct inst {
	unsigned me;			/* the delegate */
	enum role role;
	bool up;
	bool alone;			/* pipes: has no active process */
	uint64_t cut;			/* delegates that it can't reach */
	/* disk */
	struct dbft_record journal[JOURNAL];
	size_t records;
	size_t synced;			/* of them, survive a crash */
	size_t first;			/* first of the present height */
	struct proof certs[CERTS];	/* not all on disk */
	size_t ncerts;
	uint64_t body_disk[BLOCKS / 64];
	struct dbft_cert chain[HEIGHTS];
	uint64_t head;			/* last final height */
	int64_t head_ms;
	uint64_t floor;
	struct dbft_signed heard[HEARD];	/* PBFT; this height's */
	size_t nheard;
	/* memory */
	uint64_t body[BLOCKS / 64];
	struct dbft s;			/* of the active process */
	size_t read;			/* records of the journal in s */
	size_t nread;			/* and of heard */
	int64_t wake_ms;
	int64_t work_ms;		/* -1: nothing to propose */
	int64_t skew_ms;		/* its clock is that much ahead */
	uint64_t away, missed;		/* whom it takes for dead, or slow */
};

enum packet_kind {
	P_INPUT,			/* a message of the consensus */
	P_FETCH,			/* send me blocks from `height` on */
	P_PUSH				/* adversary's: to the active process */
};

struct packet {
	enum packet_kind kind;
	enum dbft_in in;
	unsigned from;			/* delegate */
	unsigned to;			/* instance */
	bool answer;
	struct dbft_signed vote;
	struct dbft_cert cert;
	uint64_t height;
	size_t n;			/* change-views that go along */
	struct dbft_signed along[N_MAX];
	struct dbft_cert along_cert[N_MAX];
	uint64_t seq;
};

enum event_kind {
	E_PACKET,
	E_WAKE,
	E_RESTART,
	E_WORK,
	E_FAULT,			/* the world does something nasty */
	E_ADVERSARY,
	E_SYNC
};

struct event {
	int64_t at_ms;
	uint64_t seq;
	enum event_kind kind;
	unsigned arg;			/* packet or instance */
};

/* A vote that exists, by whomever. */
struct signed_vote {
	unsigned signer;
	struct dbft_msg msg;
};

struct world {
	uint64_t seed, rng;
	bool trace;
	bool manual;			/* a schedule delivers packets itself */
	unsigned n, f, quorum;
	int64_t now;
	uint64_t seq;
	unsigned ninst;
	struct inst inst[INST_MAX];
	uint64_t bad;			/* delegates that are not honest */
	/* the character of this run */
	bool pbft;			/* else dBFT */
	bool pipes;			/* passive delegates, short-lived */
	bool calm;			/* second phase */
	bool adversary_stays;		/* also in the second phase */
	bool skips;			/* less time for those thought dead */
	bool clocks;			/* are set, forward and back */
	unsigned loss[DBFT_IN_FINAL + 2];	/* per cent, by kind */
	unsigned dup, crash, amnesia, diskfull;	/* per mille */
	unsigned slow;			/* per cent of packets */
	int64_t delay_ms;		/* longest of the others */
	uint64_t live;			/* instances that must finish */
	uint64_t workers;		/* of them, know of work */
	unsigned lost_blocks;		/* delegates that lost everything */
	/* what exists */
	struct packet packet[PACKETS];
	bool used[PACKETS];
	unsigned nfree;
	unsigned freelist[PACKETS];
	struct event heap[PACKETS * 2];
	size_t nheap;
	struct block block[BLOCKS];
	unsigned nblocks;
	struct signed_vote vote[VOTES];
	size_t nvotes;
	uint32_t table[VOTES * 4];	/* hash of a vote -> its index + 1 */
	uint32_t slot[VOTES * 4];	/* the same, without its content */
	/* check */
	struct hash final[HEIGHTS];
	bool is_final[HEIGHTS];
	uint64_t top;			/* highest final height */
	uint64_t events;
	char failure[256];
	int64_t took_ms;		/* second phase; -1: there was none */
	double share;			/* of the time it might have taken */
	unsigned only_n;		/* --nodes; 0: as the seed says */
	const char *only_engine;	/* --engine; NULL: the same */
};

/* rng.c */
uint64_t rnd(struct world *w, uint64_t below);
bool chance(struct world *w, unsigned per, unsigned of);

/* net.c: events and packets */
void event_add(struct world *w, int64_t at, enum event_kind k, unsigned arg);
bool event_next(struct world *w, struct event *e);
/* Copy *p and send it from delegate p->from to every instance of `to`. */
void net_send(struct world *w, const struct packet *p, unsigned from_inst,
    unsigned to);
void net_free(struct world *w, unsigned i);

/* inst.c: the driver */
void inst_start(struct world *w, struct inst *x);
void inst_deliver(struct world *w, struct inst *x, const struct packet *p);
void inst_wake(struct world *w, struct inst *x);
void inst_work(struct world *w, struct inst *x);
void inst_sync(struct world *w, struct inst *x);
/* Start or end the active process. */
void inst_active(struct world *w, struct inst *x, bool active);
void inst_crash(struct world *w, struct inst *x);
void inst_amnesia(struct world *w, struct inst *x, bool blocks_too);
int64_t local_ms(const struct world *w, const struct inst *x);
unsigned inst_index(const struct world *w, const struct inst *x);
unsigned new_block(struct world *w, uint64_t height, bool valid);
struct hash block_id(unsigned i);
unsigned block_index(const struct hash *id);

/* act.c: what the driver does with actions */
bool act_all(struct world *w, struct inst *x, struct dbft *s,
    const struct dbft_actions *out, unsigned peer, bool passive);
void learn_cert(struct inst *x, const struct dbft_cert *c);
const struct dbft_cert *known_cert(const struct inst *x, uint32_t view,
    const struct hash *block);
bool has_body(const uint64_t *set, const struct hash *block);
void add_body(uint64_t *set, const struct hash *block);

/* check.c: promises */
void fail(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void check_signed(struct world *w, unsigned signer,
    const struct dbft_msg *m);
bool is_signed(const struct world *w, unsigned signer,
    const struct dbft_msg *m);
bool cert_is_true(const struct world *w, const struct dbft_cert *c,
    enum dbft_kind kind);
void check_record(struct world *w, const struct inst *x,
    const struct dbft_record *r);
void check_final(struct world *w, const struct inst *x,
    const struct dbft_cert *c);
void check_evidence(struct world *w, const struct inst *x,
    const struct dbft_action *a);

/* adversary.c */
void adversary_acts(struct world *w);
void adversary_hears(struct world *w, unsigned who, const struct packet *p);

/* faults.c: the character of a run, and what goes wrong in it */
void faults_choose(struct world *w);
void faults_happen(struct world *w);
void faults_end(struct world *w);

/* world.c */
void world_init(struct world *w, uint64_t seed, unsigned n);
bool world_event(struct world *w);
bool world_run(struct world *w, uint64_t seed);

/* schedules.c: what is known to have broken others; true if all is well */
bool schedules_run(struct world *w);

/* trace.c */
#define trace(w, ...) do { \
	if ((w)->trace) \
		trace_line(w, __VA_ARGS__); \
} while (0)
void trace_line(const struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const char *show_vote(const struct dbft_msg *m);
const char *show_packet(const struct packet *p);

#endif
