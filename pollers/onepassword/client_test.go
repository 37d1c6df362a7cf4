package onepassword

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
)

// server answers every request with handler and returns a client for it.
func server(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A server notices that its client has left only once it has read the body.
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return clientOf(t, s.URL)
}

func clientOf(t *testing.T, url string) *Client {
	t.Helper()
	token := mustParse(t, makeToken(t, usual("events.1password.com")))
	c, err := New(Config{Base: url, Token: token, TokenFrom: "file /etc/token", Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPageRequests(t *testing.T) {
	start := time.Date(2026, 5, 4, 10, 0, 0, 1_500, time.FixedZone("", 3600))
	tests := []struct {
		name string
		from From
		want string
	}{
		{"cursor alone", From{Cursor: "abc", Limit: 3, Start: start}, `{"cursor":"abc"}`},
		{"reset", From{}, `{"limit":500}`},
		{"reset with times", From{Limit: 5, Start: start, End: start.Add(time.Hour)},
			`{"limit":5,"start_time":"2026-05-04T09:00:00.0000015Z","end_time":"2026-05-04T10:00:00.0000015Z"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var have, path, auth string
			c := server(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				have, path, auth = string(body), r.Method+" "+r.URL.Path, r.Header.Get("Authorization")
				fmt.Fprint(w, `{"cursor":"next","has_more":true,"items":[{"uuid": "A" }]}`)
			})
			p, err := c.Page(t.Context(), event.FeedAuditEvents, V2, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			if have != tt.want || path != "POST /api/v2/auditevents" || auth != c.token.header() {
				t.Errorf("want %s, have %s to %s", tt.want, have, path)
			}
			if p.Cursor != "next" || !p.HasMore || len(p.Items) != 1 || string(p.Items[0]) != `{"uuid": "A" }` {
				t.Errorf("page: %+v", p)
			}
			if p.Date.IsZero() || p.Started.IsZero() || p.Ended.Before(p.Started) {
				t.Errorf("clocks: %+v", p)
			}
		})
	}
}

func TestErrorClasses(t *testing.T) {
	answer := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	date := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		handler http.HandlerFunc
		from    From
		class   Class
		after   time.Duration
		says    []string
	}{
		{name: "400", handler: answer(400, `{"Error":{"Message":"Bad Request"}}`), class: ClassBadRequest,
			says: []string{"does not understand", "it says: Bad Request"}},
		{name: "400 with cursor", handler: answer(400, `{"status":400,"message":"bad cursor"}`), from: From{Cursor: "x"}, class: ClassCursorRefused,
			says: []string{"no longer accepts the saved position", "it says: bad cursor", "read again"}},
		{name: "401", handler: answer(401, `{"status":401,"message":"Unauthorized access"}`), class: ClassUnauthorized,
			says: []string{"revoked, has expired", "Integrations → Events Reporting", "put it into file /etc/token"}},
		{name: "403", handler: answer(403, ""), class: ClassForbidden, says: []string{"forbids", "may read this feed"}},
		{name: "404", handler: answer(404, "404 page not found\n"), class: ClassNotFound,
			says: []string{"nothing at this address", "it says: 404 page not found", "check url and region"}},
		{name: "429", handler: answer(429, ""), class: ClassRateLimited, says: []string{"too many requests", "all feeds of this token wait"}},
		{name: "429 with seconds", handler: answer(429, "", "Retry-After", "17"), class: ClassRateLimited, after: 17 * time.Second, says: []string{"wait 17s"}},
		{name: "429 with a date", class: ClassRateLimited, after: time.Minute, says: []string{"wait 1m0s"},
			handler: answer(429, "", "Date", date.Format(http.TimeFormat), "Retry-After", date.Add(time.Minute).Format(http.TimeFormat))},
		{name: "429 for ages", handler: answer(429, "", "Retry-After", "999999999999"), class: ClassRateLimited, after: longestRetryAfter, says: []string{"429"}},
		{name: "429 in the past", handler: answer(429, "", "Retry-After", "-5"), class: ClassRateLimited, says: []string{"429"}},
		{name: "500", handler: answer(500, `oops`), class: ClassServer, says: []string{"trouble of its own (500)", "status.1password.com"}},
		{name: "503 in HTML", handler: answer(503, "<html>secret page</html>", "Content-Type", "text/html"), class: ClassServer, says: []string{"(503); it is tried again"}},
		{name: "redirect", handler: answer(307, "", "Location", "http://127.0.0.1:1/"), class: ClassRedirect, says: []string{"not followed"}},
		{name: "teapot", handler: answer(418, ""), class: ClassUnexpected, says: []string{"unexpected status 418"}},
		{name: "HTML with 200", handler: answer(200, "<html>log in to the hotel</html>"), class: ClassBroken, says: []string{"is not a page", "set aside"}},
		{name: "no cursor", handler: answer(200, `{"items":[]}`), class: ClassBroken, says: []string{"it has no cursor"}},
		{name: "cut", class: ClassCut, says: []string{"ended in the middle"}, handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"cursor":`)
		}},
		{name: "slow", class: ClassUnreachable, says: []string{"it took too long"}, handler: func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}},
		{name: "slow body", class: ClassUnreachable, says: []string{"it took too long"}, handler: func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"cursor":`)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := server(t, tt.handler)
			_, err := c.Page(t.Context(), event.FeedSigninAttempts, V2, tt.from)
			var e *Error
			if !errors.As(err, &e) || e.Class != tt.class || e.RetryAfter != tt.after {
				t.Fatalf("want class %s and %s, have %#v", tt.class, tt.after, err)
			}
			for _, want := range append(tt.says, "signinattempts: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in %q", want, err)
				}
			}
			if strings.Contains(err.Error(), "  ") || len(err.Error()) > 700 {
				t.Errorf("not fit for a line: %q", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	reset := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	}))
	defer reset.Close()
	tests := []struct{ name, url, says string }{
		{"nobody listens", "http://" + nobody, "the connection was refused"},
		{"no such name", "https://events.invalid", "the name"},
		{"unknown certificate", tls.URL, "its certificate is not accepted"},
		{"broken off", reset.URL, "no answer from"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := clientOf(t, tt.url).Page(t.Context(), event.FeedItemUsages, V2, From{})
			if ClassOf(err) != ClassUnreachable || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("want %q, have %v", tt.says, err)
			}
		})
	}
}

func TestCancelledIsNoTrouble(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	go func() { <-asked; cancel() }()
	if _, err := c.Page(ctx, event.FeedItemUsages, V2, From{}); err != context.Canceled {
		t.Errorf("want the context's own error, have %v", err)
	}
}

func TestRedirectsGetNoToken(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = true }))
	defer other.Close()
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	_, err := c.Page(t.Context(), event.FeedItemUsages, V2, From{})
	if ClassOf(err) != ClassRedirect || reached {
		t.Errorf("reached the other server: %v; error: %v", reached, err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	// Small on the line, large when unpacked: one member of a gzip stream after the other.
	packed := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	head, chunk := packed(`{"cursor":"c","items":["`), packed(strings.Repeat("a", 1<<20))
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(head)
		for range 80 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	c.timeout = 2 * time.Minute
	_, err := c.Page(t.Context(), event.FeedItemUsages, V2, From{})
	var e *Error
	if !errors.As(err, &e) || e.Class != ClassTooLarge || len(e.Body) != maxComplain || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("have %v", err)
	}
}

func TestErrorsNeverShowTheToken(t *testing.T) {
	// A server that repeats the header, whole or cut, in every shape of body.
	for _, shape := range []string{`{"Error":{"Message":"%s"}}`, `{"status":401,"message":"no: %s"}`, `plain %s`, `{"cursor": "%s"`, `<html>%s`} {
		for _, status := range []int{200, 400, 401, 403, 404, 429, 500, 302} {
			for _, cut := range []int{0, 10, 60} {
				c := server(t, func(w http.ResponseWriter, r *http.Request) {
					auth := r.Header.Get("Authorization")
					w.WriteHeader(status)
					fmt.Fprintf(w, shape, auth[:len(auth)-cut])
				})
				_, err := c.Page(t.Context(), event.FeedItemUsages, V2, From{})
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("%d: want an error, have %v", status, err)
				}
				marshalled, _ := json.Marshal(e)
				for _, shown := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%#v", *e), string(e.Body), string(marshalled)} {
					for _, part := range strings.Split(c.token.reveal(), ".") {
						if strings.Contains(shown, part[:min(len(part), 20)]) {
							t.Fatalf("%d %s: the token shows: %.300s", status, shape, shown)
						}
					}
				}
			}
		}
	}
}

func TestIntrospect(t *testing.T) {
	v1 := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/auth/introspect" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"UUID":"J7CX","IssuedAt":"2026-04-01T10:00:00Z","Features":["auditevents"]}`)
	}
	v2 := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v2/auth/introspect" || r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"uuid":"J7CX","issued_at":"2026-04-01T10:00:00Z","features":["auditevents"],"account_uuid":"Y4ZQ"}`)
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		account string
	}{"v1": {v1, ""}, "v2": {v2, "Y4ZQ"}} {
		i, err := server(t, tt.handler).Introspect(t.Context())
		issued := time.Date(2026, 4, 1, 10, 0, 0, 0, time.UTC)
		if err != nil || i.UUID != "J7CX" || !i.Issued.Equal(issued) || i.Account != tt.account || !i.Covers(event.FeedAuditEvents) || i.Covers(event.FeedItemUsages) {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
	}
	_, err := server(t, http.NotFound).Introspect(t.Context())
	if ClassOf(err) != ClassNotFound || !strings.Contains(err.Error(), "introspection: ") {
		t.Errorf("neither: %v", err)
	}
	_, err = server(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }).Introspect(t.Context())
	if ClassOf(err) != ClassBroken {
		t.Errorf("not JSON: %v", err)
	}
}
