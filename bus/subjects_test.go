package bus_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"pgregory.net/rapid"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/bus/event"
)

func TestSubjects(t *testing.T) {
	e := &event.Event{Type: "onepassword", Kind: "signin", Source: "acme"}
	a := &alert.Alert{Status: alert.Opened, Severity: alert.High, Rule: "guess-then-export", ID: "ab12"}
	for _, c := range []struct{ have, want string }{
		{bus.EventSubject(e, "IR7VJHJ36J"), "events.onepassword.signin.acme.IR7VJHJ36J"},
		{bus.EventSubject(e, ""), "events.onepassword.signin.acme._"},
		{bus.EventSubject(e, "_"), "events.onepassword.signin.acme.%5F"},
		{bus.EventSubject(e, "a.b *>"), "events.onepassword.signin.acme.a%2Eb%20%2A%3E"},
		{bus.EventSubject(e, "ä%"), "events.onepassword.signin.acme.%C3%A4%25"},
		{bus.EventFilter("", "signin", "", "u1"), "events.*.signin.*.u1"},
		{bus.ProgressSubject("acme", "signins"), "progress.acme.signins"},
		{bus.QuarantineSubject("onepassword", "audit", "acme"), "quarantine.onepassword.audit.acme"},
		{bus.AlertSubject(a), "alerts.opened.high.guess-then-export.ab12"},
		{bus.AlertFilter("", "", "r", ""), "alerts.*.*.r.*"},
		{bus.LedgerSubject(63), "ledger.63"},
	} {
		if c.have != c.want {
			t.Errorf("subject %q, want %q", c.have, c.want)
		}
	}
}

// checkToken holds for any string: one valid token of bounded length.
func checkToken(t interface{ Fatalf(string, ...any) }, s string) {
	tok := bus.Token(s)
	if tok == "" || len(tok) > 160 || strings.ContainsAny(tok, ".*> \t\r\n") || !server.IsValidLiteralSubject(tok) {
		t.Fatalf("token of %q is %q, which is not one token", s, tok)
	}
	for i := range len(tok) {
		if tok[i] <= ' ' || tok[i] > '~' {
			t.Fatalf("token of %q is %q: byte %x", s, tok, tok[i])
		}
	}
}

func TestTokens(t *testing.T) {
	// Few letters, so that strings are often nearly the same.
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a_%H25F.]{0,8}`), rapid.StringMatching(`[a%]{150,170}`))
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		checkToken(t, a)
		if (a == b) != (bus.Token(a) == bus.Token(b)) {
			t.Fatalf("%q and %q have the tokens %q and %q", a, b, bus.Token(a), bus.Token(b))
		}
		// What one string became is never what another, plain one becomes.
		if tok := bus.Token(a); tok != a && bus.Token(tok) == tok {
			t.Fatalf("%q and %q share the token %q", a, tok, tok)
		}
	})
}

func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "_", "%", "%5F", "%H", "a.b", "ä", "\x00", strings.Repeat("x", 200)} {
		f.Add(s, "_")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		checkToken(t, a)
		if (a == b) != (bus.Token(a) == bus.Token(b)) {
			t.Fatalf("%q and %q have the tokens %q and %q", a, b, bus.Token(a), bus.Token(b))
		}
	})
}

// The filter a reader applies selects what the server's own would.
func TestMatches(t *testing.T) {
	subject := rapid.StringMatching(`[ab](\.[ab]){0,3}`)
	filter := rapid.StringMatching(`[ab*](\.[ab*]){0,3}(\.>)?|>`)
	rapid.Check(t, func(t *rapid.T) {
		f, s := filter.Draw(t, "filter"), subject.Draw(t, "subject")
		if have, want := bus.Matches(f, s), server.SubjectsCollide(f, s); have != want {
			t.Fatalf("%s selects %s: %v, want %v", f, s, have, want)
		}
	})
}
