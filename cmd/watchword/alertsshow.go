package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/bus/event"
)

type alertsShowCmd struct {
	ID string `arg:"" help:"The alert's id, or the beginning of it."`
}

func (c *alertsShowCmd) Run(p *program) error {
	b, _, err := p.openToRead()
	if err != nil {
		return err
	}
	defer b.Close()
	all := alertFilter{}
	list, _, err := newestAlerts(p.ctx, b, all.read(), func(a *alert.Alert) bool { return strings.HasPrefix(a.ID, c.ID) })
	switch {
	case err != nil:
		return err
	case len(list) == 0:
		return fmt.Errorf("no alert %q; `watchword alerts list` shows them", c.ID)
	case len(list) > 1:
		return wrongUse{fmt.Errorf("%d alerts begin with %q; give more of the id", len(list), c.ID)}
	}
	a := &list[0]
	evidence, err := readEvidence(p, b, a)
	if err != nil {
		return err
	}
	if p.JSON {
		return printJSON(p.out, struct {
			Alert    *alert.Alert  `json:"alert"`
			Evidence []storedEvent `json:"evidence"`
		}{a, evidence})
	}
	p.showAlert(a, evidence)
	return nil
}

// storedEvent is an event with its place in EVENTS. Missing: what a piece of
// evidence says of it is all there is, for EVENTS no longer has it.
type storedEvent struct {
	Seq     uint64 `json:"seq,omitempty"`
	Step    string `json:"step,omitempty"`
	Missing string `json:"missing,omitempty"`
	event.Event
}

// readEvidence fetches the events of an alert. Those that have aged out are
// told, not an error: alerts are kept longer than events.
func readEvidence(p *program, b *bus.Bus, a *alert.Alert) ([]storedEvent, error) {
	var list []storedEvent
	for _, e := range a.Evidence {
		s := storedEvent{Seq: e.Seq, Step: e.Step, Event: event.Event{ID: e.ID, Time: e.Time}}
		m, err := b.Get(p.ctx, bus.Events, e.Seq)
		switch {
		case errors.Is(err, bus.ErrNotFound):
			s.Missing = "no longer stored"
		case err != nil:
			return nil, fmt.Errorf("evidence %s: %w", e.ID, err)
		default:
			ev, err := event.Decode(m.Data)
			switch {
			case err != nil:
				s.Missing = err.Error()
			case ev.ID != e.ID:
				s.Missing = "no longer stored: its place in the stream holds another event"
			default:
				s.Event = ev
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// showAlert prints everything an alert says.
func (p *program) showAlert(a *alert.Alert, evidence []storedEvent) {
	now, colour := p.now(), paint(p.colour)
	fmt.Fprintf(p.out, "%s  %s%s\n\n", colour.severity(a.Severity), colour.bold(plain(a.Title)), marks(a))
	rows := [][]string{
		{"alert", a.ID},
		{"status", fmt.Sprintf("%s, revision %d of %s", a.Status, a.Revision, clock(a.Decided, now))},
		{"rule", fmt.Sprintf("%s, version %s", a.Rule, a.Version)},
		{"key", key(a)},
		{"when", period(a.First, a.Last, now)},
		{"count", counts(a)},
	}
	add := func(label string, values ...string) {
		for i, v := range values {
			rows = append(rows, []string{once(label, i), v})
		}
	}
	if a.MergedInto != "" {
		add("merged", "into "+a.MergedInto)
	}
	for i, x := range a.People {
		add(once("who", i), person(x)+"  "+x.UUID)
	}
	for i, x := range a.Places {
		add(once("from", i), place(x))
	}
	add("attack", a.Attack...)
	add("controls", a.Controls...)
	add("see", a.References...)
	columns(p.out, rows)

	section(p.out, colour, "What it means", a.Description)
	section(p.out, colour, "What to do", a.Runbook)
	if len(a.FalsePositives) > 0 {
		section(p.out, colour, "What else it can be", "- "+strings.Join(a.FalsePositives, "\n- "))
	}
	title := "Evidence"
	if a.Count > len(evidence) {
		title = fmt.Sprintf("Evidence (the newest %d of %s)", len(evidence), number(a.Count))
	}
	fmt.Fprintf(p.out, "\n%s\n", colour.bold(title))
	for _, e := range evidence {
		p.showEvidence(e)
	}
}

func section(w io.Writer, colour paint, title, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	fmt.Fprintf(w, "\n%s\n", colour.bold(title))
	fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(plainText(text), "\n", "\n  "))
}

// showEvidence prints an event as a line, and whole below it.
func (p *program) showEvidence(e storedEvent) {
	colour := paint(p.colour)
	if e.Missing != "" {
		fmt.Fprintf(p.out, "  %s  %s  %s (%s)\n", clock(e.Time, p.now()), plain(e.Step), plain(e.ID), plain(e.Missing))
		return
	}
	line, err := eventLine(&e.Event, p.now())
	if err != nil {
		line = plain(err.Error())
	}
	fmt.Fprintf(p.out, "  %s  %s\n      %s\n", plain(e.Step), line, colour.dim(plain(string(e.Raw))))
}
