package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"watchword/bus/event"
)

// Limits of a page, from the API reference.
const (
	defaultLimit  = 100
	maxLimit      = 1000
	defaultWindow = time.Hour
)

// maxCursor bounds what is tried as a cursor, in characters.
const maxCursor = 4096

// cursor is the place of a client in a feed. Like the API's own it needs no
// memory on the server: it holds the page size and the time span that the chain
// began with, and the key of the last record returned. Times are Unix
// nanoseconds. It names no token, so it outlives the rotation of one.
type cursor struct {
	Feed  int   `json:"f"`
	Limit int   `json:"l"`
	Start int64 `json:"s"`
	End   int64 `json:"e,omitempty"` // 0: none
	// At and UUID are those of the last record returned; zero before the first.
	At   int64  `json:"t,omitempty"`
	UUID string `json:"u,omitempty"`
	// Began is when the chain began, and Taken up to which moment of arrival
	// records have been returned. They count only where late records land
	// behind cursors, see Options.LateBehindCursor.
	Began int64 `json:"b,omitempty"`
	Taken int64 `json:"a,omitempty"`
}

func (c cursor) encode() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // numbers and a string always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// errCursor is the answer to a cursor that is none of ours.
var errCursor = errors.New("invalid cursor")

func decodeCursor(text string, feed int) (cursor, error) {
	if len(text) > maxCursor {
		return cursor{}, errCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return cursor{}, errCursor
	}
	var c cursor
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil || d.More() {
		return cursor{}, errCursor
	}
	if c.Feed != feed || c.Limit < 1 || c.Limit > maxLimit || c.UUID != "" && len(c.UUID) != uuidLength {
		return cursor{}, errCursor
	}
	return c, nil
}

// ask is the body of a request: either a continuing cursor and nothing else,
// or a reset cursor.
type ask struct {
	Cursor    *string    `json:"cursor"`
	Limit     *int       `json:"limit"`
	StartTime *time.Time `json:"start_time"`
	EndTime   *time.Time `json:"end_time"`
}

// continues says whether the request goes on from a cursor. An empty cursor is
// taken for none, as a known client assumes.
func (a ask) continues() bool { return a.Cursor != nil && *a.Cursor != "" }

func decodeAsk(body []byte) (ask, error) {
	var a ask
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&a); err != nil {
		return ask{}, fmt.Errorf("request body: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return ask{}, errors.New("request body: more than one JSON value")
	}
	if a.continues() && (a.Limit != nil || a.StartTime != nil || a.EndTime != nil) {
		return ask{}, errors.New("request body: a cursor together with limit, start_time or end_time")
	}
	if a.Limit != nil && (*a.Limit < 1 || *a.Limit > maxLimit) {
		return ask{}, fmt.Errorf("request body: limit %d is not within 1 to %d", *a.Limit, maxLimit)
	}
	return a, nil
}

// reset is the cursor a reset request begins with: a hundred records and the
// hour before the end, where it says nothing.
func (a ask) reset(feed int, now time.Time) cursor {
	c := cursor{Feed: feed, Limit: defaultLimit, Began: now.UnixNano()}
	if a.Limit != nil {
		c.Limit = *a.Limit
	}
	end := now
	if a.EndTime != nil {
		end = *a.EndTime
		c.End = unixNano(end)
	}
	start := end.Add(-defaultWindow)
	if a.StartTime != nil {
		start = *a.StartTime
	}
	c.Start = unixNano(start)
	return c
}

// unixNano is t.UnixNano for times of every year, held within what it can say.
func unixNano(t time.Time) int64 {
	switch {
	case t.Year() < 1700:
		return time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	case t.Year() > 2200:
		return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	}
	return t.UnixNano()
}

// feedOf is the number of the feed named in a path, -1 for none.
func feedOf(name string) int { return feedNumber(event.Feed(name)) }
