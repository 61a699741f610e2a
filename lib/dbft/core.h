/*
 * core: the consensus of one height as a pure step function.
 *
 *	dbft_step(state, input) -> actions
 *
 * The same inputs give the same actions, byte for byte.  There is no clock,
 * file, heap or cryptography in here: time comes with the input, blocks are
 * known by their 32-byte names, a signature is the index of its signer, which
 * the driver has verified.  ehr-consensus(7) describes the protocol.
 *
 * n delegates, f = floor((n - 1) / 3) may be faulty, M = n - f are a quorum.
 * The speaker of (height h, view v) is delegate (h - v) mod n.  A set of
 * delegates is a bit mask: bit i is delegate i.
 *
 * WHAT A DRIVER DOES
 *
 * It keeps, for the height that is being decided:
 *
 *   the journal	durable, in order: every own vote, and when a view was
 *			entered (struct dbft_record);
 *   certificates	durable: the note of every prepare certificate that an
 *			own vote refers to, by view;
 *   bodies		durable: the bytes of every block that was proposed or
 *			is claimed in a change-view, by name;
 *   notes		in memory: the last of each kind by each delegate.
 *			A note is kept in place of the one before if, after
 *			the step, seen[signer][kind] says what it says.
 *
 * To begin, with the consensus lock held:
 *
 *   1. dbft_init() for the height after the last final block.  floor is the
 *	height up to which this delegate must not vote: 0, or what was written
 *	down when the journal was lost (see dbft_floor_after_loss).
 *   2. dbft_replay_cert() for each stored prepare certificate of the height,
 *	whose body must be there, too.  dbft_replay_vote() for each speaker's
 *	prepare that was stored with an own one, if the driver does that: it
 *	is the half of a proof, should there be another.
 *   3. dbft_replay() for each record of the journal, in order.  -1 means that
 *	the journal is damaged: do not vote.  The note of an own vote is made
 *	again by signing it; it may never have been, and is needed.
 *   4. Input DBFT_IN_WORK if something waits to be put into a block.
 *
 * Then, for each message, answer, or passing of out->wake_ms:
 *
 *   1. Verify: the note's signature by a delegate of this height, its text
 *	(dbft_msg_parse), each line of a certificate, and where a block comes
 *	along, its name and whether it obeys the rules on top of the last final
 *	block.  What does not verify is dropped, and never becomes an input.
 *   2. Take the lock.  If another process of this node may have voted since,
 *	replay what is new: certificates first, then records.  If the height
 *	has become final, begin again with the next.
 *   3. dbft_step(), then do the actions in their order.  If one fails, drop
 *	those after it and the state, and begin again from the journal.
 *   4. Release the lock; send.
 *
 * An own vote leaves in one way only: DBFT_ACT_VOTE is "write the record,
 * fsync, sign, send".  DBFT_ACT_REPEAT, _PROPOSE and _PREPARED send what an
 * earlier _VOTE has made durable.  Signing is deterministic, so that what is
 * repeated has the same bytes.
 *
 * SPEAKER (ehr-dbft; passive = false).  Work is there: DBFT_IN_WORK.  The core
 * asks DBFT_ACT_CANDIDATE; make a block, store its body, DBFT_IN_CANDIDATE.
 * It says _VOTE (own prepare) and _PROPOSE: send to each in `to`; every answer
 * is an input of its own.  At M prepares it says _VOTE (own commit) and
 * _PREPARED: join the notes of cert.signers to one note and send that.  At M
 * commits it says _FINALISE: join those, store block and certificate, send
 * them to the others, dbft_init() the next height.  Always come back with
 * DBFT_IN_TICK at out->wake_ms; time-outs and repetitions are made there.
 *
 * DELEGATE (ehr-serve; passive = true).  A process may live for one request
 * only: begin, feed what came, do the actions, send back what is addressed to
 * the peer, drop what is addressed to others, end.  Of a request with several
 * change-views feed those that came along first, each with peer NOBODY, then
 * the sender's own with its peer.  A passive core starts nothing by itself and
 * needs no TICK.  It leaves a view when M change-views for that view have been
 * shown to it, its own time-out has passed since, and somebody asks; or when
 * f + 1 others have left.
 *
 * Any answer may be a change-view instead of the vote that was asked for, or
 * a certified block, or nothing ("not yet").
 *
 * ALL TO ALL (all_to_all = true) is PBFT: a vote goes to all others, and every
 * delegate puts certificates together for itself.  So each needs an active
 * process, which alone counts votes; a passive one prepares what is proposed,
 * commits to a certificate that it is shown, and answers a vote that it knows
 * already with what its sender may lack.  The driver of a passive one keeps the
 * prepares and commits that come (same rule as for notes) where the others of
 * its node find them: a passive one begins with dbft_replay_vote() for each,
 * after the journal; the active one takes each as an input, peer NOBODY.
 *
 * Time is milliseconds, from 0 up, of one clock that all processes of a node
 * share; the time of day serves, since it outlives a reboot.  A step of it, in
 * either direction, can cost a time-out and never more.
 */
