package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"watchword/pollers"
)

// configCmd prints what is set, and where.
type configCmd struct{}

func (configCmd) Run(p *program) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	if p.JSON {
		return printJSON(p.out, c.values()...)
	}
	c.dump(p.out)
	return nil
}

// value is one setting as it stands.
type value struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	From  string `json:"from"` // file:line, variable, flag or "default"
}

// values lists every setting. No token is among them: Config holds none, and a
// password in the server's URL is left out.
func (c *Config) values() []value {
	var out []value
	add := func(key string, v any) { out = append(out, value{key, fmt.Sprint(v), c.where(key)}) }
	add("store", c.Store)
	add("listen", c.Listen)
	add("nats.url", withoutPassword(c.NATS.URL))
	add("nats.creds", c.NATS.Creds)
	add("events.max_age", span(c.Events.MaxAge))
	add("events.max_bytes", bound(c.Events.MaxBytes))
	add("alerts.max_age", span(c.Alerts.MaxAge))
	add("alerts.max_bytes", bound(c.Alerts.MaxBytes))
	add("rules.builtin", c.Rules.Builtin)
	add("rules.folders", strings.Join(c.Rules.Folders, ", "))
	add("log.level", c.Log.Level)
	add("log.format", c.Log.Format)
	for _, s := range c.Sources {
		from := c.where("sources")
		if s.TokenEnv == onlyTokenVariable && from == "default" {
			from = onlyTokenVariable
		}
		for _, v := range s.values() {
			v.Key, v.From = "sources."+s.Name+"."+v.Key, from
			out = append(out, v)
		}
	}
	return out
}

func bound(bytes uint64) string {
	if bytes == 0 {
		return "as the disk allows"
	}
	return size(bytes)
}

func (s Source) values() []value {
	var feeds []string
	for _, f := range s.Feeds {
		feeds = append(feeds, string(f))
	}
	list := []value{
		{Key: "region", Value: s.Region}, {Key: "url", Value: s.URL}, {Key: "enabled", Value: fmt.Sprint(s.Enabled)},
		{Key: "token_file", Value: s.TokenFile}, {Key: "token_env", Value: s.TokenEnv},
		{Key: "token_command", Value: strings.Join(s.TokenCommand, " ")},
		{Key: "interval", Value: span(s.Interval)}, {Key: "start", Value: startText(s.Start)},
		{Key: "feeds", Value: strings.Join(feeds, ", ")},
	}
	var given []value
	for _, v := range list {
		if v.Value != "" {
			given = append(given, v)
		}
	}
	return given
}

// startText is the start as it would be written in the file, empty for the default.
func startText(s pollers.Start) string {
	switch {
	case !s.At.IsZero():
		return s.At.Format(time.RFC3339)
	case s.Back > 0:
		return span(s.Back)
	}
	return ""
}

func (c *Config) dump(w io.Writer) {
	for _, v := range c.values() {
		fmt.Fprintf(w, "%-34s %-44s %s\n", plain(v.Key), plain(v.Value), plain(v.From))
	}
}

// withoutPassword takes user and password out of each of the servers' URLs,
// for a user name alone can be a token there.
func withoutPassword(urls string) string {
	var out []string
	for _, part := range strings.Split(urls, ",") {
		part = strings.TrimSpace(part)
		u, err := url.Parse(part)
		switch {
		case err != nil && strings.Contains(part, "@"):
			part = "(not shown)"
		case err == nil && u.User != nil:
			u.User = nil
			part = u.String()
		case err == nil && u.Host == "" && strings.Contains(part, "@"):
			_, part, _ = strings.Cut(part, "@")
		}
		out = append(out, part)
	}
	return strings.Join(out, ",")
}
