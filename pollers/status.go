package pollers

import (
	"slices"
	"time"

	"watchword/bus/event"
)

// FeedStatus is how one feed stands, for people and for the page. It carries
// no secret.
type FeedStatus struct {
	Source string     `json:"source"`
	Feed   event.Feed `json:"feed"`
	Kind   event.Kind `json:"kind"`
	Host   string     `json:"host,omitempty"` // where the requests go; empty before the first token was good

	// State is what the feed is doing, in plain words.
	State string `json:"state"`
	// Trouble is why it does not move, in plain words with what to do; empty when nothing is wrong.
	Trouble      string    `json:"trouble,omitempty"`
	TroubleSince time.Time `json:"trouble_since,omitzero"`
	// Notices are worth knowing: a token that expires, a position that was refused.
	Notices []string `json:"notices,omitempty"`
	// Standby: another poller reads this feed; what is shown is its progress.
	Standby bool `json:"standby,omitempty"`

	Account   string    `json:"account,omitempty"`
	First     time.Time `json:"first,omitzero"`  // first connected
	Start     time.Time `json:"start,omitzero"`  // where the backfill began
	Polled    time.Time `json:"polled,omitzero"` // last answered poll
	NextPoll  time.Time `json:"next_poll,omitzero"`
	Watermark time.Time `json:"watermark,omitzero"` // complete up to
	// LagSeconds is how far the watermark is behind now; 0 while there is none.
	LagSeconds int64            `json:"lag_seconds"`
	CatchingUp bool             `json:"catching_up,omitempty"` // the last page had more behind it
	Covered    []event.Interval `json:"covered,omitempty"`
	Counts     event.Counts     `json:"counts"`
	APIVersion string           `json:"api_version,omitempty"`
	Sweep      string           `json:"sweep,omitempty"` // the span of a running sweep: "24h"

	// Room is what is left of the token's requests, shared by its feeds.
	Room Room `json:"room"`
	// TokenFrom names where the token comes from, Token its fingerprint.
	TokenFrom    string    `json:"token_from,omitempty"`
	Token        string    `json:"token,omitempty"`
	TokenExpires time.Time `json:"token_expires,omitzero"`
}

// show publishes what the actor is doing. Only the actor calls it.
func (f *feed) show(state string) {
	m := f.marker
	s := &FeedStatus{
		Source: f.source.Name, Feed: f.name, Kind: f.name.Kind(),
		State: state, Trouble: f.trouble.text, TroubleSince: f.trouble.since, Standby: f.standby.active,
		Account: m.Account, First: m.First, Start: m.Start, Polled: m.Polled, Watermark: m.Watermark,
		CatchingUp: m.HasMore, Covered: m.Covered, Counts: m.Counts, APIVersion: m.APIVersion,
	}
	if f.standby.active {
		s.Trouble, s.TroubleSince = m.Trouble, m.TroubleSince
	}
	now := f.config.Now()
	if wait := time.Until(f.pollAt); wait > 0 {
		s.NextPoll = now.Add(wait).UTC()
	}
	if f.sweep.at != nil {
		s.Sweep = f.sweep.at.Name
	}
	for topic, n := range f.notices {
		if now.Sub(n.at) > 24*time.Hour {
			delete(f.notices, topic)
			continue
		}
		s.Notices = append(s.Notices, n.text)
	}
	slices.Sort(s.Notices)
	f.shown.Store(s)
}

// status is what was last shown, completed by what the feeds of the token share.
func (f *feed) status(now time.Time) FeedStatus {
	s := *f.shown.Load()
	t := f.account.state()
	s.Host, s.TokenFrom, s.Token, s.TokenExpires = t.Host, t.From, t.Fingerprint, t.Expires
	s.Notices = append(slices.Clip(t.Notices), s.Notices...)
	s.Room = f.account.limits.room()
	if !s.Watermark.IsZero() {
		s.LagSeconds = max(0, int64(now.Sub(s.Watermark)/time.Second))
	}
	return s
}
