package onepassword

import (
	"errors"
	"fmt"
	"time"
)

// Class is the kind of a failure, by what can be done about it.
type Class string

// The classes.
const (
	ClassBadRequest    Class = "bad_request"    // 400 to a request without cursor
	ClassCursorRefused Class = "cursor_refused" // 400 to a request with a cursor
	ClassUnauthorized  Class = "unauthorized"   // 401
	ClassForbidden     Class = "forbidden"      // 403
	ClassNotFound      Class = "not_found"      // 404
	ClassRateLimited   Class = "rate_limited"   // 429
	ClassServer        Class = "server_error"   // 5xx
	ClassUnreachable   Class = "unreachable"    // no answer: name, connection, TLS, time
	ClassCut           Class = "cut"            // the answer ended before its end
	ClassBroken        Class = "broken"         // an answer that is no page
	ClassTooLarge      Class = "too_large"      // an answer over MaxAnswer bytes
	ClassRedirect      Class = "redirect"       // 3xx, not followed
	ClassUnexpected    Class = "unexpected"     // any other status
)

// Error is a request that brought no page. Its text is for people: what
// happened and what to do. It never carries the token.
type Error struct {
	Class  Class
	Status int    // HTTP status, 0 where there was no answer
	Host   string // where the request went
	// What names the request: "signinattempts", "introspection".
	What string
	// Message is what the answer said, one short line, without the token.
	Message string
	// RetryAfter is how long the answer asks to wait, 0 where it does not say.
	RetryAfter time.Duration
	// TokenFrom names where the token came from, for the advice.
	TokenFrom string
	// Body is the answer's beginning, without the token, for ClassBroken and
	// ClassTooLarge: what cannot be read is kept.
	Body []byte
	// Err is the cause below, where there is one.
	Err error
}

// ClassOf is the class of the *Error in err's chain, empty if there is none.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Error is the happening, what the server said, and the next step.
func (e *Error) Error() string {
	s := e.What + ": " + e.happened()
	if e.Message != "" {
		s += fmt.Sprintf(" (it says: %s)", e.Message)
	}
	if next := e.Next(); next != "" {
		s += "; " + next
	}
	return s
}

// GoString keeps %#v from printing the body byte by byte.
func (e *Error) GoString() string { return "&onepassword.Error{" + e.Error() + "}" }

func (e *Error) happened() string {
	switch e.Class {
	case ClassBadRequest:
		return fmt.Sprintf("%s does not understand the request (400)", e.Host)
	case ClassCursorRefused:
		return fmt.Sprintf("%s no longer accepts the saved position (400)", e.Host)
	case ClassUnauthorized:
		return fmt.Sprintf("%s refuses the token (401): it was revoked, has expired, or was made without this feed", e.Host)
	case ClassForbidden:
		return fmt.Sprintf("%s knows the token but forbids this (403)", e.Host)
	case ClassNotFound:
		return fmt.Sprintf("%s has nothing at this address (404)", e.Host)
	case ClassRateLimited:
		if e.RetryAfter > 0 {
			return fmt.Sprintf("%s has had too many requests and asks to wait %s (429)", e.Host, e.RetryAfter)
		}
		return fmt.Sprintf("%s has had too many requests (429)", e.Host)
	case ClassServer:
		return fmt.Sprintf("%s has trouble of its own (%d)", e.Host, e.Status)
	case ClassUnreachable:
		return fmt.Sprintf("no answer from %s: %s", e.Host, reason(e.Err))
	case ClassCut:
		return fmt.Sprintf("the answer of %s ended in the middle", e.Host)
	case ClassBroken:
		return fmt.Sprintf("the answer of %s is not a page: %s", e.Host, reason(e.Err))
	case ClassTooLarge:
		return fmt.Sprintf("the answer of %s is larger than %d MiB", e.Host, MaxAnswer>>20)
	case ClassRedirect:
		return fmt.Sprintf("%s answers with a redirect (%d), which is not followed: the token stays with the host it was given for", e.Host, e.Status)
	}
	return fmt.Sprintf("%s answers with the unexpected status %d", e.Host, e.Status)
}

// Next is what a person can do, empty where there is nothing but to wait.
func (e *Error) Next() string {
	switch e.Class {
	case ClassBadRequest:
		return "this is a fault of Watchword or of a proxy on the way; it is tried again"
	case ClassCursorRefused:
		return "the feed is read again from a little before the last complete time; known events are left out"
	case ClassUnauthorized:
		return "make a new token in Integrations → Events Reporting and put it into " + e.tokenFrom()
	case ClassForbidden:
		return "check in Integrations → Events Reporting that the token may read this feed, and that no firewall or proxy stands between; " +
			"a new token goes into " + e.tokenFrom()
	case ClassNotFound:
		return "check url and region of the source, and that the token is whole; it comes from " + e.tokenFrom()
	case ClassRateLimited:
		return "all feeds of this token wait; if it happens often, something else uses the account's limit too"
	case ClassServer:
		return "it is tried again; see status.1password.com if it lasts"
	case ClassUnreachable:
		return adviceFor(e.Err, e.Host)
	case ClassCut:
		return "it is tried again; a proxy that cuts long answers would explain it"
	case ClassBroken, ClassTooLarge:
		return "it is tried again, then with smaller pages; what stays unreadable is set aside"
	case ClassRedirect:
		return "give the final address as the source's url, if it is the right one"
	}
	return "it is tried again"
}

func (e *Error) tokenFrom() string {
	if e.TokenFrom == "" {
		return "the source's token setting"
	}
	return e.TokenFrom
}
