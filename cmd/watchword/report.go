package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchword/bus"
	"watchword/detectors"
	"watchword/pollers"
)

// How often the reporter looks, and how often it repeats itself when nothing
// but the numbers changes.
const (
	reportLook   = 2 * time.Second
	reportRepeat = time.Minute
)

// reporter is the actor that prints a status line when something changes, and
// at most once a minute otherwise.
type reporter struct {
	feeds    func() []pollers.FeedStatus
	detector func() detectors.Status
	health   func() []bus.Trouble
	screen   *screen
	now      func() time.Time
	quiet    bool // print nothing; standard output is for machines

	said   string // the shape of what was printed last
	counts string // its numbers
	at     time.Time
}

// Serve prints until ctx ends.
func (r *reporter) Serve(ctx context.Context) error {
	if r.quiet {
		<-ctx.Done()
		return ctx.Err()
	}
	tick := time.NewTicker(reportLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		r.look()
	}
}

// look prints when the shape of things has changed, or the numbers have and a
// minute has passed.
func (r *reporter) look() {
	now := r.now()
	shape, counts, troubles := r.describe()
	said := shape + "\n" + strings.Join(troubles, "\n")
	if said == r.said && (counts == r.counts || now.Sub(r.at) < reportRepeat) {
		return
	}
	r.said, r.counts, r.at = said, counts, now
	stamp := now.Format("15:04:05")
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s; %s\n", stamp, shape, counts)
	for _, t := range troubles {
		fmt.Fprintf(&b, "%s   %s\n", stamp, t)
	}
	r.screen.print(b.String())
}

// describe says how everything is: the shape without numbers, the numbers, and
// each trouble and notice for a line of its own.
func (r *reporter) describe() (shape, counts string, troubles []string) {
	var parts []string
	var events uint64
	feeds := r.feeds()
	for len(feeds) > 0 {
		n := 1
		for n < len(feeds) && feeds[n].Source == feeds[0].Source {
			n++
		}
		parts = append(parts, plain(feeds[0].Source)+" "+sourceState(feeds[:n]))
		troubles = append(troubles, feedTroubles(feeds[:n])...)
		for _, f := range feeds[:n] {
			events += f.Counts.Events
			for _, notice := range f.Notices {
				notice = plain(f.Source + ": " + notice)
				if !slices.Contains(troubles, notice) { // the feeds of a token share its notices
					troubles = append(troubles, notice)
				}
			}
		}
		feeds = feeds[n:]
	}
	d := r.detector()
	switch {
	case d.Trouble != "":
		parts = append(parts, "detection in trouble")
		troubles = append(troubles, plain("detection: "+d.Trouble))
	case !d.Caught:
		parts = append(parts, "detection catching up")
	}
	for _, t := range r.health() {
		troubles = append(troubles, plain(t.Text))
	}
	counts = plural(int(events), "event") + " stored"
	if d.TooLate > 0 {
		counts += ", " + number(d.TooLate) + " too late to be used"
	}
	if d.Trimmed > 0 {
		counts += ", " + number(d.Trimmed) + " cut from keys that have too many"
	}
	return strings.Join(parts, ", "), counts, troubles
}

// feedTroubles tells what is wrong with the feeds of one source; what is wrong
// with several of them once.
func feedTroubles(feeds []pollers.FeedStatus) []string {
	var lines []string
	told := map[string]bool{"": true}
	for i, f := range feeds {
		if told[f.Trouble] {
			continue
		}
		told[f.Trouble] = true
		var names []string
		for _, other := range feeds[i:] {
			if other.Trouble == f.Trouble {
				names = append(names, string(other.Feed))
			}
		}
		lines = append(lines, plain(fmt.Sprintf("%s %s: %s", f.Source, strings.Join(names, ", "), f.Trouble)))
	}
	return lines
}

// sourceState sums up the feeds of one source.
func sourceState(feeds []pollers.FeedStatus) string {
	named := map[string][]string{}
	for _, f := range feeds {
		state := feedWord(f.Trouble, f.First.IsZero(), f.CatchingUp)
		if f.Standby {
			state = "standing by"
		}
		named[state] = append(named[state], string(f.Feed))
	}
	var parts []string
	for _, state := range []string{inTrouble, waiting, "standing by", catchingUp, fine} {
		switch {
		case len(named[state]) == len(feeds):
			return state
		case len(named[state]) > 0 && state != fine:
			parts = append(parts, state+" ("+strings.Join(named[state], ", ")+")")
		}
	}
	return strings.Join(parts, ", ")
}
