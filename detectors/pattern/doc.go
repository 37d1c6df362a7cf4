// Package pattern decides what a rule's pattern means for one key: which
// events are evidence, and which episodes they form.
//
// It is pure: it reads no clock, does no I/O and starts no goroutine. The
// episodes of a Fold depend on the set of hits it was given, never on their
// order, repetition or batching; the naive evaluator in oracle_test.go says
// what is right, and property tests compare the two.
//
// # Meaning
//
// A Hit is an event that fills steps of the pattern for the key. Hits are
// ordered by (time, id); the id alone says which event it is.
//
// A match is a set of different hits:
//
//	Bare      one hit
//	Times     N hits, the last at most Within after the first
//	Distinct  N hits with N different non-empty values, likewise
//	Sequence  one hit for each slot, in strictly increasing order, likewise;
//	          a step that takes n events is n slots in a row
//	Together  one hit for each step, in any order, likewise
//	Travel    two hits, likewise, over 100 km apart, that nobody can both have
//	          been at who goes no faster than KmPerHour; hits without a place
//	          are passed over
//
// The span of a match is the time from its first hit to its last, both
// included. It completes at its last hit. All matches count, not only the
// tightest, so that what is evidence does not depend on who looks first.
//
// The evidence of a key is every hit of every match. Two matches belong to one
// episode when the gap between their spans is at most Quiet, and so do all that
// are linked by such pairs: an episode is a cluster of spans on the time line,
// and episodes lie more than Quiet apart.
//
// # How a fold works
//
// Matches are only ever added: a new hit can make matches, never unmake one.
// So the fold keeps, per hit, what it was found to be (evidence for which
// steps, first of a match, last of a match), only looks for matches that hold
// a new hit, and those lie within Within of it on either side:
//
//	Apply ── sorted, without repeats ──► timeline ──► mark, around what is new
//	                                                    │ gains
//	      changed episodes ◄── records ◄── link ◄───────┘
//
// A record is an episode's counts and ends. It outlives the hits it counted,
// so the fold needs no hits beyond what a new one can still match with.
//
// Why first-of-a-match and last-of-a-match are enough to know the spans: if a
// begins a match and z, at most Within later, ends one, then spans cover all
// that lies between a and z. In a Sequence, of the two matches one can be
// crossed over to the other's end and makes a match from a to z. In Times and
// Distinct it follows in the same way. In Together, of two matches that lie one
// after the other, a hit of the second can take the place of some hit of the
// first (sets of hits that can fill all steps are the bases of a matroid), which
// makes a match across what lies between. For matches of a single hit spans are
// points, which is a window of zero.
//
// In Travel it is not so: who is in two cities within a minute, and in the same
// two within a minute an hour later, may have travelled in between. There the
// spans themselves are followed, see markTravel.
//
// # Settling
//
// A fold is complete from a time T and settled up to a time S ≥ T. Evidence
// before S no longer depends on hits to come, except on ones that come late
// and are not older than S: those are decided exactly, too. A hit before S
// that the fold does not hold cannot be decided; Apply hands it back. At the
// beginning T = S = the beginning of time (Settled is zero).
//
//	      T              S                         complete
//	──────┼──────────────┼──────────────────────────┼─────► time
//	      │ context for  │  decided, hits may still │ in order
//	      │ later hits   │  come late               │
//	      └── Within ────┴── Within + Quiet ────────┘
//
// Prune moves S to complete − Within − Quiet and drops the hits before
// S − Within. What they were counted as stays in the records; a record that no
// acceptable hit can reach is forgotten.
//
// # What a caller does
//
// Live: Apply what comes, publish what changed. An episode replaces all
// published earlier of that key that it overlaps or lies within Quiet of.
// Prune as the watermark moves.
//
// Late hits: rebuild the key. Make a fold from two windows before the earliest
// late hit (or from zero), Apply in one call all hits since then that what is
// published was decided from, Resume with what is published, Apply the late
// ones. Publish what changed, and go on with that fold.
//
// Restart: make a fold from any T, Apply the hits since T up to the position
// that the published alerts were decided at, Resume with those alerts, and go
// on. Hits before T + Within are then late.
//
// Rest: an Idle fold may be dropped. A fold made later from Settled() − Within,
// with Resume(nil), is its equal; so is one made from c − Quiet − 2·Within for
// any c up to which the caller has since seen every hit of the key. If Settled
// is zero, make it from zero.
//
// # Cost
//
// A hit takes 72 bytes and its id, for Distinct and Travel also its value once
// per fold. One Apply costs time in proportion to the hits within Within of
// those that are new; in a Sequence also to their steps; in Travel, for those
// that are new, also to the places of the key.
//
// A fold holds no more hits than it is made for and, for Travel, no more places
// than 256: beyond that the oldest hits are cut. Then what is older than the
// hits held is late, what was cut is counted (Trimmed), and episodes that could
// have had more say that they are Truncated.
package pattern
