package onepassword

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"watchword/bus/event"
)

// Bounds of a request. The API allows a limit of 1,000; the page size here
// follows from what one batch of the bus may hold, since a cursor freezes it.
const (
	PageLimit   = 500
	MaxAnswer   = 64 << 20 // bytes, after decompression
	maxComplain = 64 << 10 // bytes of an answer that is no 200

	// History is how far back the API reaches.
	History = 120 * 24 * time.Hour
)

// Versions of the API. A cursor belongs to the version that made it.
const (
	V2 = "v2"
	V1 = "v1"
)

// Client asks one server with one token. It is safe for several goroutines.
type Client struct {
	base      string
	host      string
	token     Token
	tokenFrom string
	http      *http.Client
	timeout   time.Duration
	now       func() time.Time
}

// Config of a Client.
type Config struct {
	Base      string            // as BaseURL returns it
	Token     Token             // sent with every request
	TokenFrom string            // names the token's source in advice to people
	Transport http.RoundTripper // nil: NewTransport()
	Timeout   time.Duration     // of a whole request, answer included; 0: 60 s
	Now       func() time.Time  // nil: time.Now
}

// NewTransport is a transport that keeps few connections and waits for nothing
// without a bound. Clients of one source share one, so that a change of the
// token does not leave connections behind.
func NewTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxConnsPerHost = 4
	t.MaxIdleConnsPerHost = 4
	t.TLSHandshakeTimeout = 15 * time.Second
	t.ResponseHeaderTimeout = 45 * time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// New makes a client; it connects with the first request.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.Base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("events API client: %q is no base URL", c.Base)
	}
	if c.Token.IsZero() {
		return nil, errors.New("events API client: no token")
	}
	if c.Transport == nil {
		c.Transport = NewTransport()
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{
		base: c.Base, host: u.Host, token: c.Token, tokenFrom: c.TokenFrom, timeout: c.Timeout, now: c.Now,
		http: &http.Client{
			Transport: c.Transport,
			// The token was given for this host; nobody else gets it.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Host is where the client's requests go.
func (c *Client) Host() string { return c.host }

// Token is the token the client sends.
func (c *Client) Token() Token { return c.token }

// From says where a page begins: behind a cursor, or (with an empty Cursor) at
// a new place.
type From struct {
	Cursor string
	// The rest is for a new place and is frozen in the cursors that follow.
	Limit int       // 0: PageLimit
	Start time.Time // zero: the API's default, one hour ago
	End   time.Time // zero: open. A chain with an end never brings later events.
}

// resetBody and cursorBody are the two request bodies, exactly one at a time.
type resetBody struct {
	Limit int        `json:"limit"`
	Start *time.Time `json:"start_time,omitempty"`
	End   *time.Time `json:"end_time,omitempty"`
}

type cursorBody struct {
	Cursor string `json:"cursor"`
}

func (f From) body() ([]byte, error) {
	if f.Cursor != "" {
		return json.Marshal(cursorBody{f.Cursor})
	}
	b := resetBody{Limit: f.Limit}
	if b.Limit == 0 {
		b.Limit = PageLimit
	}
	if !f.Start.IsZero() {
		start := f.Start.UTC()
		b.Start = &start
	}
	if !f.End.IsZero() {
		end := f.End.UTC()
		b.End = &end
	}
	return json.Marshal(b)
}

// Page asks for one page of a feed in the given version of the API. Its errors
// are *Error, or the context's own when ctx ended.
func (c *Client) Page(ctx context.Context, feed event.Feed, version string, from From) (Page, error) {
	body, err := from.body()
	if err != nil {
		return Page{}, fmt.Errorf("%s: encode the request: %w", feed, err)
	}
	a, err := c.do(ctx, http.MethodPost, "/api/"+version+"/"+string(feed), string(feed), body)
	if err != nil {
		var e *Error
		if errors.As(err, &e) && e.Class == ClassBadRequest && from.Cursor != "" {
			e.Class = ClassCursorRefused
		}
		return Page{}, err
	}
	p, err := DecodePage(a.body)
	if err != nil {
		e := c.failure(ClassBroken, string(feed), a.status, err)
		e.Body = []byte(c.token.redact(string(a.body)))
		return Page{}, e
	}
	p.Date, p.Started, p.Ended = a.date, a.started, a.ended
	return p, nil
}

// answer is a 200.
type answer struct {
	status         int
	body           []byte
	date           time.Time
	started, ended time.Time
}

func (c *Client) do(ctx context.Context, method, path, what string, body []byte) (answer, error) {
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("%s: make the request: %w", what, err)
	}
	req.Header.Set("Authorization", c.token.header())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "watchword")

	a := answer{started: c.now()}
	resp, err := c.http.Do(req)
	if err != nil {
		if asked.Err() != nil {
			return answer{}, asked.Err()
		}
		return answer{}, c.failure(ClassUnreachable, what, 0, err)
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	if resp.StatusCode != http.StatusOK {
		return answer{}, c.refusal(what, resp)
	}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	a.ended = c.now()
	switch {
	case asked.Err() != nil:
		return answer{}, asked.Err()
	case ctx.Err() != nil:
		return answer{}, c.failure(ClassUnreachable, what, resp.StatusCode, ctx.Err())
	case err != nil:
		return answer{}, c.failure(ClassCut, what, resp.StatusCode, err)
	case len(a.body) > MaxAnswer:
		e := c.failure(ClassTooLarge, what, resp.StatusCode, nil)
		e.Body = []byte(c.token.redact(string(a.body[:maxComplain])))
		return answer{}, e
	}
	if d, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.date = d.UTC()
	}
	return a, nil
}

func (c *Client) failure(class Class, what string, status int, err error) *Error {
	return &Error{Class: class, What: what, Status: status, Host: c.host, TokenFrom: c.tokenFrom, Err: err}
}
