package pollers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// CheckResult is the outcome of one thing looked at by Check.
type CheckResult struct {
	Source string `json:"source"`
	What   string `json:"what"` // "configuration", "token", "server", "signinattempts", …
	OK     bool   `json:"ok"`
	// Says is what was found, in plain words; with a failure it ends with the next step.
	Says string `json:"says"`
}

// Check looks at a source from end to end without storing anything: its
// configuration, the token, the server and what it says of the token, and one
// page of each feed. It stops where nothing further can be said.
func Check(ctx context.Context, s Source, now func() time.Time) []CheckResult {
	if now == nil {
		now = time.Now
	}
	var out []CheckResult
	say := func(what string, err error, format string, args ...any) bool {
		r := CheckResult{Source: s.Name, What: what, OK: err == nil, Says: fmt.Sprintf(format, args...)}
		if err != nil {
			r.Says = err.Error()
		}
		out = append(out, r)
		return err == nil
	}
	if err := s.Validate(); !say("configuration", err, "complete") {
		return out
	}
	token, err := s.Token.Token(ctx)
	if !say("token", err, "%s from %s%s", token, s.Token, claimsInWords(token.Claims(), now())) {
		return out
	}
	base, err := onepassword.BaseURL(s.URL, s.Region, token)
	if !say("address", err, "%s", base) {
		return out
	}
	client, err := onepassword.New(onepassword.Config{Base: base, Token: token, TokenFrom: s.Token.String(), Now: now})
	if !say("client", err, "ready") {
		return out
	}
	intro, err := client.Introspect(ctx)
	if !say("server", err, "reached; it accepts the token%s", introspectionInWords(intro)) {
		return out
	}
	for _, feed := range s.feeds() {
		if !covers(token, intro, feed) {
			say(string(feed), fmt.Errorf("the token may not read this feed: make a new one with it in Integrations → Events Reporting, "+
				"or leave it out of the source's feeds"), "")
			continue
		}
		page, version, err := samplePage(ctx, client, feed, now())
		say(string(feed), err, "%s", pageInWords(feed, page, version, now()))
	}
	if notice := expiryNotice(token.Claims().Expires, now(), s.Token.String()); notice != "" {
		say("expiry", errors.New(notice), "")
	}
	return out
}

// samplePage asks for the first records of the last day, in v1 where there is no v2.
func samplePage(ctx context.Context, c *onepassword.Client, feed event.Feed, now time.Time) (onepassword.Page, string, error) {
	from := onepassword.From{Limit: 10, Start: now.Add(-24 * time.Hour)}
	page, err := c.Page(ctx, feed, onepassword.V2, from)
	if onepassword.ClassOf(err) != onepassword.ClassNotFound {
		return page, onepassword.V2, err
	}
	page, err = c.Page(ctx, feed, onepassword.V1, from)
	return page, onepassword.V1, err
}

func claimsInWords(c onepassword.Claims, now time.Time) string {
	if c.Opaque {
		return ", which says nothing of itself"
	}
	s := ""
	if c.Account != "" {
		s += ", account " + c.Account
	}
	switch {
	case c.Expires.IsZero():
		s += ", without expiry"
	case c.Expires.After(now):
		s += ", valid until " + c.Expires.Format("2006-01-02 15:04 UTC")
	}
	return s
}

func introspectionInWords(i onepassword.Introspection) string {
	s := ""
	if len(i.Features) > 0 {
		feeds := make([]event.Feed, len(i.Features))
		for n, f := range i.Features {
			feeds[n] = event.Feed(f)
		}
		s += " for " + joinFeeds(feeds)
	}
	if !i.Issued.IsZero() {
		s += ", issued " + i.Issued.Format(time.DateOnly)
	}
	return s
}

func pageInWords(feed event.Feed, p onepassword.Page, version string, now time.Time) string {
	bad := 0
	for _, raw := range p.Items {
		if _, err := event.ReadHead(feed, raw); err != nil {
			bad++
		}
	}
	s := fmt.Sprintf("%d records of the last day read (%s)", len(p.Items), version)
	if p.HasMore {
		s = fmt.Sprintf("%d records of the last day read, there are more (%s)", len(p.Items), version)
	}
	if bad > 0 {
		s += fmt.Sprintf("; %d of them cannot be understood and would be set aside", bad)
	}
	if skew := now.Sub(p.Date); !p.Date.IsZero() && (skew > time.Minute || skew < -time.Minute) {
		s += fmt.Sprintf("; this machine's clock is off by %s against the server's: set it right", skew.Round(time.Second))
	}
	return s
}
