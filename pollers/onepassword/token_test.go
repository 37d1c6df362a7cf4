package onepassword

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"watchword/bus/event"
)

// makeToken signs claims with a key nobody checks.
func makeToken(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("a key for tests"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func usual(host string) jwt.MapClaims {
	return jwt.MapClaims{
		"aud": []string{host}, "iss": "com.1password.b5", "sub": "J7CXQT2NBHWZ5KRLM4DVYA63SE",
		"iat": 1775037600, "exp": 1782813600,
		"1password.com/auuid": "Y4ZQT7XNBH2WCJ5KRLM6DVA3SE",
		"1password.com/fts":   []string{"signinattempts", "auditevents"},
	}
}

func mustParse(t testing.TB, text string) Token {
	t.Helper()
	token, err := ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestParseTokenReadsClaims(t *testing.T) {
	c := mustParse(t, " \n"+makeToken(t, usual("events.1password.eu"))+"\n").Claims()
	if c.Host != "events.1password.eu" || c.Legacy || c.Opaque || c.Account != "Y4ZQT7XNBH2WCJ5KRLM6DVA3SE" {
		t.Errorf("claims: %+v", c)
	}
	if want := time.Unix(1782813600, 0).UTC(); !c.Expires.Equal(want) {
		t.Errorf("want expiry %s, have %s", want, c.Expires)
	}
	token := mustParse(t, makeToken(t, usual("events.1password.eu")))
	if !token.Covers(event.FeedAuditEvents) || token.Covers(event.FeedItemUsages) {
		t.Error("the features are not those of the claims")
	}
	silent := usual("events.1password.eu")
	delete(silent, "1password.com/fts")
	if !mustParse(t, makeToken(t, silent)).Covers(event.FeedItemUsages) {
		t.Error("a token that says nothing of features should not be ruled out here")
	}
}

func TestParseTokenRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":      " \n",
		"two lines":  "abc\ndef",
		"a space":    "Bearer abc",
		"not ASCII":  "abc\u200bdef",
		"whole file": strings.Repeat("x", maxTokenBytes+1),
	} {
		if token, err := ParseToken(text); err == nil {
			t.Errorf("%s: %s was accepted", name, token)
		}
	}
}

func TestBaseURL(t *testing.T) {
	legacy := usual(legacyAudience)
	tests := []struct {
		name, url, region string
		claims            jwt.MapClaims
		want, err         string
	}{
		{name: "from the token", claims: usual("events.1password.ca"), want: "https://events.1password.ca"},
		{name: "region agrees", region: "ca", claims: usual("events.1password.ca"), want: "https://events.1password.ca"},
		{name: "region differs", region: "eu", claims: usual("events.1password.ca"), err: "remove region"},
		{name: "unknown region", region: "mars", claims: usual("events.1password.ca"), err: "use one of com, ent, ca, eu"},
		{name: "foreign host", claims: usual("events.1password.com.evil.example"), err: "none of 1Password's"},
		{name: "host with a path", claims: usual("events.1password.com/x"), err: "none of 1Password's"},
		{name: "foreign host, configured", url: "https://events.test.example/", claims: usual("elsewhere"), want: "https://events.test.example"},
		{name: "legacy", claims: legacy, err: "before July 2021"},
		{name: "legacy with region", region: "com", claims: legacy, want: "https://events.1password.com"},
		{name: "simulator", url: "http://127.0.0.1:8080", claims: usual("x"), want: "http://127.0.0.1:8080"},
		{name: "unencrypted", url: "http://events.1password.com", claims: usual("x"), err: "unencrypted"},
		{name: "with a password", url: "https://a:b@events.example", claims: usual("x"), err: "no user name"},
		{name: "no scheme", url: "events.1password.com", claims: usual("x"), err: "use one like https://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have, err := BaseURL(tt.url, tt.region, mustParse(t, makeToken(t, tt.claims)))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("want an error with %q, have %v", tt.err, err)
				}
				return
			}
			if err != nil || have != tt.want {
				t.Fatalf("want %s, have %s, %v", tt.want, have, err)
			}
		})
	}
	t.Run("opaque", func(t *testing.T) {
		if _, err := BaseURL("", "", mustParse(t, "truncated")); err == nil || !strings.Contains(err.Error(), "whole") {
			t.Errorf("want advice to copy it whole, have %v", err)
		}
		if _, err := BaseURL("https://events.test.example", "", mustParse(t, "truncated")); err != nil {
			t.Errorf("with a configured url any token will do: %v", err)
		}
	})
}