#ifndef DBFT_CORE_H
#define DBFT_CORE_H

#include "dbft/msg.h"

#define DBFT_MAX_NODES 64		/* a note holds as many signatures */
#define DBFT_MAX_ACTIONS 32		/* of one step */
#define DBFT_NOBODY 64u			/* no delegate */
#define DBFT_NEVER INT64_MAX		/* ms */

struct dbft_config {
	unsigned n;			/* delegates of this height, 1..64 */
	unsigned me;			/* our index, below n */
	bool passive;			/* only answers */
	bool all_to_all;		/* PBFT */
	int64_t timeout_ms;		/* of view 0; doubles with each view */
	int64_t timeout_max_ms;		/* where the doubling ends */
	int64_t resend_ms;		/* between repetitions */
	int64_t skip_ms;		/* instead of timeout_ms, if the speaker
					 * is away; 0: as if it were not */
	int64_t late_ms;		/* the same, if it missed its turn */
	int64_t again_ms;		/* a change-view is first repeated after
					 * this; then the time doubles, up to
					 * resend_ms */
};

/* M or more votes of one kind, height, view and block. */
struct dbft_cert {
	uint64_t height;
	uint32_t view;
	struct hash block;
	uint64_t signers;		/* mask; 0: there is no certificate */
};

struct dbft_signed {
	unsigned signer;		/* verified */
	struct dbft_msg msg;
};

/* One record of the journal. */
struct dbft_record {
	struct dbft_msg msg;		/* kind NONE: height and view entered */
	int64_t at_ms;
};

enum dbft_in {
	DBFT_IN_TICK,		/* time has passed */
	DBFT_IN_WORK,		/* since_ms: something waits since then */
	DBFT_IN_CANDIDATE,	/* view, block: here is the block asked for */
	DBFT_IN_PROPOSAL,	/* vote (PREPARE of the speaker), valid;
				 * view > 0: changes, cert behind the highest */
	DBFT_IN_PREPARE,	/* vote */
	DBFT_IN_PREPARED,	/* cert of prepares, valid */
	DBFT_IN_COMMIT,		/* vote */
	DBFT_IN_CHANGE,		/* vote; if it claims one: cert, valid */
	DBFT_IN_FINAL		/* cert of commits; its block is here */
};

struct dbft_input {
	enum dbft_in kind;
	int64_t now_ms;
	/*
	 * Who waits for an answer.  Not always the signer: notes are relayed.
	 * NOBODY when this is itself an answer, on a pipe of ours: answering
	 * answers would never end.
	 */
	unsigned peer;
	struct dbft_signed vote;
	struct dbft_cert cert;
	/*
	 * The body of vote.msg.block (PROPOSAL, CHANGE) or cert.block
	 * (PREPARED) is stored durably and obeys the rules on top of the last
	 * final block.  The skew of its time is judged only where it comes
	 * without a certificate.  A proposal that dbft_is_new says is too late
	 * for our PREPARE need not be checked.
	 */
	bool valid;
	const struct dbft_signed *changes;	/* borrowed */
	size_t nchanges;			/* at most DBFT_MAX_NODES */
	uint32_t view;
	struct hash block;
	int64_t since_ms;
};

