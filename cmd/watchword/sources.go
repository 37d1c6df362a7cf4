package main

import (
	"fmt"

	"watchword/bus/event"
	"watchword/pollers"
)

// sourcesCmd is the verb sources.
type sourcesCmd struct {
	List   sourcesListCmd   `cmd:"" help:"List the configured sources."`
	Status sourcesStatusCmd `cmd:"" help:"Show where each feed stands, as its marker in the stream says."`
	Check  sourcesCheckCmd  `cmd:"" help:"Ask the API about each source's token."`
}

type sourcesListCmd struct{}

// listedSource is a source as sources list tells it: where its token is, never
// the token.
type listedSource struct {
	Name    string       `json:"name"`
	Enabled bool         `json:"enabled"`
	Where   string       `json:"where"`
	Token   string       `json:"token"`
	Every   string       `json:"interval"`
	Feeds   []event.Feed `json:"feeds"`
}

func (sourcesListCmd) Run(p *program) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	var list []listedSource
	for _, s := range cfg.Sources {
		where := firstOf(s.URL, s.Region, "as the token says")
		list = append(list, listedSource{s.Name, s.Enabled, where, s.poller().Token.String(), s.Interval.String(), s.Feeds})
	}
	if p.JSON {
		return printJSON(p.out, list...)
	}
	if len(list) == 0 {
		fmt.Fprintf(p.err, "no sources: set %s, or name them in %s\n", onlyTokenVariable, defaultFile)
		return nil
	}
	rows := [][]string{{"SOURCE", "STATE", "SERVER", "TOKEN", "EVERY", "FEEDS"}}
	for _, s := range list {
		state := "on"
		if !s.Enabled {
			state = "off"
		}
		rows = append(rows, []string{s.Name, state, s.Where, s.Token, s.Every, fmt.Sprint(s.Feeds)})
	}
	columns(p.out, rows)
	return nil
}

type sourcesStatusCmd struct{}

// feedStatus is a feed as sources status tells it.
type feedStatus struct {
	State string `json:"state"`
	event.Progress
}

// Run shows the markers. A feed in trouble makes the exit code 1.
func (sourcesStatusCmd) Run(p *program) error {
	b, _, err := p.openToRead()
	if err != nil {
		return err
	}
	defer b.Close()
	markers, err := feedMarkers(p.ctx, b)
	if err != nil {
		return err
	}
	var found error
	rows := [][]string{{"SOURCE", "FEED", "STATE", "POLLED", "COMPLETE UP TO", "BEHIND", "EVENTS", "LATE", "SET ASIDE"}}
	for i := range markers {
		m := &markers[i]
		if m.Trouble != "" {
			found = errFound
		}
		if p.JSON {
			m.Cursor = "" // of no use to anybody, and long
			if err := printJSON(p.out, feedStatus{feedState(m), *m}); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{
			m.Source, string(m.Feed), feedState(m), ago(m.Polled, p.now()), clock(m.Watermark, p.now()), behind(m, p.now()),
			number(m.Counts.Events), number(m.Counts.Late), number(m.Counts.Quarantined),
		})
	}
	if p.JSON {
		return found
	}
	if len(markers) == 0 {
		fmt.Fprintln(p.err, "no feed has been read yet")
		return nil
	}
	columns(p.out, rows)
	for _, m := range markers {
		if m.Trouble != "" {
			fmt.Fprintf(p.out, "%s %s, for %s: %s\n", plain(m.Source), plain(string(m.Feed)), span(p.now().Sub(m.TroubleSince)), plain(m.Trouble))
		}
	}
	return found
}

// feedsOf are the feeds of a source as it is polled.
func feedsOf(s pollers.Source) []event.Feed {
	if len(s.Feeds) == 0 {
		return event.Feeds
	}
	return s.Feeds
}
