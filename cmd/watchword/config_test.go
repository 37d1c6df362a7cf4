package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
	"watchword/pollers"
)

func parse(text string, environ ...string) (*Config, error) {
	return parseConfig("watchword.yaml", []byte(text), environ, nil)
}

func TestConfigDefaults(t *testing.T) {
	c, err := parseConfig("", nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Store != ".watchword" || c.Events.MaxAge != 180*day || c.Alerts.MaxAge != 400*day || !c.Rules.Builtin || c.Log.Level != "warn" {
		t.Errorf("unexpected defaults: %+v", c)
	}
	if len(c.Sources) != 0 {
		t.Errorf("sources from nowhere: %+v", c.Sources)
	}
}

func TestConfigFile(t *testing.T) {
	c, err := parse(`
store: /var/lib/watchword
events: {max_age: 90d, max_bytes: 4GiB}
rules:
  folders: [rules, more]
sources:
  - name: acme
    region: eu
    token_file: /run/secrets/acme
    interval: 30s
    start: 2026-05-04
  - name: beta
    url: http://127.0.0.1:8780/
    token_command: op read op://vault/token
    start: 60d
    feeds: [auditevents]
    enabled: false
log:
  # level: debug
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Source{
		{Name: "acme", Region: "eu", Enabled: true, TokenFile: "/run/secrets/acme", Interval: 30 * time.Second,
			Start: pollers.Start{At: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)}, Feeds: event.Feeds},
		{Name: "beta", URL: "http://127.0.0.1:8780", TokenCommand: []string{"op", "read", "op://vault/token"}, Interval: time.Minute,
			Start: pollers.Start{Back: 60 * day}, Feeds: []event.Feed{event.FeedAuditEvents}},
	}
	if !reflect.DeepEqual(c.Sources, want) {
		t.Errorf("sources\nwant %+v\ngot  %+v", want, c.Sources)
	}
	if c.Events.MaxBytes != 4<<30 || c.Log.Level != "warn" || len(c.Rules.Folders) != 2 {
		t.Errorf("unexpected settings: %+v", c)
	}
	if from := c.where("events.max_age"); from != "watchword.yaml:3" {
		t.Errorf("events.max_age is said to come from %q", from)
	}
}

func TestConfigLayers(t *testing.T) {
	file := "store: file\nlisten: 127.0.0.1:1\nevents: {max_age: 10d}\n"
	environ := []string{"WATCHWORD_STORE=env", "WATCHWORD_EVENTS_MAX_AGE=20d", "WATCHWORD_RULES_FOLDERS=a, b", "HOME=/"}
	c, err := parseConfig("watchword.yaml", []byte(file), environ, map[string]any{"store": "flag"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Store != "flag" || c.Events.MaxAge != 20*day || c.Listen != "127.0.0.1:1" || !reflect.DeepEqual(c.Rules.Folders, []string{"a", "b"}) {
		t.Errorf("layers in the wrong order: %+v", c)
	}
	for key, want := range map[string]string{
		"store": "--store", "events.max_age": "WATCHWORD_EVENTS_MAX_AGE", "listen": "watchword.yaml:2", "alerts.max_age": "default",
	} {
		if got := c.where(key); got != want {
			t.Errorf("%s comes from %q, said to come from %q", key, want, got)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	source := "sources:\n  - name: acme\n    token_env: T\n"
	for _, c := range []struct{ name, file, env, want string }{
		{"unknown key", "sotre: x", "", `watchword.yaml:1: unknown key "sotre"; did you mean store?`},
		{"unknown key in a group", "events:\n  max_agee: 3d", "", `watchword.yaml:2: unknown key "events.max_agee"; did you mean events.max_age?`},
		{"unknown variable", "", "WATCHWORD_STOER=x", "environment: unknown variable WATCHWORD_STOER; did you mean WATCHWORD_STORE?"},
		{"wrong value", "log:\n  level: loud", "", `watchword.yaml:2: log.level: "loud": want one of debug, info, warn, error`},
		{"wrong value in a variable", "", "WATCHWORD_EVENTS_MAX_AGE=long", `WATCHWORD_EVENTS_MAX_AGE: events.max_age: "long": want a span of time`},
		{"out of bounds", "events: {max_age: 1h}", "", `events.max_age: "1h": want 1d to`},
		{"twice", "store: a\nstore: b", "", "watchword.yaml:2"},
		{"a value for a group", "events: 5", "", "watchword.yaml:1: events: want keys and values"},
		{"keys for a value", "store: {a: 1}", "", "watchword.yaml:1: store: want a value"},
		{"no mapping", "- a", "", "watchword.yaml:1: the file: want keys and values"},
		{"alias", "store: &s x\nlisten: *s", "", "watchword.yaml:2: want plain keys and values, without aliases"},
		{"listen with an external server", "listen: 127.0.0.1:4222\nnats: {url: nats://x}", "", "watchword.yaml:1: listen: nothing is embedded"},
		{"creds without server", "nats: {creds: x}", "", "watchword.yaml:1: nats.creds: only of use with nats.url"},
		{"no list", "sources: acme", "", "watchword.yaml:1: sources: want a list"},
		{"unknown source key", source + "    regoin: eu", "", `watchword.yaml:4: sources: unknown key "regoin"; did you mean region?`},
		{"token in the file", "sources:\n  - name: a\n    token: eyJhbGciOi", "", "a token is not written here"},
		{"no token", "sources:\n  - name: acme", "", "watchword.yaml:2: sources: acme: want exactly one of token_file, token_env and token_command, have 0"},
		{"two tokens", source + "    token_file: f", "", "have 2"},
		{"no name", "sources:\n  - token_env: T", "", "watchword.yaml:2: sources: an entry has no name"},
		{"bad name", "sources:\n  - name: Acme Inc\n    token_env: T", "", `"Acme Inc": want up to 64 of a-z`},
		{"same name", source + "  - name: acme\n    token_env: U", "", `two are named "acme"`},
		{"unknown region", source + "    region: de", "", `"de": want one of com, ent, ca, eu`},
		{"region and url", source + "    region: eu\n    url: https://x.test", "", "want region or url, not both"},
		{"token over plain http", source + "    url: http://events.example.test", "", "https"},
		{"url with password", source + "    url: https://u:hunter2@x.test", "", "(value not shown)"},
		{"token as variable", "sources:\n  - name: a\n    token_env: eyJhbGciOi", "", "not the token itself"},
		{"unknown feed", source + "    feeds: [signins]", "", "want some of signinattempts, itemusages, auditevents"},
		{"feed twice", source + "    feeds: [auditevents, auditevents]", "", "want each feed once"},
		{"interval too short", source + "    interval: 1ms", "", `sources: interval: "1ms": want 1s to 1d`},
		{"start", source + "    start: soon", "", `start: "soon": want a span`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.file, c.env)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("want an error with %q, got %v", c.want, err)
			}
			if !errors.Is(err, errConfig) {
				t.Errorf("the error is not known as one of configuration: %v", err)
			}
			for _, secret := range []string{"hunter2", "eyJhbGciOi"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}

func TestConfigReportsAllErrors(t *testing.T) {
	_, err := parse("log: {level: loud, format: xml}\nsources:\n  - name: A\n    token_env: T\n")
	for _, want := range []string{"log.level", "log.format", "name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %s too, got %v", want, err)
		}
	}
}

func TestConfigOfOneToken(t *testing.T) {
	const secret = "eyJ.secret.token"
	c, err := parse("", onlyTokenVariable+"="+secret)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Sources) != 1 || c.Sources[0].Name != "onepassword" || c.Sources[0].TokenEnv != onlyTokenVariable || !c.Sources[0].Enabled {
		t.Fatalf("unexpected sources: %+v", c.Sources)
	}
	var dump strings.Builder
	c.dump(&dump)
	if !strings.Contains(dump.String(), "sources.onepassword.token_env") || strings.Contains(dump.String(), "secret") {
		t.Errorf("unexpected dump:\n%s", dump.String())
	}
	c, err = parse("sources:\n  - {name: acme, token_env: T}", onlyTokenVariable+"="+secret)
	if err != nil || len(c.Sources) != 1 || c.Sources[0].Name != "acme" {
		t.Errorf("a configured source must win over the variable: %+v, %v", c, err)
	}
}

func TestConfigDumpHidesPasswords(t *testing.T) {
	c, err := parse("nats: {url: 'nats://me:hunter2@a:4222, nats://sesame@b:4222,bob:hunter2@c:4222'}")
	if err != nil {
		t.Fatal(err)
	}
	var dump strings.Builder
	c.dump(&dump)
	for _, secret := range []string{"hunter2", "sesame"} {
		if strings.Contains(dump.String(), secret) {
			t.Errorf("the dump shows %s:\n%s", secret, dump.String())
		}
	}
	if !strings.Contains(dump.String(), "a:4222") {
		t.Errorf("the dump lacks the server:\n%s", dump.String())
	}
}

func TestConfigFileNamedMustExist(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := loadConfig("", nil, nil); err != nil {
		t.Errorf("without a file the defaults hold, got %v", err)
	}
	if _, err := loadConfig("nowhere.yaml", nil, nil); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("want an error naming the file, got %v", err)
	}
	if err := os.WriteFile(defaultFile, []byte("store: here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := loadConfig("", nil, nil); err != nil || c.Store != "here" {
		t.Errorf("%s is not read: %+v, %v", defaultFile, c, err)
	}
}

// TestExampleConfig keeps the shipped example and the reference page true.
func TestExampleConfig(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := loadConfig(filepath.Join(root, "watchword.example.yaml"), nil, nil); err != nil {
		t.Error(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		row := "| `" + s.key + "` | "
		if s.def != "" {
			row += "`" + s.def + "` |"
		}
		if !strings.Contains(string(page), row) || !strings.Contains(string(page), variable(s.key)) {
			t.Errorf("docs/configuration.md lacks %q with its variable %s", row, variable(s.key))
		}
	}
	for _, s := range sourceSettings {
		if !strings.Contains(string(page), "| `"+s.key+"` | ") {
			t.Errorf("docs/configuration.md lacks the source key %s", s.key)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("store: x\nsources:\n  - name: acme\n    token_env: T\n    start: 2026-05-04\n"))
	f.Add([]byte("events: {max_age: 90d, max_bytes: 4GiB}\nlog: {level: debug}\nrules: {builtin: no, folders: [a]}"))
	f.Add([]byte("a: &a [*a]\n<<: *a"))
	f.Add([]byte("sources: [{name: a, token_command: [op, read]}, 5, [], {}]\nlisten: :1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig("watchword.yaml", data, nil, nil)
		if err != nil {
			if !errors.Is(err, errConfig) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, s := range c.Sources {
			if !sourceName.MatchString(s.Name) || seen[s.Name] || s.Interval < time.Second || len(s.Feeds) == 0 {
				t.Fatalf("a source that must not pass: %+v", s)
			}
			seen[s.Name] = true
		}
		if c.Store == "" && c.NATS.URL == "" || c.Events.MaxAge < day || c.Alerts.MaxAge < day {
			t.Fatalf("a configuration that must not pass: %+v", c)
		}
		var dump strings.Builder
		c.dump(&dump)
		for _, line := range strings.Split(strings.TrimSuffix(dump.String(), "\n"), "\n") {
			if plain(line) != line {
				t.Fatalf("the dump is not plain: %q", line)
			}
		}
	})
}