func TestTokenNeverPrints(t *testing.T) {
	text := makeToken(t, usual("events.1password.com"))
	token := mustParse(t, text)
	type nested struct {
		Public Token
		hidden Token
		ptr    *Token
		m      map[string]Token
		any    any
	}
	n := nested{token, token, &token, map[string]Token{"a": token}, token}
	client, err := New(Config{Base: "https://events.1password.com", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	source := Fixed("a test", token)
	var log bytes.Buffer
	text1 := slog.New(slog.NewTextHandler(&log, nil))
	json1 := slog.New(slog.NewJSONHandler(&log, nil))
	var shown []string
	for what, v := range map[string]any{"token": token, "pointer": &token, "nested": n, "nested pointer": &n, "client": client, "client value": *client, "source": source, "config": Config{Token: token}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10v"} {
			shown = append(shown, what+" "+verb+": "+fmt.Sprintf(verb, v))
		}
		shown = append(shown, fmt.Sprint(v), fmt.Sprintln(v), fmt.Errorf("x: %v", v).Error())
		if b, err := json.Marshal(v); err == nil {
			shown = append(shown, string(b))
		}
		text1.Info("text", "v", v)
		json1.Info("json", "v", v)
	}
	shown = append(shown, log.String())
	parts := strings.Split(text, ".")
	for _, s := range shown {
		for _, secret := range append(parts, text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text)) {
			if strings.Contains(s, secret) {
				t.Errorf("the token shows: %.200s", s)
			}
		}
	}
	if have, want := fmt.Sprintf("%+v", token), "[token "+token.Fingerprint()+"]"; have != want {
		t.Errorf("want %q, have %q", want, have)
	}
	if have := fmt.Sprint(Token{}); have != "[no token]" {
		t.Errorf("have %q", have)
	}
}

func TestTokenSources(t *testing.T) {
	ctx := t.Context()
	text := makeToken(t, usual("events.1password.com"))
	want := mustParse(t, text).Fingerprint()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WATCHWORD_TEST_TOKEN", text)
	t.Setenv("WATCHWORD_TEST_BROKEN", "two words")
	good := map[string]TokenSource{
		"file":    FromFile(path),
		"env":     FromEnv("WATCHWORD_TEST_TOKEN"),
		"command": FromCommand("cat", path),
		"fixed":   Fixed("a test", mustParse(t, text)),
	}
	for name, s := range good {
		token, err := s.Token(ctx)
		if err != nil || token.Fingerprint() != want {
			t.Errorf("%s: want %s, have %s, %v", name, want, token, err)
		}
	}
	hanging := commandSource{argv: []string{"sleep", "60"}, timeout: 50 * time.Millisecond}
	bad := map[string]struct {
		source TokenSource
		says   string
	}{
		"no file":         {FromFile(path + "x"), "no such file"},
		"no variable":     {FromEnv("WATCHWORD_TEST_NONE"), "it is not set"},
		"broken variable": {FromEnv("WATCHWORD_TEST_BROKEN"), "on one line"},
		"no command":      {FromCommand(), "the command is empty"},
		"command fails":   {FromCommand("sh", "-c", "echo "+text+" is locked >&2; exit 3"), "exit status 3: [token] is locked"},
		"not a program":   {FromCommand("/nonexistent/op", "read"), "no such file"},
		"hanging":         {hanging, "no answer after 50ms"},
		"endless":         {FromCommand("head", "-c", "1000000", "/dev/zero"), "is this the right file"},
	}
	for name, b := range bad {
		_, err := b.source.Token(ctx)
		if err == nil || !strings.Contains(err.Error(), b.says) {
			t.Errorf("%s: want an error with %q, have %v", name, b.says, err)
			continue
		}
		if strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error shows the token", name)
		}
	}
}

func TestSplitCommand(t *testing.T) {
	tests := map[string][]string{
		"op read op://ops/events/credential":  {"op", "read", "op://ops/events/credential"},
		` op  read 'op://a vault/an "item"' `: {"op", "read", `op://a vault/an "item"`},
		`x "" '' a"b c"d`:                     {"x", "", "", "ab cd"},
	}
	for line, want := range tests {
		have, err := SplitCommand(line)
		if err != nil || fmt.Sprintf("%q", have) != fmt.Sprintf("%q", want) {
			t.Errorf("%s: want %q, have %q, %v", line, want, have, err)
		}
	}
	for _, line := range []string{"", "  ", `op "read`} {
		if have, err := SplitCommand(line); err == nil {
			t.Errorf("%q was taken as %q", line, have)
		}
	}
}

func TestRedactFindsWhatLooksLikeAToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claims := jwt.MapClaims{"aud": []string{"events.1password.com"}, "jti": rapid.StringMatching(`[a-z0-9]{26}`).Draw(t, "jti")}
		text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("k"))
		if err != nil {
			t.Fatal(err)
		}
		token, err := ParseToken(text)
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(20, len(text)).Draw(t, "cut")
		around := rapid.StringMatching(`[ "':,{}]*`)
		said := around.Draw(t, "before") + text[:cut] + around.Draw(t, "behind")
		for _, who := range []Token{token, {}} {
			if have := who.redact(said); strings.Contains(have, text[:20]) {
				t.Fatalf("a part of the token is left of %q: %q", said, have)
			}
		}
		if have := token.redact("sig " + strings.Split(text, ".")[2]); have != "sig [token]" {
			t.Fatalf("the signature is left: %q", have)
		}
	})
}
