package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchword/bus"
	"watchword/bus/event"
)

// feedMarkers reads where every feed of every source stands, by source and
// then in the order of event.Feeds.
func feedMarkers(ctx context.Context, b *bus.Bus) ([]event.Progress, error) {
	stored, err := b.LastPerSubject(ctx, bus.Events, bus.AllProgress)
	if err != nil {
		return nil, err
	}
	var list []event.Progress
	for _, m := range stored {
		p, err := event.DecodeProgress(m.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Subject, err)
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b event.Progress) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), slices.Index(event.Feeds, a.Feed)-slices.Index(event.Feeds, b.Feed))
	})
	return list, nil
}

// How a feed is, in a word or two.
const (
	inTrouble  = "in trouble"
	waiting    = "waiting"
	catchingUp = "catching up"
	fine       = "fine"
)

func feedWord(trouble string, never, more bool) string {
	switch {
	case trouble != "":
		return inTrouble
	case never:
		return waiting
	case more:
		return catchingUp
	}
	return fine
}

func feedState(p *event.Progress) string { return feedWord(p.Trouble, p.First.IsZero(), p.HasMore) }

// behind is how far a feed's watermark lies back, in words.
func behind(p *event.Progress, now time.Time) string {
	if p.Watermark.IsZero() {
		return "unknown"
	}
	return span(now.Sub(p.Watermark))
}