enum dbft_act {
	/*
	 * Append {msg, now} to the journal, and fsync.  Before it, or in the
	 * same fsync, make durable what msg refers to: for a prepare the body
	 * of its block; for a commit the note of the certificate (msg.view,
	 * msg.block) and the body; for a change-view that claims one, the
	 * certificate (msg.prepared_view, msg.block) and the body.  cert is
	 * that certificate: it came as a note, or is now to be joined from
	 * the prepares of cert.signers.  Then sign, keep the note, and send it
	 * to each in `to`, which may be empty.
	 * With a change-view go the certificate and body that it claims, and
	 * the change-view notes of `changes`, with theirs if they are here.
	 */
	DBFT_ACT_VOTE,
	/* The same without journal: this vote was made before. */
	DBFT_ACT_REPEAT,
	/* Append {NONE, height, view, now} to the journal; fsync can wait. */
	DBFT_ACT_ENTERED,
	/*
	 * Make a fresh block for (height, view), store its body, and answer
	 * with CANDIDATE; or not at all when there is nothing to put in it.
	 */
	DBFT_ACT_CANDIDATE,
	/*
	 * Send to each in `to` the own prepare (msg), the body, and if view >
	 * 0 the change-view notes of `changes`, all of msg.view; and unless
	 * cert.height is 0, the note of the prepare certificate (cert.view,
	 * cert.block), which a change-view of ours or of another brought.
	 */
	DBFT_ACT_PROPOSE,
	/* Send to each in `to` the prepare certificate. */
	DBFT_ACT_PREPARED,
	/*
	 * cert: the block is final.  Store it with the certificate made of
	 * the commits of cert.signers (or the one that came with FINAL); send
	 * both to those in `to`, unless passive.  The state is used up.
	 */
	DBFT_ACT_FINALISE,
	/* Those in `to` are behind: send them our final block `height`. */
	DBFT_ACT_BLOCK,
	/*
	 * Those in `to` say they are at `height`, above ours: fetch blocks from
	 * them, now and then at most, since it may not be true.  A passive
	 * process answers with the height that it needs.
	 */
	DBFT_ACT_CATCH_UP,
	/*
	 * Delegate `signer` has signed both msg and other, which no honest
	 * one does; keep the two notes (or the certificate that holds one) and
	 * tell the operator.  When signer is this delegate, other is NONE: msg
	 * is signed with our key and is not in our journal.  The key is in use
	 * elsewhere, or the journal is an old copy.  The core has gone silent;
	 * the driver writes `height` down as the floor.
	 */
	DBFT_ACT_EVIDENCE
};

struct dbft_action {
	enum dbft_act kind;
	uint64_t to;			/* mask of receivers, never us */
	uint64_t height;
	uint32_t view;			/* ENTERED, CANDIDATE */
	uint64_t changes;		/* mask */
	unsigned signer;		/* EVIDENCE */
	struct dbft_msg msg, other;
	struct dbft_cert cert;
};

struct dbft_actions {
	size_t n;
	struct dbft_action a[DBFT_MAX_ACTIONS];
	int64_t wake_ms;		/* TICK is due then, or DBFT_NEVER */
};

