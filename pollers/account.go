package pollers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

const (
	// rereadCommand is how often a token command runs again while all is well:
	// it may ask a person to unlock something.
	rereadCommand = time.Hour
	// recheck is how long a token that was found bad is not asked about again.
	recheck = 5 * time.Minute
)

// account is what the feeds of one source share: the token in use, checked
// before it is used, and the requests it allows.
//
// It is no actor but a guarded value. turn is held by the feed that reads and
// checks a token, while others that need one wait; mu guards held alone and is
// never kept over a request, so that the status can always be read.
type account struct {
	source    Source
	limits    *limits
	transport http.RoundTripper
	timeout   time.Duration
	now       func() time.Time // the clock of events, for expiry
	clock     func() time.Time // the machine's clock, for waiting
	log       *slog.Logger

	turn chan struct{} // holds one value: whoever took it may reread
	mu   sync.Mutex
	held held
}

// held is what is known of the token in use and the ones offered since.
type held struct {
	client   *onepassword.Client // nil: no token was found good yet
	intro    onepassword.Introspection
	readAt   time.Time // when the source was last read
	refused  string    // fingerprint of the token in use, if the server refuses it
	bad      string    // fingerprint of a new token that was found bad
	badUntil time.Time // not asked about again before
	notice   string    // what is wrong with a new token, while the old one is in use
	warned   int       // the smallest number of days the expiry was warned of
}

func newAccount(s Source, c Config) *account {
	a := &account{
		source: s, transport: c.transportFor(), timeout: c.RequestTimeout, now: c.Now, clock: time.Now, log: c.Logger,
		limits: newLimits(c.PerMinute, c.PerHour, time.Now), turn: make(chan struct{}, 1),
	}
	a.turn <- struct{}{}
	return a
}

func (a *account) get() held {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held
}

func (a *account) set(change func(*held)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.held)
}

// pass is the right to ask: the client in use and what its token may do.
type pass struct {
	client *onepassword.Client
	id     string // account uuid, empty where nothing tells it
	intro  onepassword.Introspection
}

func (p pass) covers(f event.Feed) bool { return covers(p.client.Token(), p.intro, f) }

// use returns the pass to ask with. It reads the token's source again when
// that is due, checks a token it has not seen, and keeps the one in use where
// the new one is bad. Errors are of the token's source, *onepassword.Error, or ctx's.
func (a *account) use(ctx context.Context) (pass, error) {
	select {
	case <-a.turn:
	case <-ctx.Done():
		return pass{}, ctx.Err()
	}
	defer func() { a.turn <- struct{}{} }()
	if a.due(a.get()) {
		if err := a.reread(ctx); err != nil {
			return pass{}, err
		}
	}
	a.warnOfExpiry()
	h := a.get()
	return pass{client: h.client, id: accountOf(h.client.Token(), h.intro), intro: h.intro}, nil
}

func (a *account) due(h held) bool {
	since := a.clock().Sub(h.readAt)
	switch {
	case h.client == nil, h.refused != "":
		return true
	case a.source.Token.Cheap():
		return since >= a.source.interval()
	}
	return since >= rereadCommand
}

// reread reads the source and takes over a new token if it is good. The caller
// has the turn.
func (a *account) reread(ctx context.Context) error {
	token, err := a.source.Token.Token(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a.set(func(h *held) { h.readAt = a.clock() })
	h := a.get()
	switch {
	case err != nil:
		return a.keepOld(err)
	case h.client != nil && token.Fingerprint() == h.client.Token().Fingerprint():
		a.set(func(h *held) { h.notice = "" }) // the new one was taken back
		return nil
	case h.client != nil && token.Fingerprint() == h.bad && a.clock().Before(h.badUntil):
		return nil
	}
	client, intro, err := a.check(ctx, token, h)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		a.set(func(h *held) { h.bad, h.badUntil = token.Fingerprint(), a.clock().Add(recheck) })
		return a.keepOld(err)
	}
	if h.client != nil {
		a.log.Info("a new token is in use", "source", a.source.Name, "token", token, "before", h.client.Token())
	}
	a.set(func(now *held) { *now = held{client: client, intro: intro, readAt: now.readAt} })
	return nil
}

// keepOld goes on with the token in use and says why; without one the error
// is all there is.
func (a *account) keepOld(err error) error {
	h := a.get()
	if h.client == nil {
		return err
	}
	notice := "the token in use stays, because the new one is no good: " + err.Error()
	if notice != h.notice {
		a.log.Warn("a changed token is not taken over", "source", a.source.Name, "err", err)
	}
	a.set(func(h *held) { h.notice = notice })
	return nil
}

// check asks the server about a token and compares it with the one in use.
func (a *account) check(ctx context.Context, token onepassword.Token, h held) (*onepassword.Client, onepassword.Introspection, error) {
	var none onepassword.Introspection
	base, err := onepassword.BaseURL(a.source.URL, a.source.Region, token)
	if err != nil {
		return nil, none, err
	}
	client, err := onepassword.New(onepassword.Config{
		Base: base, Token: token, TokenFrom: a.source.Token.String(),
		Transport: a.transport, Timeout: a.timeout, Now: a.now,
	})
	if err != nil {
		return nil, none, err
	}
	if err := a.waitTurn(ctx); err != nil {
		return nil, none, err
	}
	intro, err := client.Introspect(ctx)
	if err != nil {
		return nil, none, err
	}
	if h.client == nil {
		return client, intro, nil
	}
	was, is := accountOf(h.client.Token(), h.intro), accountOf(token, intro)
	if was != "" && is != "" && was != is {
		return nil, none, fmt.Errorf("it is of the account %s, this source is the account %s: put the right token into %s, or make a source of its own for that account",
			is, was, a.source.Token)
	}
	var missing []string
	for _, f := range a.source.feeds() {
		if covers(h.client.Token(), h.intro, f) && !covers(token, intro, f) {
			missing = append(missing, string(f))
		}
	}
	if len(missing) > 0 {
		return nil, none, fmt.Errorf("it may not read %s: make it again with these, what a token may read cannot be changed later", strings.Join(missing, ", "))
	}
	return client, intro, nil
}

// waitTurn takes a request out of the token's allowance.
func (a *account) waitTurn(ctx context.Context) error {
	for {
		wait := a.limits.take(0)
		if wait == 0 {
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// refuse notes that the server refuses the token with this fingerprint: its
// source is read again before every further request.
func (a *account) refuse(fingerprint string) {
	a.set(func(h *held) {
		if h.client != nil && h.client.Token().Fingerprint() == fingerprint {
			h.refused = fingerprint
		}
	})
}

// accept takes refuse back: the server thought better of it.
func (a *account) accept(fingerprint string) {
	a.set(func(h *held) {
		if h.refused == fingerprint {
			h.refused = ""
		}
	})
}

// renewed reports whether the source holds another token than the one with
// this fingerprint. Only cheap sources are asked.
func (a *account) renewed(ctx context.Context, fingerprint string) bool {
	if !a.source.Token.Cheap() {
		return false
	}
	token, err := a.source.Token.Token(ctx)
	return err == nil && token.Fingerprint() != fingerprint
}

// accountOf is the account a token belongs to: the server's word, else the token's.
func accountOf(t onepassword.Token, i onepassword.Introspection) string {
	if i.Account != "" {
		return i.Account
	}
	return t.Claims().Account
}

func covers(t onepassword.Token, i onepassword.Introspection, f event.Feed) bool {
	if i.Features != nil {
		return slices.Contains(i.Features, string(f))
	}
	return t.Covers(f)
}
