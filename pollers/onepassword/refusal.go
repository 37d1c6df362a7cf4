package onepassword

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refusal makes the error of an answer that is no 200. The status decides; the
// body gives no more than a message to show.
func (c *Client) refusal(what string, resp *http.Response) *Error {
	e := c.failure(classOfStatus(resp.StatusCode), what, resp.StatusCode, nil)
	// What of the body cannot be read is missing in the message and nowhere else.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxComplain))
	e.Message = tidy(c.token.redact(messageOf(body)))
	e.RetryAfter = retryAfter(resp.Header, c.now())
	return e
}

func classOfStatus(status int) Class {
	switch {
	case status == http.StatusBadRequest:
		return ClassBadRequest
	case status == http.StatusUnauthorized:
		return ClassUnauthorized
	case status == http.StatusForbidden:
		return ClassForbidden
	case status == http.StatusNotFound:
		return ClassNotFound
	case status == http.StatusTooManyRequests:
		return ClassRateLimited
	case status >= 500:
		return ClassServer
	case status >= 300 && status < 400:
		return ClassRedirect
	}
	return ClassUnexpected
}

// messageOf finds the message in the three shapes that error bodies have:
// {"Error":{"Message":"…"}} (OpenAPI 1.2.0, and observed), {"status":…,
// "message":"…"} (documentation 1.4), and text that is not JSON.
func messageOf(body []byte) string {
	var old struct {
		Error struct{ Message string }
	}
	if json.Unmarshal(body, &old) == nil && old.Error.Message != "" {
		return old.Error.Message
	}
	var current struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &current) == nil && current.Message != "" {
		return current.Message
	}
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "<") {
		return "" // a proxy's page for browsers helps nobody on one line
	}
	return text
}

// longestRetryAfter bounds what an answer may ask for: the API's longest
// window is one hour.
const longestRetryAfter = 2 * time.Hour

// retryAfter reads Retry-After, seconds or a date. The date is compared with
// the answer's own Date, so that a wrong clock here does no harm.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	var d time.Duration
	if s, err := strconv.ParseInt(v, 10, 64); err == nil {
		d = time.Duration(max(0, min(s, int64(longestRetryAfter/time.Second)))) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date
		}
		d = at.Sub(now)
	}
	return max(0, min(d, longestRetryAfter))
}