/* The state of one height.  Read it, do not write it. */
struct dbft {
	struct dbft_config c;
	uint64_t height;
	uint64_t floor;			/* no vote at or below this height */
	bool done;			/* final */
	/*
	 * The view: the highest that we have signed for or entered.  It is
	 * entered, and its clock runs from clock_ms on, once M delegates are
	 * known to have reached it.
	 */
	uint32_t view;
	bool entered;
	int64_t start_ms;		/* when the height began */
	bool work;			/* view 0's clock runs only with work */
	int64_t clock_ms;
	int64_t resend_ms;		/* next repetition */
	int64_t left_ms;		/* when the view before was left */
	int64_t asked_ms;		/* CANDIDATE asked for; -1: not */
	uint32_t told[4];		/* all to all, of each kind: 1 + the
					 * view of the last vote that is out */
	struct dbft_cert high;		/* highest prepare certificate known */
	uint64_t away;			/* delegates that do not answer, */
	uint64_t missed;		/* and that missed their turn */
	/* The last of each kind by each delegate; [me] are our own votes. */
	struct dbft_msg seen[DBFT_MAX_NODES][4];
	uint64_t proven;		/* whose CHANGE makes no empty claim */
	uint64_t accused;		/* whose EVIDENCE was given, once */
};

/* f, M, and the speaker of (height, view), for n delegates. */
unsigned dbft_faulty(unsigned n);
unsigned dbft_quorum(unsigned n);
unsigned dbft_speaker(uint64_t height, uint32_t view, unsigned n);

/*
 * The floor for a delegate whose journal is lost or damaged, when highest is
 * the greatest height that this node or any of at least 2f + 1 other
 * delegates calls final.  The lost votes can be two heights above it: one for
 * a block that only this delegate saw become final, and one on top of that.
 */
uint64_t dbft_floor_after_loss(uint64_t highest);

/* Begin height, the last final one + 1, so at least 1; start_ms: when its
 * parent became final here. */
void dbft_init(struct dbft *s, const struct dbft_config *c, uint64_t height,
    uint64_t floor, int64_t start_ms);

/*
 * Take over what the journal holds.  Records of earlier heights are skipped;
 * one of a later height (blocks have been lost) raises the floor to below it.
 * Repeating the last own vote does nothing.  Returns -1, and changes nothing,
 * for a record that cannot follow the ones before it, or was made on a
 * certificate that dbft_replay_cert has not seen.
 */
int dbft_replay(struct dbft *s, const struct dbft_record *r);

/*
 * Take over another's prepare or commit of this height that is stored or, all
 * to all, was given to another process of this node; verified.  So a second one
 * that contradicts it is seen.  Own votes do nothing.
 */
void dbft_replay_vote(struct dbft *s, const struct dbft_signed *v);

/* Take over a stored prepare certificate, verified, whose body is here. */
void dbft_replay_cert(struct dbft *s, const struct dbft_cert *c);

/*
 * Tell the core who does not answer at present, and who did not speak when it
 * was its turn (masks).  In their views it waits skip_ms or late_ms only, in
 * the first n views of a height, unless it has voted for their proposal.
 */
void dbft_away(struct dbft *s, uint64_t mask);
void dbft_missed(struct dbft *s, uint64_t mask);

/*
 * One step.  out is overwritten.  Inputs that are late, repeated, useless or
 * contradict the protocol give no action.
 */
void dbft_step(struct dbft *s, const struct dbft_input *in,
    struct dbft_actions *out);

/* May this delegate vote at this height? */
bool dbft_may_vote(const struct dbft *s);

/*
 * Would an own vote of this kind and view come after all that were made at
 * this height?  Only such votes are made: that is why a delegate never signs
 * two things for one (height, view, kind), and nothing for a view it has left.
 */
bool dbft_is_new(const struct dbft *s, enum dbft_kind kind, uint32_t view);

/* When the view times out, in ms; DBFT_NEVER while its clock stands still. */
int64_t dbft_deadline(const struct dbft *s);

/*
 * Whose votes of this kind we hold for the present view; PREPARE and COMMIT:
 * for `block`; CHANGE: for this view or above, block unused.
 */
uint64_t dbft_have(const struct dbft *s, enum dbft_kind kind,
    const struct hash *block);

#endif
