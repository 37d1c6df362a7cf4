package pollers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchword/bus"
	"watchword/pollers/onepassword"
)

// trouble is why the feed does not move. It lives in memory, and in the marker
// where that can be written.
type trouble struct {
	class string // what it is logged by: again only when it changes
	text  string
	since time.Time // by the clock of events
	token string    // fingerprint of the refused token, while that is the trouble
	bus   bool      // the stream is the trouble, not the source
	said  time.Time // when it was last logged, by the machine's clock
}

// failed decides what follows an error of a step, and how long to wait.
func (f *feed) failed(ctx context.Context, err error) time.Duration {
	var e *onepassword.Error
	var mis *misfit
	wait := f.waits.NextBackOff()
	switch {
	case errors.Is(err, bus.ErrFenced):
		// Another poller of this feed is at work: look at its marker, and wait.
		f.standby, f.recalled = standby{active: true}, false
		f.waits.Reset()
		f.log.Info("another poller reads this feed; standing by")
		return 0
	case errors.As(err, &e):
		wait = f.refusedBy(ctx, e, wait)
	case errors.As(err, &mis):
		wait = max(wait, f.config.RetrySlow)
		f.inTrouble(ctx, "misfit", err, f.fingerprint())
	case !f.recalled, errors.Is(err, bus.ErrUnavailable):
		// What we believe to be stored may not be: read it before anything else.
		f.recalled = false
		f.busTrouble(err)
	default:
		// The token's source. It is read again at every try.
		wait = max(wait, min(f.source.interval(), f.config.RetrySlow))
		f.inTrouble(ctx, "token", fmt.Errorf("%w; the feed waits until it can be read", err), "")
	}
	f.pollAt = time.Now().Add(wait)
	f.show(f.calm())
	return wait
}

// refusedBy deals with a request that brought no page.
func (f *feed) refusedBy(ctx context.Context, e *onepassword.Error, wait time.Duration) time.Duration {
	token, isPage := "", e.What == string(f.name)
	switch {
	case e.Class == onepassword.ClassCursorRefused:
		return f.cursorRefused(e, wait)
	case e.Class == onepassword.ClassNotFound && isPage && f.version == onepassword.V2:
		// An older server: ask in v1, with a new chain, since a cursor belongs
		// to the version that made it. It is kept only if v1 has an answer. One
		// 404 may be a gateway's, and v1 tells less: v2 is asked twice.
		if f.lacking++; f.lacking > 1 || f.marker.APIVersion == onepassword.V1 {
			f.version, f.v2Tried = onepassword.V1, time.Now()
			f.log.Info("the server has no v2 of this feed; it is read in v1", "err", e)
		}
		return min(wait, f.config.RetryFirst)
	case e.Class == onepassword.ClassNotFound:
		f.version, f.lacking = onepassword.V2, 0
		wait = max(wait, f.config.RetrySlow)
	case e.Class == onepassword.ClassUnauthorized, e.Class == onepassword.ClassForbidden:
		token = f.fingerprint()
		wait = max(wait, f.config.RetrySlow)
	case e.Class == onepassword.ClassRateLimited && e.RetryAfter > 0:
		wait = e.RetryAfter
		f.account.limits.hold(wait)
	case e.Class == onepassword.ClassRateLimited:
		wait = max(wait, 10*f.config.RetryFirst)
		f.account.limits.hold(wait)
	case isPage && hole(e):
		now := f.config.Now()
		start := later(f.marker.Start, f.marker.Watermark)
		if f.marker.First.IsZero() {
			start = f.source.Start.resolve(now, f.config.Reach)
		}
		f.salvage.unreadable(e, start, now)
	}
	f.inTrouble(ctx, string(e.Class), e, token)
	return wait
}

// cursorRefused makes the next page begin a little before the last complete
// time; where a cursor was refused within the hour, at that time itself, so
// that a server that refuses every cursor still lets the feed move on.
func (f *feed) cursorRefused(e *onepassword.Error, wait time.Duration) time.Duration {
	now := time.Now()
	again := !f.refused.IsZero() && now.Sub(f.refused) < time.Hour
	f.refused, f.cursorless = now, true
	f.salvage.place.cursor = ""
	if again {
		f.resetAt = later(resetTime(f.name, f.marker, f.config.Now()), f.marker.Watermark)
	}
	f.notice("reset", e.Error())
	f.log.Warn("the saved position was refused; the feed is read again from a little before its last complete time", "err", e)
	if again {
		return wait
	}
	return 0
}

// fingerprint of the token in use, empty if there is none.
func (f *feed) fingerprint() string {
	if h := f.account.get(); h.client != nil {
		return h.client.Token().Fingerprint()
	}
	return ""
}

// inTrouble notes why the feed does not move, logs it when it is news, and
// writes it into the marker, so that others can see it too.
func (f *feed) inTrouble(ctx context.Context, class string, err error, token string) {
	now := f.config.Now().UTC()
	news := f.trouble.class != class
	since := f.trouble.since
	if since.IsZero() {
		since = now
	}
	f.trouble = trouble{class: class, text: err.Error(), since: since, token: token, said: time.Now()}
	if !news {
		return
	}
	f.log.Warn("the feed is in trouble", "err", err)
	if !f.recalled || f.standby.active {
		return
	}
	next := f.marker
	next.Trouble, next.TroubleSince = f.trouble.text, f.trouble.since
	msgs, err := messages(nil, next)
	if err != nil {
		return // the status says it all the same
	}
	seq, err := f.bus.Commit(ctx, bus.Events, bus.Fence{Subject: msgs[0].Subject, Last: f.fence}, msgs)
	switch {
	case err == nil:
		f.fence, f.marker, f.known.seq = seq, next, seq
	case errors.Is(err, bus.ErrFenced):
		f.standby, f.recalled = standby{active: true}, false
	case errors.Is(err, bus.ErrUnavailable):
		f.recalled = false
	}
}

// sayAgain is how often a stream that takes nothing is logged again.
const sayAgain = time.Minute

// busTrouble notes that the stream takes or gives nothing. The marker cannot
// say it, so the log and the status do, again and again.
func (f *feed) busTrouble(err error) {
	class, text := "bus", fmt.Sprintf("the stream %s does not answer: %v; nothing is lost, the feed waits", bus.Events, err)
	if errors.Is(err, bus.ErrFull) {
		class = "full"
		text = fmt.Sprintf("intake stands still: the stream %s takes no more: %v; make room on the disk or raise the stream's limit, it goes on by itself", bus.Events, err)
	}
	since := f.trouble.since
	if since.IsZero() {
		since = f.config.Now().UTC()
	}
	said := f.trouble.said
	if f.trouble.class != class || time.Since(said) >= sayAgain {
		said = time.Now()
		f.log.Error(text)
	}
	f.trouble = trouble{class: class, text: text, since: since, bus: true, said: said}
	f.show("waiting for the stream")
}

// well ends a trouble.
func (f *feed) well() {
	f.waits.Reset()
	if f.trouble.text != "" {
		f.log.Info("the feed is well again", "after", f.config.Now().Sub(f.trouble.since).Round(time.Second).String())
	}
	f.trouble = trouble{}
}

// notice is something worth knowing that is no trouble. It is shown for a day.
type notice struct {
	text string
	at   time.Time // by the clock of events
}

func (f *feed) notice(topic, text string) {
	f.notices[topic] = notice{text: text, at: f.config.Now().UTC()}
}
