// Package pollers brings the events of 1Password accounts into the EVENTS
// stream: one actor for each feed of each source.
//
//	1Password ── page, cursor ──► feed ── one fenced batch ──► EVENTS
//	                               ▲  new events, records set aside, marker last
//	                               └── marker and known ids, read back at start
//
// What it promises:
//
//   - The stream is the state. A feed keeps nothing that cannot be read back
//     from EVENTS: where it stands is the marker, what it has stored is the
//     events themselves.
//   - Each event is stored once. Events and cursor move in one batch, fenced by
//     the marker that was read before the ids were compared; a second poller of
//     the same feed is refused whole, reads again and stands by.
//   - Nothing is lost in silence. A record that cannot be read is set aside with
//     its bytes; what the cursor passed is found by sweeps; a hole in what is
//     covered is a hole in the marker's intervals; every other trouble is in the
//     status and in the marker, with what to do about it.
//   - A full stream stops the intake, loudly, and lets it go on by itself.
//
// When it fails: an actor that ends is started again by its supervisor and
// reads the stream first. An outcome that is not known (the stream did not
// answer) is the same case. Interrupted between two steps, it re-reads at most
// one page, which the known ids filter.
//
// How a page is asked for and what its errors mean is package onepassword's.
package pollers
