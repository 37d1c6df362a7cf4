package onepassword

import (
	"encoding/json"
	"errors"
	"regexp"
	"time"
)

// Page is one answer of a feed.
type Page struct {
	// Items are the records, each with its own bytes, not decoded.
	Items []json.RawMessage
	// Cursor continues after this page. Never empty.
	Cursor string
	// HasMore says there may be more right now; the next page can be empty all the same.
	HasMore bool
	// Date is the server's clock when it answered, to the second; zero where
	// the answer does not say it.
	Date time.Time
	// Started and Ended are our clock at the request's start and at the answer's end.
	Started, Ended time.Time
}

// DecodePage reads the body of an answer of a feed. Items that are null or
// absent are no items. An answer without cursor is refused: to go on without
// one would mean to start again at some other place.
func DecodePage(body []byte) (Page, error) {
	var p struct {
		Cursor  string            `json:"cursor"`
		HasMore bool              `json:"has_more"`
		Items   []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return Page{}, err
	}
	if p.Cursor == "" {
		return Page{}, errors.New("it has no cursor")
	}
	return Page{Items: p.Items, Cursor: p.Cursor, HasMore: p.HasMore}, nil
}

var cursorField = regexp.MustCompile(`"cursor"\s*:\s*"([^"\\]+)"`)

// SalvageCursor finds the cursor in an answer that is not JSON as a whole, so
// that a feed can go on behind it. Empty if there is none, or more than one.
func SalvageCursor(body []byte) string {
	found := cursorField.FindAllSubmatch(body, 2)
	if len(found) != 1 {
		return ""
	}
	return string(found[0][1])
}
