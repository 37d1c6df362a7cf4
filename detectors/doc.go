// Package detectors reads EVENTS and decides alerts.
//
//	EVENTS ──► reader ──► match ──► folds (per rule and key, in 64 partitions)
//	(events and markers    (rules)      │ changed episodes
//	 in stream order)                   ▼
//	                        reconcile with the alerts published so far
//	                                    │ revisions
//	ALERTS ◄── one fenced atomic batch per partition: revisions + ledger last
//
// What it promises:
//
//   - The log is the state. A worker holds nothing that it cannot read again
//     from EVENTS and ALERTS; a crash costs time, never an alert.
//   - A partition's alerts and its ledger (the position decided up to) move
//     together and are fenced by the last sequence of the ledger. A worker that
//     does not know the newest ledger is refused whole, and takes over afresh.
//   - Nothing is published for a position that is already decided.
//   - The final episodes depend on the set of events, not on order, batches,
//     restarts or the number of workers (package pattern).
//
// What it leaves to others: that events reach EVENTS once (package pollers),
// and telling people (everything that reads ALERTS).
package detectors
