package onepassword

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"watchword/bus/event"
)

// Introspection is what the server says of a token it accepts.
type Introspection struct {
	UUID     string    // of the integration
	Issued   time.Time // zero where the answer does not say it
	Features []string  // the feeds it may read
	Account  string    // account uuid; only newer servers say it
}

// Covers reports whether the token may read the feed.
func (i Introspection) Covers(feed event.Feed) bool {
	return slices.Contains(i.Features, string(feed))
}

// Introspect asks what the token may do: at the v2 address, and at the v1
// address where the server has no v2. Its errors are those of Page.
func (c *Client) Introspect(ctx context.Context) (Introspection, error) {
	const what = "introspection"
	a, err := c.do(ctx, http.MethodGet, "/api/v2/auth/introspect", what, nil)
	if ClassOf(err) == ClassNotFound {
		// v1 has no version in its path.
		a, err = c.do(ctx, http.MethodGet, "/api/auth/introspect", what, nil)
	}
	if err != nil {
		return Introspection{}, err
	}
	i, err := decodeIntrospection(a.body)
	if err != nil {
		return Introspection{}, c.failure(ClassBroken, what, a.status, err)
	}
	return i, nil
}

// decodeIntrospection reads both shapes: v2 has uuid, issued_at, features and
// perhaps account_uuid, v1 has UUID, IssuedAt and Features. encoding/json
// compares names without regard to case, so two of the three need no field of
// their own.
func decodeIntrospection(body []byte) (Introspection, error) {
	var v struct {
		UUID       string     `json:"uuid"`
		IssuedAt   *time.Time `json:"issued_at"`
		IssuedAtV1 *time.Time `json:"IssuedAt"`
		Features   []string   `json:"features"`
		Account    string     `json:"account_uuid"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return Introspection{}, err
	}
	i := Introspection{UUID: v.UUID, Features: v.Features, Account: v.Account}
	for _, t := range []*time.Time{v.IssuedAt, v.IssuedAtV1} {
		if t != nil {
			i.Issued = t.UTC()
		}
	}
	return i, nil
}
